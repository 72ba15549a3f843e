"""What all loaders do alike: media in, one LangChain `Document` per segment out, as the embedding tasks end."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing, closing, nullcontext
from typing import TYPE_CHECKING, Any, Literal, NoReturn, cast

from langchain_core.document_loaders import BaseLoader
from langchain_core.documents import Document

from langchain_twelvelabs._documents import to_document
from langchain_twelvelabs.embeddings import TwelveLabsEmbeddings
from twelvelabs_core import InputError, Media, MediaInput, OnError, OnProgress, Segmentation, TimeBasedMetadata
from twelvelabs_core.base.progress import ProgressLine
from twelvelabs_core.media.source import media_list

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from twelvelabs_core import SegmentedMedia


class SegmentLoader(BaseLoader):
    """What all loaders do; they differ in the kind of media and their options."""

    def __init__(
        self,
        media: tuple[Media, ...],
        embeddings: TwelveLabsEmbeddings,
        options: Mapping[str, Any],
        *,
        id_namespace: str | None,
        show_progress: bool,
        on_progress: OnProgress | None,
    ) -> None:
        if not isinstance(embeddings, TwelveLabsEmbeddings):
            raise InputError(f"embeddings must be TwelveLabsEmbeddings, got {type(embeddings).__name__}.")
        if id_namespace is not None and not isinstance(id_namespace, str):
            raise InputError(f"id_namespace must be a str, got {type(id_namespace).__name__}.")
        self.embeddings = embeddings
        self._media = media
        self._id_namespace = id_namespace
        self._show_progress = show_progress
        self._on_progress = on_progress
        self._options = options
        embeddings.client.segment_many((), on_progress=on_progress, **options)  # refuses what no medium could take

    def lazy_load(self) -> Iterator[Document]:
        """Yield the documents medium by medium, as the embedding tasks end.

        Closing the iterator stops new work; what was begun is in the segment store's journal, and the next run goes
        on with it.

        Yields:
            One document per segment and option.

        Raises:
            InputError: The media or an option cannot be used; nothing was sent.
            TwelveLabsError: The only medium failed.
            IngestionError: At the end, when some of several media failed; the others are stored.
        """
        client = self.embeddings.client
        with self._progress() as on_progress:
            films = client.segment_many(self._media, on_progress=on_progress, **self._options)
            with closing(cast("Generator[SegmentedMedia]", films)):
                for film in films:
                    yield from map(to_document, client.register(film, id_namespace=self._id_namespace))

    async def alazy_load(self) -> AsyncIterator[Document]:
        """Yield the documents medium by medium, as the embedding tasks end; the async twin of `lazy_load`."""
        client = self.embeddings.async_client
        with self._progress() as on_progress:
            films = client.segment_many(self._media, on_progress=on_progress, **self._options)
            async with aclosing(cast("AsyncGenerator[SegmentedMedia]", films)):
                async for film in films:
                    for record in await client.register(film, id_namespace=self._id_namespace):
                        yield to_document(record)

    def load_and_split(self, text_splitter: Any = None) -> NoReturn:  # noqa: ARG002  # BaseLoader's signature
        """Refuse: a segment's document is one moment, and a piece of it would lose its vector.

        Raises:
            InputError: Always.
        """
        raise InputError(
            f"{type(self).__name__} already returns one document per segment; a text splitter would cut its text from "
            "its vector. Use load() or lazy_load(); for shorter segments set segmentation=. Split other documents only."
        )

    def _progress(self) -> AbstractContextManager[OnProgress | None]:
        if self._show_progress:
            return ProgressLine(len(self._media), self._on_progress)
        return nullcontext(self._on_progress)


class FilmLoader(SegmentLoader):
    """What the loaders of video and audio do; they differ in the kind of media."""

    input_type: Literal["audio", "video"]

    def __init__(
        self,
        media: MediaInput | Iterable[MediaInput],
        *,
        embeddings: TwelveLabsEmbeddings,
        segmentation: Segmentation | None = None,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = ("clip",),
        embedding_type: Sequence[str] | None = None,
        time_based_metadata: Sequence[TimeBasedMetadata] | None = None,
        include_transcript: bool = False,
        start_sec: float | None = None,
        end_sec: float | None = None,
        source: str | None = None,
        version: str | None = None,
        id_namespace: str | None = None,
        keep_asset: bool = True,
        timeout: float | None = None,
        max_tasks: int | None = None,
        on_error: OnError = "raise",
        show_progress: bool = False,
        on_progress: OnProgress | None = None,
    ) -> None:
        options = {
            "input_type": self.input_type,
            "segmentation": segmentation,
            "embedding_option": embedding_option,
            "embedding_scope": embedding_scope,
            "embedding_type": embedding_type,
            "time_based_metadata": time_based_metadata,
            "include_transcript": include_transcript,
            "start_sec": start_sec,
            "end_sec": end_sec,
            "keep_asset": keep_asset,
            "timeout": timeout,
            "max_tasks": max_tasks,
            "on_error": on_error,
        }
        super().__init__(
            media_list(media, source=source, version=version),
            embeddings,
            options,
            id_namespace=id_namespace,
            show_progress=show_progress,
            on_progress=on_progress,
        )
