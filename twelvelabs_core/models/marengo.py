"""What each Marengo model accepts and returns, as one table. Functions that refuse a value raise `InputError`.

"Reference" is the API reference of the embed endpoints, "model page" the page of the model. The model page of
Marengo 3.5 could not be read: where it alone has a limit (formats, resolutions, length of tasks), nothing is refused
here and the API decides. The same holds for the length of texts: it is in tokens, which only the API can count.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from twelvelabs_core.base import limits
from twelvelabs_core.base.checks import as_whole
from twelvelabs_core.base.errors import InputError
from twelvelabs_core.models.segmentation import DynamicSegmentation, FixedSegmentation, Temporal

MediaType = Literal["image", "video", "audio", "document"]
UNTIMED_TYPES = ("document", "image")
"""Input types without times: their segments are pages, chunks or the whole."""

DEFAULT_MODEL = "marengo3.0"
CLIP, LOCAL, ASSET = "clip", "local", "asset"
SEPARATE, FUSED = "separate_embedding", "fused_embedding"


@dataclass(frozen=True, slots=True)
class InputRules:
    """What the tasks of a model take for one input type.

    Attributes:
        options: Values of `embedding_option`, in the API's order. Default for audio and video: all.
        scopes: Values of `embedding_scope`; `local` is another word for `clip`.
        types: Values of `embedding_type`; the first is the default.
        segmentations: One of each kind of segmentation of audio and video; the first is the default.
    """

    options: tuple[str, ...]
    scopes: tuple[str, ...]
    types: tuple[str, ...] = (SEPARATE,)
    segmentations: tuple[Temporal, ...] = ()


@dataclass(frozen=True, slots=True)
class Model:
    """The rules of one model.

    Attributes:
        name: Its name, as `model_name` has it.
        dimensions: Values of `embedding_dimension`; the last is the default.
        sync_inputs: Values of `input_type` at the synchronous endpoint.
        source_types: Values of `media_type` in `multi_input`.
        tasks: Rules of the asynchronous endpoint by `input_type`.
        sync_max_sec: Longest audio or video at the synchronous endpoint.
        sync_max_bytes: Largest file there, however it is passed; None where only inline media have a limit.
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
        """Return the checked `embedding_dimension`."""
        if wanted is None:
            return self.dimensions[-1]
        given, wanted = wanted, as_whole(wanted)
        if wanted not in self.dimensions:
            allowed = ("one of " if len(self.dimensions) > 1 else "") + ", ".join(map(str, self.dimensions))
            hint = self.hint(lambda model: wanted in model.dimensions)
            raise InputError(f"embedding_dimension of {self.name} must be {allowed}; got {given!r}{hint}.")
        return wanted

    def rules(self, input_type: str) -> InputRules:
        """Return the rules of tasks for one input type."""
        rules = self.tasks.get(input_type) if isinstance(input_type, str) else None
        if rules is None:
            hint = self.hint(lambda model: input_type in model.tasks)
            raise InputError(f"input_type of {self.name} must be {_or(self.tasks)}, got {input_type!r}{hint}.")
        return rules

    def require(self, extra: str) -> None:
        """Refuse a request field that only another model takes."""
        if extra not in self.extras:
            hint = self.hint(lambda model: extra in model.extras)
            raise InputError(f"{self.name} does not take {extra}{hint}.")

    def hint(self, can: Callable[["Model"], bool]) -> str:
        """Return the end of a message: the models that can do what this one cannot, if any."""
        names = [model.name for model in MODELS.values() if model.name != self.name and can(model)]
        return f" (needs model={' or '.join(map(repr, names))})" if names else ""


_AV_TYPES = (SEPARATE, FUSED)
_SEGMENTATIONS_30 = (DynamicSegmentation(4), FixedSegmentation())  # reference, VideoSegmentation
_SEGMENTATIONS_35 = (DynamicSegmentation(2), FixedSegmentation())  # reference, temporal

MARENGO_30 = Model(
    name="marengo3.0",
    dimensions=(512,),  # reference: embedding_dimension is refused
    sync_inputs=("text", "image", "text_image", "audio", "video", "multi_input"),  # reference, input_type
    source_types=("image",),  # reference, media_type
    tasks={
        "audio": InputRules(("audio", "transcription"), (CLIP, ASSET), _AV_TYPES, (FixedSegmentation(6),)),
        "video": InputRules(("visual", "audio", "transcription"), (CLIP, ASSET), _AV_TYPES, _SEGMENTATIONS_30),
    },
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
    tasks={
        # reference: `audio` covers speech too, it has no transcription option
        "audio": InputRules(("audio",), (CLIP, LOCAL, ASSET), _AV_TYPES, _SEGMENTATIONS_35),
        "video": InputRules(("visual", "audio"), (CLIP, LOCAL, ASSET), _AV_TYPES, _SEGMENTATIONS_35),
        # Which pairs of option and scope a document takes, and its defaults, depend on the file: see `options`.
        "document": InputRules(("visual", "text"), (LOCAL, ASSET)),
        "image": InputRules(("visual",), (ASSET,)),
    },
    sync_max_sec=30.0,  # reference, MultiInputMediaSource
    sync_max_bytes=32 * limits.MIB,  # reference, MultiInputMediaSource: by url, base64_string and asset_id alike
    task_sec=None,
    knows_media=False,
    temporal=True,
    extras=frozenset({"auto_truncate", "embedding_uncertainty", "time_based_metadata"}),
)

MODELS: Mapping[str, Model] = {model.name: model for model in (MARENGO_30, MARENGO_35)}


def model_of(name: str) -> Model:
    """Return the rules of a model."""
    model = MODELS.get(name) if isinstance(name, str) else None
    if model is None:
        raise InputError(f"model must be one of {', '.join(MODELS)}; got {name!r}.")
    return model


def _or(names: Mapping[str, InputRules]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


@dataclass(frozen=True, slots=True)
class EmbeddingModel:
    """The model of a client, and the number of values in each vector."""

    rules: Model
    dimension: int

    @classmethod
    def of(cls, name: str, embedding_dimension: int | None = None) -> "EmbeddingModel":
        """Return a model by its name."""
        rules = model_of(name)
        return cls(rules, rules.dimension(embedding_dimension))

    @property
    def name(self) -> str:
        """The model's name."""
        return self.rules.name
