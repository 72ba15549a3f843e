"""The loader for documents and images, which returns one LangChain `Document` per page, chunk or image."""

from collections.abc import Iterable, Sequence
from contextlib import suppress

from langchain_twelvelabs.document_loaders import SegmentLoader, UserMetadata
from langchain_twelvelabs.embeddings import TwelveLabsEmbeddings
from twelvelabs_core import InputError, InputType, Media, MediaInput, OnError, OnProgress, Segmentation
from twelvelabs_core.integration import input_type_of, is_one, media_list, untimed_types


class TwelveLabsDocumentLoader(SegmentLoader):
    """Loads documents and images as searchable pages and chunks: one `Document` each (marengo3.5).

    Accepts PDF, text (.txt), Markdown (.md) and images, of one kind or mixed, such as all files of a folder. Each file
    is embedded once by an asynchronous task, as videos are. Its documents have text, id and metadata as those of
    `TwelveLabsVideoLoader`: times are 0.0, `page_start` and `page_end` 1-based (0 for none), `quadrant` is "" for none,
    `chunk_index` 0-based (-1 for none). By default a PDF becomes one document per page, a text or image one document.

    A document's text is its head (file, page or chunk, option) and reference only. The API returns neither the words of
    a page or chunk nor the boundaries of chunks; to show a language model what a file says, read it with another
    loader and match by `source` and `page_start`.

    Setup:
        Install `twelvelabs-rag[langchain]`, set `TWELVELABS_API_KEY`, and use
        `TwelveLabsEmbeddings(model="marengo3.5")`.

    Args:
        media: One file or an iterable of them: path, URL, bytes, binary file object or `asset:<id>`; documents to
            200 MB (by URL 512 MB), images to 32 MB (API reference).
        embeddings: The `TwelveLabsEmbeddings` that the vector store uses too, with a model that embeds documents.
        input_type: The type of all files: `document` (PDF, text, Markdown) or `image`. Default: by each file's name or
            first bytes, else `document`.
        segmentation: `SpatialSegmentation` (pages of PDFs; `quadrants` five vectors each), `SequentialSegmentation`
            (chunks of text), or a list of both; each file uses the one that applies to it, if any.
        embedding_option: Among `visual`, `text`. Default: `visual` for PDFs and images, `text` for text. Pass it
            for an asset or a URL without a known file extension.
        embedding_scope: Among `local` (each page or chunk), `asset` (the whole). Default: `local` for the pages of PDFs
            and where a segmentation applies, else `asset`.
        source: As for `TwelveLabsVideoLoader`.
        version: As for `TwelveLabsVideoLoader`.
        metadata: As for `TwelveLabsVideoLoader`.
        id_namespace: As for `TwelveLabsVideoLoader`.
        keep_asset: As for `TwelveLabsVideoLoader`.
        check: As for `TwelveLabsVideoLoader`.
        timeout: As for `TwelveLabsVideoLoader`.
        max_tasks: As for `TwelveLabsVideoLoader`.
        on_error: As for `TwelveLabsVideoLoader`.
        show_progress: As for `TwelveLabsVideoLoader`.
        on_progress: As for `TwelveLabsVideoLoader`.

    Raises:
        InputError: As for `TwelveLabsVideoLoader`; with marengo3.0 always.

    Example:
        ```python
        embeddings = TwelveLabsEmbeddings(model="marengo3.5")
        loader = TwelveLabsDocumentLoader(
            Path("documents").iterdir(), embeddings=embeddings, segmentation=SequentialSegmentation(8)
        )
        add_segments(vector_store, loader.lazy_load())
        ```
    """

    def __init__(
        self,
        media: MediaInput | Iterable[MediaInput],
        *,
        embeddings: TwelveLabsEmbeddings,
        input_type: InputType | None = None,
        segmentation: Segmentation | Sequence[Segmentation] | None = None,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = None,
        source: str | None = None,
        version: str | None = None,
        metadata: UserMetadata | None = None,
        id_namespace: str | None = None,
        keep_asset: bool = True,
        check: bool = True,
        timeout: float | None = None,
        max_tasks: int | None = None,
        on_error: OnError = "raise",
        show_progress: bool = False,
        on_progress: OnProgress | None = None,
    ) -> None:
        given = media_list(media, source=source, version=version)
        kinds = untimed_types(input_type)
        if is_one(media):
            # Options that do not apply to a single file are refused; in a list they are for other files.
            with suppress(InputError):
                kinds = (input_type_of(Media.of(given[0]), kinds),)
        options = {
            "input_type": kinds,
            "segmentation": segmentation,
            "embedding_option": embedding_option,
            "embedding_scope": embedding_scope,
            "keep_asset": keep_asset,
            "check": check,
            "timeout": timeout,
            "max_tasks": max_tasks,
            "on_error": on_error,
        }
        super().__init__(
            given,
            embeddings,
            options,
            metadata=metadata,
            id_namespace=id_namespace,
            show_progress=show_progress,
            on_progress=on_progress,
        )
