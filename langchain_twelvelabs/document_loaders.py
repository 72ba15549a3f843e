"""The loaders of video, sound and documents: media in, one LangChain `Document` per segment out."""

from collections.abc import Iterable, Sequence
from contextlib import suppress

from langchain_twelvelabs._segment_loader import FilmLoader, SegmentLoader
from langchain_twelvelabs.embeddings import TwelveLabsEmbeddings
from twelvelabs_core import InputError, MediaInput, OnError, OnProgress, Segmentation
from twelvelabs_core.ingest.plan import InputType, kind_among, paper_kinds
from twelvelabs_core.media.source import is_one, media_list


class TwelveLabsVideoLoader(FilmLoader):
    """Loads videos as searchable moments: one `Document` per segment and option, with its times.

    Each video is embedded once by an asynchronous task of the API, which costs money and takes minutes; the vectors
    are kept in the segment store of `embeddings`, so that every later load of the same content with the same options
    is free. The documents go into any vector store that uses the same `embeddings`; do not split them.

    A document's text begins with title, time range and option, and ends with a line that names its vector. Its id is
    a UUID, the same on every run. Its metadata has the same keys on every document: `segment_id`, `source`, `title`,
    `start_sec`, `end_sec` and `duration_sec` (float seconds; the last is the film's), `segment_index`,
    `embedding_option`, `embedding_scope`, `model`.

    Setup:
        Install `twelvelabs-rag[langchain]` and set the environment variable `TWELVELABS_API_KEY`.

    Args:
        media: One video or an iterable of them: path, URL, bytes, binary file object or `asset:<id>`. 4 s to 4 h,
            360x360 to 5184x2160 pixels, files to 4 GB (API reference and model page).
        embeddings: The `TwelveLabsEmbeddings` that the vector store uses too.
        segmentation: `DynamicSegmentation` (by shots; default, at least 4 s) or `FixedSegmentation`.
        embedding_option: Among `visual`, `audio`, `transcription` (marengo3.0 only). Default all; each gives a document
            of its own.
        embedding_scope: Among `clip` (each segment), `asset` (the whole video). Default `clip` alone.
        embedding_type: Among `separate_embedding` (default), `fused_embedding`; with marengo3.5 the latter needs
            `time_based_metadata`.
        time_based_metadata: Text of your own for the fused vectors of marengo3.5, the same for each video: a list of
            {"start": 0.0, "end": 4.5, "text": "Kick-off"}, in seconds.
        include_transcript: Whether the words spoken in a segment stand in its document's text. They are fetched once
            and kept in the segment store. A local file is an asset of the API already; a URL becomes one, which costs
            no embedding task; where the asset is gone, a local file is uploaded again, and an `asset:<id>` stays
            without words. So does, with a warning, a video that the API has no words of, or none within 15 minutes.
            Ids and vectors do not depend on it.
        start_sec: First second to embed. Default 0.
        end_sec: Last second. Default: the end.
        source: The name to know a single video by: metadata `source`. Default: the path as given, the URL without
            signature, `asset:<id>`. For several videos pass `Media.of(video, source=...)` each.
        version: For a URL: a new value means that the film behind it changed.
        id_namespace: Makes other ids for the same segments, for stores whose ids are shared by several collections
            (PGVector).
        keep_asset: False deletes each uploaded file at the API once its vectors, and words, are in the segment store.
        timeout: Longest wait for one embedding task, in seconds. Default 7200.
        max_tasks: Most videos on their way at once, and so the most that is paid for ahead of the consumer. Default:
            `max_concurrency` of `embeddings`. With hundreds of videos, 50 and more save hours.
        on_error: What is done at the end when some of several failed: `raise` (default) an error that lists them, or
            `skip` them with a warning in the log. A function is called with each `twelvelabs_core.Failure` instead.
        show_progress: Whether to write progress to stderr.
        on_progress: Called with a `twelvelabs_core.Progress` at each step, also from other threads.

    `embedding_uncertainty` of marengo3.5 is left to `twelvelabs_core.Client`: metadata hold no vectors.

    Raises:
        InputError: `media` is nothing that media can come from, `source` names several, or an option cannot be used
            with the model.

    Instantiate:
        ```python
        from langchain_twelvelabs import TwelveLabsEmbeddings, TwelveLabsVideoLoader

        embeddings = TwelveLabsEmbeddings()
        loader = TwelveLabsVideoLoader("match.mp4", embeddings=embeddings)
        ```

    Load:
        ```python
        add_segments(vector_store, loader.lazy_load())
        ```

    Async load:
        ```python
        documents = await loader.aload()
        ```
    """

    input_type = "video"


