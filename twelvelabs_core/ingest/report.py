"""Of many media some fail: which, why, and what is made of it at the end."""

import logging
from collections.abc import Callable
from typing import Any, Literal

from twelvelabs_core.base.errors import ConfigurationError, Failure, IngestionError, InputError, TwelveLabsError
from twelvelabs_core.base.progress import check_callback
from twelvelabs_core.base.redact import redact
from twelvelabs_core.media.source import Media

logger = logging.getLogger("twelvelabs_core")

OnError = Literal["raise", "skip"] | Callable[[Failure], object]
"""`raise`: one error at the end lists what failed. `skip`: a warning does. A function: it is called with each."""

_KEY_REFUSED = 401


class FailureReport:
    """Collects the failures of one run over many media.

    Attributes:
        failures: What failed.
        succeeded: The names of the media that did not.

    Raises:
        InputError: `on_error` is nothing that can be done.
    """

    def __init__(self, on_error: OnError) -> None:
        if on_error not in ("raise", "skip") and not callable(on_error):
            raise InputError(f"on_error must be 'raise', 'skip' or a function, got {on_error!r}.")
        if callable(on_error):
            check_callback(on_error, "on_error")
        self._on_error = on_error
        self.failures: list[Failure] = []
        self.succeeded: list[str] = []

    def add(self, item: Any, error: Exception) -> None:
        """Note what a medium ended with.

        An error that ends the whole run leaves no report at its end, so what failed before it is logged.

        Raises:
            Exception: The error itself, where it is not of this medium: a wrong key or store, a defect, out of memory.
        """
        if not isinstance(error, TwelveLabsError) or _ends_all(error):
            if self.failures and not callable(self._on_error):
                logger.warning("before the run ended early: %s", IngestionError(self.failures, self.succeeded))
            raise error
        self.note(Failure(_name_of(item), str(error), error.task_id, error))

    def note(self, failure: Failure) -> None:
        """Note a failure."""
        self.failures.append(failure)
        if callable(self._on_error):
            self._on_error(failure)

    def close(self) -> None:
        """Report at the end of the run.

        Raises:
            IngestionError: Some failed, and nobody wants them skipped.
            TwelveLabsError: The only medium failed; its own error.
        """
        if not self.failures or callable(self._on_error):
            return
        error = IngestionError(self.failures, self.succeeded)
        if self._on_error == "skip":
            logger.warning("%s", error)
            return
        raise self.failures[0].error if len(self.failures) + len(self.succeeded) == 1 else error


def _ends_all(error: TwelveLabsError) -> bool:
    """Whether an error would meet every other medium too: the key is refused, or the store cannot be used."""
    return isinstance(error, ConfigurationError) or getattr(error, "status_code", None) == _KEY_REFUSED


def _name_of(item: Any) -> str:
    try:
        return Media.of(item).source
    except TwelveLabsError:
        return redact(repr(item))[:200]
