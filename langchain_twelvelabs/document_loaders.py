"""`TwelveLabsVideoLoader` and `TwelveLabsAudioLoader`: media in, one LangChain `Document` per segment out."""

from langchain_twelvelabs._segment_loader import SegmentLoader


class TwelveLabsVideoLoader(SegmentLoader):
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
        embedding_option: Among `visual`, `audio`, `transcription`. Default all; each gives a document of its own.
        embedding_scope: Among `clip` (each segment), `asset` (the whole video). Default `clip` alone.
        embedding_type: Among `separate_embedding` (default), `fused_embedding`.
        start_sec: First second to embed. Default 0.
        end_sec: Last second. Default: the end.
        source: The name to know a single video by: metadata `source`. Default: the path as given, the URL without
            signature, `asset:<id>`. For several videos pass `Media.of(video, source=...)` each.
        version: For a URL: a new value means that the film behind it changed.
        id_namespace: Makes other ids for the same segments, for stores whose ids are shared by several collections
            (PGVector).
        timeout: Longest wait for one embedding task, in seconds. Default 7200.
        show_progress: Whether to write progress to stderr.
        on_progress: Called with a `twelvelabs_core.Progress` at each step, also from other threads.

    Raises:
        InputError: `media` is nothing that media can come from, or `source` names several.

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


class TwelveLabsAudioLoader(SegmentLoader):
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
        start_sec: As for `TwelveLabsVideoLoader`.
        end_sec: As for `TwelveLabsVideoLoader`.
        source: As for `TwelveLabsVideoLoader`.
        version: As for `TwelveLabsVideoLoader`.
        id_namespace: As for `TwelveLabsVideoLoader`.
        timeout: As for `TwelveLabsVideoLoader`.
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
