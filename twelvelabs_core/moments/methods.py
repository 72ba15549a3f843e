"""The client's method that turns search results into moments."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from twelvelabs_core.base.checks import check_count
from twelvelabs_core.base.errors import InputError, SegmentNotFoundError
from twelvelabs_core.ingest.job import Ingestion
from twelvelabs_core.moments.moment import Example, Hit, Moment
from twelvelabs_core.moments.options import MomentOptions
from twelvelabs_core.results.segments import Matrix
from twelvelabs_core.results.spaces import is_of_space
from twelvelabs_core.transport.session import Session

if TYPE_CHECKING:
    from twelvelabs_core.moments.search import StoredFile
    from twelvelabs_core.store.store import SegmentStore


class MomentMethods:
    """The methods of a client for moments."""

    _session: Session
    _ingestion: Ingestion
    _open_store: "Callable[[], SegmentStore]"

    async def find_moments(
        self,
        hits: Iterable[Hit],
        query: Matrix,
        *,
        k: int = 5,
        options: MomentOptions | None = None,
        like: Example | None = None,
    ) -> list[Moment]:
        """Return the moments that search results belong to, best first.

        The vectors of all clips and options of the found files are read from the segment store, so moments do not
        depend on the vector store, on its scores, or on how many neighbouring clips it returned. Neighbouring clips of
        one file form a moment while their relevance is at least 0.9 of that of the best one.

        Files whose vectors are not in the segment store follow in the order of the hits, with `exact=False`. Whole
        files, pages, chunks and other documents are not joined and keep their places among the hits.

        Args:
            hits: The vector store's results, best first; `Hit.of` makes one from metadata.
            query: The query's vector, float32 of shape (dimension,), from `embed_text` or another `embed_*` method.
            k: Maximum number of moments.
            options: How hits become moments.
            like: What the query is an example of, as with `moment_vector`; it is in no moment.

        Returns:
            At most `k` moments.

        Raises:
            InputError: The stored vectors, or the query, are of another vector space than this client's.
            ConfigurationError: The segment store cannot be read.
        """
        import numpy as np  # noqa: PLC0415  # importing this package does not load numpy

        from twelvelabs_core.moments.search import moments_of  # noqa: PLC0415  # imports numpy

        check_count("k", k)
        hits, query = list(hits), np.asarray(query, np.float32)
        space = self._ingestion.space
        if str(query.shape) != f"({space.rpartition('/')[2]},)":
            raise InputError(f"query must be a vector of the space {space}, got an array of shape {query.shape}.")
        files = await self._session.io.blocking(lambda: self._stored_files(hits))
        for hit in hits:  # also those whose vectors are not stored
            if hit.segment_id is not None and not is_of_space(hit.space, space):
                raise _other_space(hit.source, hit.space, space)
        chosen = options or MomentOptions()
        return await self._session.io.blocking(lambda: moments_of(hits, query, files, chosen, k=k, like=like))

    async def moment_vector(self, segment_ids: Sequence[str]) -> Matrix:
        """Return a vector to search for moments like another one.

        Args:
            segment_ids: The segments of a moment, at least one.

        Returns:
            float32 array of shape (dimension,), of length 1: the mean of the directions of the `visual` vectors; where
            there are none, of all vectors.

        Raises:
            SegmentNotFoundError: None of the segments is in the segment store.
            InputError: A vector is of another space than this client's.
        """
        found = await self._session.io.blocking(lambda: self._open_store().find_vectors(list(segment_ids)))
        if not found:
            raise SegmentNotFoundError(
                f"cannot search by {', '.join(segment_ids[:1]) or 'no segment'}: its vector is not in the segment "
                "store. Load its file again, or pass the store in which it is."
            )
        for vector in found.values():
            if vector.space != self._ingestion.space:
                raise InputError(
                    f"cannot search like {vector.source!r}: its vectors are of the space {vector.space}, those of this "
                    f"client of {self._ingestion.space}."
                )
        from twelvelabs_core.moments.search import mean_direction  # noqa: PLC0415  # imports numpy

        visual = [one.vector for one in found.values() if one.position.embedding_option == "visual"]
        return mean_direction(visual or [one.vector for one in found.values()])

    def _stored_files(self, hits: Sequence[Hit]) -> "list[StoredFile]":
        """Return the stored results that hits are from, by file."""
        from twelvelabs_core.moments.search import StoredFile  # noqa: PLC0415  # imports numpy

        sources = {hit.segment_id: hit.source for hit in hits if hit.segment_id is not None and hit.is_clip}
        if not sources:
            return []
        keys, results = self._open_store().find_results(list(sources))
        of_file: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for segment_id, key in keys.items():
            source, result = sources[segment_id], results[key]
            if result.space != self._ingestion.space:
                raise _other_space(source, result.space, self._ingestion.space)
            of_file[source, result.content][key].add(segment_id)
        return [
            StoredFile(source, content, [results[key].segments for key in ids], frozenset().union(*ids.values()))
            for (source, content), ids in of_file.items()
        ]


def _other_space(source: str, theirs: str, ours: str) -> InputError:
    return InputError(
        f"cannot compare the query with {source!r}: its vectors are of the space {theirs}, those of this client of "
        f"{ours}."
    )
