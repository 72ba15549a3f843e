"""The stored vectors that segment ids and texts name: what is believed of a text, and what is refused."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from twelvelabs_core.base.errors import InputError, SegmentNotFoundError
from twelvelabs_core.results.references import Claim, read_claim
from twelvelabs_core.results.segments import Matrix

if TYPE_CHECKING:
    from twelvelabs_core.store.entries import StoredVector
    from twelvelabs_core.store.store import SegmentStore

logger = logging.getLogger("twelvelabs_core")

_EXCERPT_CHARACTERS = 80


def vectors_of_ids(segment_ids: Sequence[str], store: "SegmentStore", space: str) -> list[Matrix]:
    """Return the vector of each id; SegmentNotFoundError for an unknown one, InputError for one of another space."""
    found = store.find_vectors(segment_ids)
    return [_vector(segment_id, found, store, space) for segment_id in segment_ids]


def vectors_of_texts(
    texts: Sequence[str], open_store: "Callable[[], SegmentStore]", space: str, *, as_query: bool
) -> list[Matrix | None]:
    """Return the vector of each text that is the document of a segment, and None for any other text."""
    claims = {index: claim for index, text in enumerate(texts) if (claim := read_claim(text)) is not None}
    if as_query:  # a part of a segment is a query like any other
        claims = {index: claim for index, claim in claims.items() if claim.segment_id is not None}
    vectors: list[Matrix | None] = [None] * len(texts)
    if not claims:
        return vectors  # without the store, which may not exist
    store = open_store()
    found = store.find_vectors(list({claim.segment_id for claim in claims.values() if claim.segment_id is not None}))
    titles = store.find_titles({stored.source for stored in found.values()})
    for index, claim in claims.items():
        stored = found.get(claim.segment_id or "")
        names = () if stored is None else titles.get(stored.source, ())
        try:
            if claim.segment_id is not None and (
                claim.is_whole if stored is None else claim.agrees(stored.position, names)
            ):
                vectors[index] = _vector(claim.segment_id, found, store, space)
            elif not as_query and _is_torn(claim, stored, names, store):
                raise _torn_error(texts[index])
        except InputError as error:
            raise InputError(f"texts[{index}]: {error}") from None
    return vectors


def _vector(segment_id: str, found: "Mapping[str, StoredVector]", store: "SegmentStore", space: str) -> Matrix:
    stored = found.get(segment_id)
    if stored is None:
        raise SegmentNotFoundError(
            f"segment {segment_id} is not in the segment store {store.location}. Load its video again, "
            "or pass the store that it was loaded with (segment_store=..., or TWELVELABS_STORE)."
        )
    if stored.space != space:
        raise InputError(
            f"segment {segment_id} has the vector space {stored.space}, this client {space}: their "
            "vectors are not comparable. Use the model and key it was made with, or load the video again into "
            "its own collection."
        )
    return stored.vector


def _is_torn(claim: Claim, stored: "StoredVector | None", titles: Collection[str], store: "SegmentStore") -> bool:
    """Return whether a text that is not the document of a segment is provably a part of one."""
    if claim.segment_id is None:
        if claim.ends_with_reference or (claim.piece is not None and store.has_segment_like(claim.piece)):
            return True
        return claim.title is not None and any(claim.begins_with(head) for head in store.find_heads(claim.title))
    if not claim.ends_with_reference:
        return False  # a text that mentions a segment
    if not claim.has_head or (stored is not None and claim.begins_within_head(stored.position, titles)):
        return True
    logger.warning("a text names segment %s beside another title or position; it is embedded as text", claim.segment_id)
    return False


def _torn_error(text: str) -> InputError:
    excerpt = text if len(text) <= _EXCERPT_CHARACTERS else text[: _EXCERPT_CHARACTERS - 3] + "..."
    return InputError(
        f"the text {excerpt!r} is a part of a segment's document: a text splitter or an editor has changed it. Do not "
        "split segment documents (each is one moment); split only your other documents, and load the segments again. "
        "If it is a text of your own that quotes a segment, begin it with another line, and do not end it with a "
        "tl-segment: line."
    )
