"""What each Marengo model takes and gives, as one table, and the refusals that follow from it. Pure.

"Reference" is the API reference of the embed endpoints, "model page" the page of the model. The model page of
Marengo 3.5 could not be read: where it alone has a limit (formats, resolutions, length of tasks), nothing is refused
here and the API decides.

Texts that are too long for a model beyond doubt, refused before one of a batch is sent.

The limits are in tokens, which only the vendor's tokenizer can count. Two bounds hold for every tokenizer in use:

- none joins words across white space, so a text has at least as many tokens as words;
- the longest entry of the published vocabularies stands for 128 characters (a run of one sign), so a text has at least
  one token for 128 characters that are not white space.

A text above either bound is refused. One below may still be too long (English has some 4 characters a token): then
marengo3.5 answers with a 400, or cuts with `auto_truncate`; what marengo3.0 does is not documented.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from twelvelabs_core.base import limits
from twelvelabs_core.base.errors import InputError

MediaType = Literal["image", "video", "audio", "document"]

DEFAULT_MODEL = "marengo3.0"
CLIP, LOCAL, ASSET = "clip", "local", "asset"
SEPARATE, FUSED = "separate_embedding", "fused_embedding"


@dataclass(frozen=True, slots=True)
class InputRules:
    """What the tasks of a model take for one input type.

    Attributes:
        options: Values of `embedding_option`, in the API's order.
        default_options: Those that are sent when the caller names none.
        scopes: Values of `embedding_scope`; `local` is another word for `clip`.
        default_scopes: Those that are sent when the caller names none.
        types: Values of `embedding_type`.
        segmentation: The kinds of segmentation, the default one first.
        default_seconds: The number that the default segmentation takes.
    """

    options: tuple[str, ...]
    default_options: tuple[str, ...]
    scopes: tuple[str, ...]
    default_scopes: tuple[str, ...]
    types: tuple[str, ...] = (SEPARATE, FUSED)
    segmentation: tuple[str, ...] = ()
    default_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Model:
    """The rules of one model.

    Attributes:
        name: Its name, as `model_name` has it.
        dimensions: Values of `embedding_dimension`; the last is the default.
        sync_inputs: Values of `input_type` at the synchronous endpoint.
        source_types: Values of `media_type` in `multi_input`.
        tasks: Rules of the asynchronous endpoint by `input_type`.
        text_max_tokens: Longest text.
        sync_max_sec: Longest audio or video at the synchronous endpoint.
        sync_max_bytes: Largest medium there, however it is passed; None where only inline media have a limit.
        task_sec: Shortest and longest audio or video of a task, or None where it is not known.
        knows_media: Whether formats and resolutions are known, and checked before sending.
        temporal: Whether segmentation of audio and video is sent inside an object `temporal`.
        extras: Further request fields that it takes.
    """

    name: str
    dimensions: tuple[int, ...]
    sync_inputs: tuple[str, ...]
    source_types: tuple[MediaType, ...]
    tasks: Mapping[str, InputRules]
    text_max_tokens: int
    sync_max_sec: float
    sync_max_bytes: int | None
    task_sec: tuple[float, float] | None
    knows_media: bool
    temporal: bool
    extras: frozenset[str]

    @property
    def by_multi_input(self) -> bool:
        """Whether everything synchronous goes through `multi_input`."""
        return self.sync_inputs == ("multi_input",)

    def dimension(self, wanted: int | None) -> int:
        """Return the checked `embedding_dimension`.

        Raises:
            InputError: The model has none of this length.
        """
        if wanted is None:
            return self.dimensions[-1]
        if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted not in self.dimensions:
            several = "one of " if len(self.dimensions) > 1 else ""
            allowed = several + ", ".join(map(str, self.dimensions))
            hint = self.hint(lambda model: isinstance(wanted, int) and wanted in model.dimensions)
            raise InputError(f"embedding_dimension of {self.name} must be {allowed}; got {wanted!r}{hint}.")
        return wanted

    def rules(self, input_type: str) -> InputRules:
        """Return the rules of tasks for one input type.

        Raises:
            InputError: The model has no such tasks.
        """
        rules = self.tasks.get(input_type) if isinstance(input_type, str) else None
        if rules is None:
            hint = self.hint(lambda model: input_type in model.tasks)
            raise InputError(f"input_type of {self.name} must be {_or(self.tasks)}, got {input_type!r}{hint}.")
        return rules

    def require(self, extra: str) -> None:
        """Refuse a request field that only another model takes.

        Raises:
            InputError: This is one; the message names the model.
        """
        if extra not in self.extras:
            hint = self.hint(lambda model: extra in model.extras)
            raise InputError(f"{self.name} does not take {extra}{hint}.")

    def hint(self, can: Callable[["Model"], bool]) -> str:
        """Return the end of a message: the models that can do what this one cannot, if any."""
        names = [model.name for model in MODELS.values() if model.name != self.name and can(model)]
        return f" (needs model={' or '.join(map(repr, names))})" if names else ""


_AV_SCOPES = (CLIP, ASSET)  # reference, embedding_scope of both models, also the default

MARENGO_30 = Model(
    name="marengo3.0",
    dimensions=(512,),  # reference: embedding_dimension is refused
    sync_inputs=("text", "image", "text_image", "audio", "video", "multi_input"),  # reference, input_type
    source_types=("image",),  # reference, media_type
    tasks=MappingProxyType(
        {
            "audio": InputRules(
                options=("audio", "transcription"),  # reference, audio.embedding_option; all by default
                default_options=("audio", "transcription"),
                scopes=_AV_SCOPES,
                default_scopes=_AV_SCOPES,
                segmentation=("fixed",),  # reference, AudioSegmentation: fixed, 6 s
                default_seconds=6,
            ),
            "video": InputRules(
                options=("visual", "audio", "transcription"),  # reference, video.embedding_option; all by default
                default_options=("visual", "audio", "transcription"),
                scopes=_AV_SCOPES,
                default_scopes=_AV_SCOPES,
                segmentation=("dynamic", "fixed"),  # reference, VideoSegmentation: dynamic, 4 s
                default_seconds=4,
            ),
        }
    ),
    text_max_tokens=500,  # reference, input_text
    sync_max_sec=limits.SYNC_MAX_SEC,
    sync_max_bytes=None,
    task_sec=(limits.TASK_MIN_SEC, limits.TASK_MAX_SEC),
    knows_media=True,
    temporal=False,
    extras=frozenset(),
)

MARENGO_35 = Model(
    name="marengo3.5",
    dimensions=(128, 256, 512),  # reference names 256 and 512; 128 by two independent users of the live service
    sync_inputs=("multi_input",),  # reference, input_type
    source_types=("image", "video", "audio", "document"),  # reference, media_type
    tasks=MappingProxyType(
        {
            "audio": InputRules(
                options=("audio",),  # reference: covers speech too; no transcription
                default_options=("audio",),
                scopes=(CLIP, LOCAL, ASSET),
                default_scopes=_AV_SCOPES,
                segmentation=("dynamic", "fixed"),  # reference, temporal: dynamic, 2 s
                default_seconds=2,
            ),
            "video": InputRules(
                options=("visual", "audio"),
                default_options=("visual", "audio"),
                scopes=(CLIP, LOCAL, ASSET),
                default_scopes=_AV_SCOPES,
                segmentation=("dynamic", "fixed"),
                default_seconds=2,
            ),
            # Which pairs of option and scope a document takes, and its defaults, depend on the file: _document_options.
            "document": InputRules(
                options=("visual", "text"),
                default_options=(),
                scopes=(LOCAL, ASSET),
                default_scopes=(),
                types=(SEPARATE,),
                segmentation=("spatial", "sequential"),
            ),
            "image": InputRules(
                options=("visual",),  # reference: one value each
                default_options=("visual",),
                scopes=(ASSET,),
                default_scopes=(ASSET,),
                types=(SEPARATE,),
            ),
        }
    ),
    text_max_tokens=2000,  # reference, input_text
    sync_max_sec=30.0,  # reference, MultiInputMediaSource
    sync_max_bytes=32 * limits.MIB,  # reference, MultiInputMediaSource: by url, base64_string and asset_id alike
    task_sec=None,
    knows_media=False,
    temporal=True,
    extras=frozenset({"auto_truncate", "embedding_uncertainty", "time_based_metadata"}),
)

MODELS: Mapping[str, Model] = MappingProxyType({model.name: model for model in (MARENGO_30, MARENGO_35)})


def model_of(name: str) -> Model:
    """Return the rules of a model.

    Raises:
        InputError: A model that this package does not know.
    """
    model = MODELS.get(name) if isinstance(name, str) else None
    if model is None:
        raise InputError(f"model must be one of {', '.join(MODELS)}; got {name!r}.")
    return model


def _or(names: Mapping[str, InputRules]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


@dataclass(frozen=True, slots=True)
class EmbeddingModel:
    """The model and dimension of a client.

    Attributes:
        rules: What the model accepts.
        dimension: Values in each vector.
    """

    rules: Model
    dimension: int

    @classmethod
    def of(cls, name: str, embedding_dimension: int | None = None) -> "EmbeddingModel":
        """Return a model by its name.

        Raises:
            InputError: An unknown model, or a dimension that it does not have.
        """
        rules = model_of(name)
        return cls(rules, rules.dimension(embedding_dimension))

    @property
    def name(self) -> str:
        """The model's name."""
        return self.rules.name
