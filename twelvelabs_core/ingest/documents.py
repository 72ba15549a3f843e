"""Documents and images by asynchronous tasks (marengo3.5): started alone, or paid for once and stored."""

from collections.abc import Sequence

from twelvelabs_core.api.endpoints import AS_ASSET, GET_TASK, PAID_ONCE, POST_TASKS, calls
from twelvelabs_core.base.progress import OnProgress
from twelvelabs_core.ingest.job import Work
from twelvelabs_core.ingest.paid import PaidWork
from twelvelabs_core.ingest.plan import document_options
from twelvelabs_core.media.source import Media, MediaInput
from twelvelabs_core.models.document_options import ImageOptions
from twelvelabs_core.models.segmentation import Segmentation
from twelvelabs_core.results.records import SegmentedMedia
from twelvelabs_core.results.responses import Task


class DocumentOperations(PaidWork):
    """Embeds the pages of PDFs, chunks of text, and images."""

    @calls(POST_TASKS, also=AS_ASSET, models=["marengo3.5"])
    async def create_document_task(
        self,
        document: MediaInput,
        *,
        segmentation: Segmentation | None = None,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = None,
        embedding_uncertainty: bool = False,
    ) -> Task:
        """Start a task that embeds a document (marengo3.5). Each call is paid for; see `segment_document`.

        A local file is uploaded as an asset first.

        Args:
            document: As for `segment_document`.
            segmentation: As for `segment_document`.
            embedding_option: As for `segment_document`.
            embedding_scope: As for `segment_document`.
            embedding_uncertainty: As for `segment_document`.

        Returns:
            The `Task`, processing.

        Raises:
            InputError: The file or an option cannot be used, or the model takes no documents; nothing was sent.
        """
        self._rules.rules("document")
        media = await self._io.blocking(lambda: Media.of(document))
        options = await self._io.blocking(
            lambda: document_options(
                media,
                self.model,
                segmentation=segmentation,
                embedding_option=embedding_option,
                embedding_scope=embedding_scope,
                embedding_uncertainty=embedding_uncertainty,
            )
        )
        return await self._create_task(media, options)

    @calls(POST_TASKS, also=AS_ASSET, models=["marengo3.5"])
    async def create_image_task(self, image: MediaInput, *, embedding_uncertainty: bool = False) -> Task:
        """Start a task that embeds an image (marengo3.5). Each call is paid for; see `segment_image`.

        A local file is uploaded as an asset first. For an answer at once: `embed_image`.

        Args:
            image: Path, URL, bytes, binary file object or `asset:<id>`; at most 32 MB (API reference).
            embedding_uncertainty: Return also how unsure the model is of each value.

        Returns:
            The `Task`, processing.

        Raises:
            InputError: The file cannot be used, or the model has no image tasks; nothing was sent.
        """
        options = ImageOptions.of(embedding_uncertainty=embedding_uncertainty, model=self.model)
        return await self._create_task(image, options)

    @calls(POST_TASKS, GET_TASK, also=PAID_ONCE, models=["marengo3.5"])
    async def segment_document(
        self,
        document: MediaInput,
        *,
        source: str | None = None,
        version: str | None = None,
        segmentation: Segmentation | None = None,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = None,
        embedding_uncertainty: bool = False,
        timeout: float | None = None,
        keep_asset: bool = True,
        on_progress: OnProgress | None = None,
    ) -> SegmentedMedia:
        """Return the pages of a PDF or the chunks of a text, embedded by a task once and never again (marengo3.5).

        Everything is as for `segment_video`, but for the file and the options. These pairs of option and scope exist
        (API reference): for a PDF `visual` x `local` (each page; default), `visual` x `asset` (the whole), `text` x
        `asset`; for text `text` x `asset` (default), `text` x `local` (each chunk). Of several options and scopes each
        pair must be among them.

        Args:
            document: Path, URL, bytes, binary file object or `asset:<id>`: PDF, text (.txt) or Markdown (.md), at most
                512 MB (API reference); an upload at most 200 MB. A PDF may have 64 pages for each MB, `quadrants`
                counting each page five times: the API counts, and the task fails.
            source: The name to know it by. Default: the path as given, the URL without signature, `asset:<id>`.
            version: For a URL: a new value means that the document behind it changed.
            segmentation: `SpatialSegmentation` of a PDF (default: whole pages), or `SequentialSegmentation` of text,
                which scope `local` needs.
            embedding_option: `visual`, `text`. Default: `visual` for a PDF, `text` for text. For an asset, or a URL
                without a known ending, name it.
            embedding_scope: `local` (each page or chunk), `asset` (the whole). Default: `local` for the pages of a
                PDF and where a segmentation is given, else `asset`.
            embedding_uncertainty: Return also how unsure the model is of each value; for chunks of text alone.
            timeout: Longest wait for the task in seconds. Default: the settings' `task_timeout`.
            keep_asset: False deletes the uploaded file at the API once its segments are stored, or its task failed.
            on_progress: Called with a `Progress` at each step.

        Returns:
            A `SegmentedMedia`; its segments have a page or chunk, and no times.

        Raises:
            InputError: The file or an option cannot be used, or the model takes no documents; nothing was sent.
            TaskFailedError: The task failed; the message has the server's reason.
            TaskTimeoutError: It was not ready in time; the next run goes on waiting for the same task.
        """
        self._rules.rules("document")
        media = await self._io.blocking(lambda: Media.of(document, source=source, version=version))
        options = await self._io.blocking(
            lambda: document_options(
                media,
                self.model,
                segmentation=segmentation,
                embedding_option=embedding_option,
                embedding_scope=embedding_scope,
                embedding_uncertainty=embedding_uncertainty,
            )
        )
        return await self._segment(Work(media, options, timeout, on_progress, keep_asset))

    @calls(POST_TASKS, GET_TASK, also=PAID_ONCE, models=["marengo3.5"])
    async def segment_image(
        self,
        image: MediaInput,
        *,
        source: str | None = None,
        version: str | None = None,
        embedding_uncertainty: bool = False,
        timeout: float | None = None,
        keep_asset: bool = True,
        on_progress: OnProgress | None = None,
    ) -> SegmentedMedia:
        """Return the one vector of an image, embedded by a task once and never again (marengo3.5).

        Everything is as for `segment_video`, but for the file and the options.

        Args:
            image: Path, URL, bytes, binary file object or `asset:<id>`; at most 32 MB (API reference).
            source: The name to know it by. Default: the path as given, the URL without signature, `asset:<id>`.
            version: For a URL: a new value means that the image behind it changed.
            embedding_uncertainty: Return also how unsure the model is of each value.
            timeout: Longest wait for the task in seconds. Default: the settings' `task_timeout`.
            keep_asset: False deletes the uploaded file at the API once its segments are stored, or its task failed.
            on_progress: Called with a `Progress` at each step.

        Returns:
            A `SegmentedMedia` of one segment: `visual`, scope `asset`.

        Raises:
            InputError: The file cannot be used, or the model has no image tasks; nothing was sent.
            TaskFailedError: The task failed; the message has the server's reason.
            TaskTimeoutError: It was not ready in time; the next run goes on waiting for the same task.
        """
        options = ImageOptions.of(embedding_uncertainty=embedding_uncertainty, model=self.model)
        media = await self._io.blocking(lambda: Media.of(image, source=source, version=version))
        return await self._segment(Work(media, options, timeout, on_progress, keep_asset))
