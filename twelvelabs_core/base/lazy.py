"""Import a package's public names on first use (PEP 562), so that importing the package costs almost nothing."""

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def lazy_exports(
    package: str, modules: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` for a package whose public names are imported on first use.

    Type checkers and import-linter cannot follow names given as strings: the package imports the same names under
    `TYPE_CHECKING`.

    Args:
        package: The package's `__name__`.
        modules: Full name of a module -> the public names that it defines.

    Example:
        ```python
        if TYPE_CHECKING:
            from my_package.answers import Answer
        else:
            __getattr__, __dir__ = lazy_exports(__name__, {"my_package.answers": ["Answer"]})
        ```
    """
    module_of = {name: module for module, names in modules.items() for name in names}

    def __getattr__(name: str) -> Any:  # noqa: N807  # the name that Python looks up in a module
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(module_of[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    def __dir__() -> list[str]:  # noqa: N807  # the same
        return sorted({*vars(sys.modules[package]), *module_of})

    return __getattr__, __dir__
