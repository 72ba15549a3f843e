"""The shapes of what the old embed API (v1) answers, as frozen models."""

from pydantic import Field, SkipValidation

from twelvelabs_core._answers import Answer, MediaMetadata, Task
from twelvelabs_core._errors import TwelveLabsError
from twelvelabs_core._segments import Segments


class LegacyPart(Answer):
    """What became of one input of the old `POST /embed`: its vectors, or why there are none.

    Attributes:
        input_type: `text`, `image` or `audio`.
        error_message: Why it was not embedded, or None. The API answers 200 all the same.
        metadata: The URL or file name that was embedded, or None.
        found: Its vectors, or None where there are none. Left out of `model_dump`; see `segments`.

    Example:
        ```python
        answer = client.legacy_v1.embed(text="a red car", image_file="car.jpg")
        print(answer.image_embedding.error_message or answer.image_embedding.segments.vectors.shape)
        ```
    """

    input_type: str
    error_message: str | None = None
    metadata: MediaMetadata | None = None
    found: SkipValidation[Segments | None] = Field(default=None, exclude=True)

    @property
    def segments(self) -> Segments:
        """The vectors: one for a text or an image, one a clip (with times) for audio.

        Raises:
            TwelveLabsError: There are none; the message has the server's reason.
        """
        if self.found is None:
            raise TwelveLabsError(f"the {self.input_type} was not embedded: {self.error_message}")
        return self.found


class LegacyEmbedding(Answer):
    """The answer of the old `POST /embed`, each input by itself: one can fail beside another.

    Attributes:
        model_name: The model that embedded.
        text_embedding: What became of the text, or None if none was given.
        image_embedding: What became of the image, or None if none was given.
        audio_embedding: What became of the audio, or None if none was given.

    Example:
        ```python
        answer = client.legacy_v1.embed(text="a red car")
        print(answer.text_embedding.segments[0].vector.shape)
        ```
    """

    model_name: str
    text_embedding: LegacyPart | None = None
    image_embedding: LegacyPart | None = None
    audio_embedding: LegacyPart | None = None


class LegacyTask(Task):
    """A video embedding task of the old API; its scope for the whole film is called `video`.

    Attributes:
        model_name: The model that embeds, or None. Vectors of different models are not comparable.

    Example:
        ```python
        task = client.legacy_v1.retrieve_task(task_id)
        if task.status == "ready":
            print(task.model_name, task.segments.select(embedding_scope="video").vectors.shape)
        ```
    """

    model_name: str | None = None
