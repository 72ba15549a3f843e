"""Which of the texts that a framework hands over name a stored vector, and which are to be embedded. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.media.validate import check_text
from twelvelabs_core.results.references import parse_reference
from twelvelabs_core.results.responses import Embedding
from twelvelabs_core.results.segments import Matrix

FindReference = Callable[[str], str | None]
"""Returns the segment id that a text names, or None for ordinary text; raises InputError for a piece of one."""


@dataclass(frozen=True, slots=True)
class TextPlan:
    """Checked texts, told apart by what they need.

    Attributes:
        references: Position of a text -> id of the segment whose stored vector it names.
        plain: Position of any other text -> the text.
    """

    references: Mapping[int, str]
    plain: Mapping[int, str]

    @classmethod
    def of(cls, texts: Sequence[str], find_reference: FindReference = parse_reference) -> Self:
        """Return the plan for these texts.

        Args:
            texts: Any number of texts.
            find_reference: How a text of this framework names a segment. Default: by its reference line; for a query,
                which is never refused for what it says, `parse_query`.

        Raises:
            InputError: A text is empty, or is a piece of a segment's document; the message has its position.
        """
        if isinstance(texts, (str, bytes)) or not isinstance(texts, Iterable):
            raise InputError(f"texts must be a list of str, got a single {type(texts).__name__}: pass [text].")
        references, plain = {}, {}
        for position, text in enumerate(texts):
            what = f"texts[{position}]"
            segment_id = _reference(check_text(text, what), what, find_reference)
            if segment_id is None:
                plain[position] = text
            else:
                references[position] = segment_id
        return cls(references, plain)

    def merge(self, stored: Sequence[Matrix], embedded: Sequence[Embedding]) -> list[list[float]]:
        """Return one list of floats per text, in the order of the texts.

        Args:
            stored: The vectors of `references`, in their order.
            embedded: The embeddings of `plain`, in their order.
        """
        vectors = dict(zip(self.references, stored, strict=True))
        vectors |= zip(self.plain, (embedding.vector for embedding in embedded), strict=True)
        return [vectors[position].tolist() for position in range(len(vectors))]


def _reference(text: str, what: str, find_reference: FindReference) -> str | None:
    try:
        return find_reference(text)
    except InputError as error:
        raise InputError(f"{what}: {error}") from None