class TwelveLabsAudioLoader(FilmLoader):
    """Loads sound files as searchable moments: one `Document` per segment and option, with its times.

    Everything is as for `TwelveLabsVideoLoader`, but for the media and these options.

    Args:
        media: One sound file or an iterable of them: path, URL, bytes, binary file object or `asset:<id>`; WAV, MP3
            or FLAC, 4 s to 4 h, files to 4 GB (API reference and model page).
        embeddings: The `TwelveLabsEmbeddings` that the vector store uses too.
        segmentation: `FixedSegmentation`. Default 6 s.
        embedding_option: Among `audio` (how it sounds), `transcription` (what is said). Default both.
        embedding_scope: As for `TwelveLabsVideoLoader`.
        embedding_type: As for `TwelveLabsVideoLoader`.
        time_based_metadata: As for `TwelveLabsVideoLoader`; audio of marengo3.5 has no fused vectors to put it into.
        include_transcript: As for `TwelveLabsVideoLoader`.
        start_sec: As for `TwelveLabsVideoLoader`.
        end_sec: As for `TwelveLabsVideoLoader`.
        source: As for `TwelveLabsVideoLoader`.
        version: As for `TwelveLabsVideoLoader`.
        id_namespace: As for `TwelveLabsVideoLoader`.
        keep_asset: As for `TwelveLabsVideoLoader`.
        timeout: As for `TwelveLabsVideoLoader`.
        max_tasks: As for `TwelveLabsVideoLoader`.
        on_error: As for `TwelveLabsVideoLoader`.
        show_progress: As for `TwelveLabsVideoLoader`.
        on_progress: As for `TwelveLabsVideoLoader`.

    Raises:
        InputError: As for `TwelveLabsVideoLoader`.

    Example:
        ```python
        loader = TwelveLabsAudioLoader(["talk.mp3", "https://example.com/show.mp3"], embeddings=embeddings)
        add_segments(vector_store, loader.lazy_load())
        ```
    """

    input_type = "audio"


class TwelveLabsDocumentLoader(SegmentLoader):
    """Loads documents and images as searchable pages and chunks: one `Document` each (marengo3.5).

    PDF, text (.txt), Markdown (.md) and images, of one kind or mixed, such as all files of a folder. Each file is
    embedded once by an asynchronous task, as videos are; its documents have text, id and metadata as those of
    `TwelveLabsVideoLoader` (times 0.0), and beside them always `page_start`, `page_end` (1-based, 0 for none),
    `quadrant` ("" for none) and `chunk_index` (0-based, -1 for none). By default a PDF gives a document a page, a text
    or image one as a whole.

    A document's text is its head (file, page or chunk, option) and reference alone. The API does not return the words
    of a page or chunk, nor say where it cuts sentences, so none stand there; to show a language model what a file
    says, read it with another loader and match by `source` and `page_start`.

    Setup:
        Install `twelvelabs-rag[langchain]`, set `TWELVELABS_API_KEY`, and use
        `TwelveLabsEmbeddings(model="marengo3.5")`.

    Args:
        media: One file or an iterable of them: path, URL, bytes, binary file object or `asset:<id>`; documents to
            200 MB (by URL 512 MB), images to 32 MB (API reference).
        embeddings: The `TwelveLabsEmbeddings` that the vector store uses too, of a model that has documents.
        input_type: What all files are: `document` (PDF, text, Markdown) or `image`. Default: each what its name, else
            its first bytes, say, and a document in doubt.
        segmentation: `SpatialSegmentation` (pages of PDFs; `quadrants` five vectors each), `SequentialSegmentation`
            (chunks of text), or a list of both; of many files each takes the one that suits it, if any.
        embedding_option: Among `visual`, `text`. Default: `visual` for PDFs and images, `text` for text. For an asset
            or a URL without a known ending, name it.
        embedding_scope: Among `local` (each page or chunk), `asset` (the whole). Default: `local` for the pages of PDFs
            and where a segmentation suits, else `asset`.
        source: As for `TwelveLabsVideoLoader`.
        version: As for `TwelveLabsVideoLoader`.
        id_namespace: As for `TwelveLabsVideoLoader`.
        keep_asset: As for `TwelveLabsVideoLoader`.
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
            Path("papers").iterdir(), embeddings=embeddings, segmentation=SequentialSegmentation(8)
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
        id_namespace: str | None = None,
        keep_asset: bool = True,
        timeout: float | None = None,
        max_tasks: int | None = None,
        on_error: OnError = "raise",
        show_progress: bool = False,
        on_progress: OnProgress | None = None,
    ) -> None:
        given = media_list(media, source=source, version=version)
        kinds = paper_kinds(input_type)
        if is_one(media):
            # Of one file it is known what it takes: what does not suit it is refused, as it is not in a folder.
            with suppress(InputError):
                kinds = (kind_among(given[0], kinds),)
        options = {
            "input_type": kinds,
            "segmentation": segmentation,
            "embedding_option": embedding_option,
            "embedding_scope": embedding_scope,
            "keep_asset": keep_asset,
            "timeout": timeout,
            "max_tasks": max_tasks,
            "on_error": on_error,
        }
        super().__init__(
            given,
            embeddings,
            options,
            id_namespace=id_namespace,
            show_progress=show_progress,
            on_progress=on_progress,
        )
