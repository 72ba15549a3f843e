"""`Ticket`: a submitted task as a small value, for queues and other processes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar, Self

from pydantic import ConfigDict, TypeAdapter, ValidationError

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.results.records import task_key


@dataclass(frozen=True, slots=True)
class Ticket:
    """A task that was submitted and is collected later, by any process with the same segment store.

    It has neither vectors nor secrets: no key, no signature of a URL, no path but the caller's name of the media.

    Attributes:
        source: The name by which the caller identifies the media; the same on all its segments.
        title: A short name to display.
        space: The vector space, such as `marengo3.0/512`.
        content: The identity of its bytes.
        task_id: The embedding task. After a failure, the ticket of the next submission names another one.
        wanted: The parameters of what is wanted.
        params: The parameters of the task, which may give more than is wanted.
        keep_asset: Whether the uploaded file stays at the API after it is collected.

    Example:
        ```python
        line = client.submit("match.mp4").to_json()  # to a queue
        video = client.collect(Ticket.from_json(line))  # in another process; None while the task is processed
        ```
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    source: str
    title: str
    space: str
    content: str
    task_id: str
    wanted: Mapping[str, Any] = field(hash=False, repr=False)
    params: Mapping[str, Any] = field(hash=False, repr=False)
    keep_asset: bool = True

    @property
    def key(self) -> str:
        """The identity of what was submitted: 64 hexadecimal digits, the same for each submission.

        It is the task's own in the segment store, unless a task that gives more served the submission.
        """
        return task_key(self.space, self.content, self.params)

    def to_json(self) -> str:
        """Return the ticket as JSON, about 1 kB."""
        return _adapter().dump_json(self).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Return the ticket that `to_json` wrote.

        Raises:
            InputError: The text is not a ticket.
        """
        try:
            ticket = _adapter().validate_json(text, strict=True)
        except ValidationError as error:
            what = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'text'}: {one['msg']}" for one in error.errors())
            raise InputError(f"not a ticket of this version: {what}.") from None
        _check_choices("wanted", ticket.wanted)
        _check_choices("params", ticket.params)
        return ticket  # type: ignore[return-value]  # the class is final in practice


def _check_choices(name: str, parameters: Mapping[str, Any]) -> None:
    """Refuse parameters whose lists cannot be read; all other parameters are only compared."""
    for choice in ("embedding_option", "embedding_scope", "embedding_type"):
        values = parameters.get(choice, [] if choice == "embedding_type" else None)
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise InputError(f"not a ticket of this version: {name}.{choice} must be a list of str.")


@cache
def _adapter() -> TypeAdapter[Ticket]:
    return TypeAdapter(Ticket)
