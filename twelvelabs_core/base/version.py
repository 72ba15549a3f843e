"""The name and version of this package, as its requests state them."""

from functools import cache

PACKAGE = "twelvelabs-rag"


@cache
def user_agent() -> str:
    """Return the header `User-Agent`: `twelvelabs-rag/0.1.0`, or the name alone where the package is not installed."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415  # takes milliseconds to import

    try:
        return f"{PACKAGE}/{version(PACKAGE)}"
    except PackageNotFoundError:
        return PACKAGE
