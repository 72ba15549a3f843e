"""How a TwelveLabs embedding is made, connected, shown, copied and sent to other processes; it embeds nothing."""

import logging
import os
import pickle
from collections.abc import Mapping
from typing import Any, Self

from llama_index.core.callbacks import CallbackManager
from llama_index.core.embeddings import MultiModalEmbedding
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from twelvelabs_core import AsyncClient, Client, ConfigurationError, SegmentStore
from twelvelabs_core.base.settings import FIELDS, settings_of
from twelvelabs_core.models.marengo import model_of
from twelvelabs_core.models.options import check_flag

logger = logging.getLogger("llama_index_twelvelabs")

DEFAULT_MODEL = "marengo3.0"
EMBED_BATCH_SIZE = 100
# What belongs to one process; a copy in another is welcome, but not needed.
_OF_THIS_PROCESS = ("callback_manager", "rate_limiter", "embeddings_cache")


class ConnectedEmbedding(MultiModalEmbedding):
    """Fields, constructor and clients; `TwelveLabsEmbedding` says what they mean."""

    model_config = ConfigDict(hide_input_in_errors=True)

    model_name: str = Field(default=DEFAULT_MODEL, frozen=True)
    embedding_dimension: int | None = Field(default=None, frozen=True, strict=True)
    auto_truncate: bool = Field(default=False, frozen=True, strict=True)
    embed_batch_size: int = Field(default=EMBED_BATCH_SIZE, gt=0, le=2048)
    # Neither changes a vector, so neither belongs into the identity of a pipeline's transformation.
    num_workers: int | None = Field(default=None, exclude=True)
    embeddings_cache: Any = Field(default=None, exclude=True)
    api_key: SecretStr | None = Field(default=None, exclude=True, repr=False, frozen=True)
    base_url: str | None = Field(default=None, frozen=True)
    max_concurrency: int | None = Field(default=None, exclude=True, frozen=True)
    max_retries: int | None = Field(default=None, exclude=True, frozen=True)
    timeout: float | None = Field(default=None, exclude=True, frozen=True)
    requests_per_minute: float | None = Field(default=None, exclude=True, frozen=True)
    max_concurrent_requests: int | None = Field(default=None, exclude=True, frozen=True)
    segment_store: SegmentStore | None = Field(default=None, exclude=True, frozen=True)

    _client: Client | None = PrivateAttr(default=None)
    _async_client: AsyncClient | None = PrivateAttr(default=None)

    # Written out: the base class takes any argument in silence, and an error raised inside a pydantic validator would
    # reach the caller as a ValidationError.
    def __init__(
        self,
        *,
        model: str | None = None,
        embedding_dimension: int | None = None,
        auto_truncate: bool = False,
        api_key: SecretStr | str | None = None,
        base_url: str | None = None,
        max_concurrency: int | None = None,
        max_retries: int | None = None,
        timeout: float | None = None,
        requests_per_minute: float | None = None,
        max_concurrent_requests: int | None = None,
        segment_store: SegmentStore | str | os.PathLike[str] | None = None,
        embed_batch_size: int = EMBED_BATCH_SIZE,
        callback_manager: CallbackManager | None = None,
        embeddings_cache: Any = None,
        rate_limiter: Any = None,
        num_workers: int | None = None,
        model_name: str | None = None,
    ) -> None:
        if segment_store is not None and not isinstance(segment_store, SegmentStore):
            segment_store = SegmentStore(segment_store)
        given = {
            "model_name": one_of("model", model, "model_name", model_name),
            "embedding_dimension": embedding_dimension,
            "auto_truncate": auto_truncate,
            "api_key": api_key,
            "base_url": base_url,
            "max_concurrency": one_of("max_concurrency", max_concurrency, "num_workers", num_workers),
            "max_retries": max_retries,
            "timeout": timeout,
            "requests_per_minute": requests_per_minute,
            "max_concurrent_requests": max_concurrent_requests,
            "segment_store": segment_store,
            "embed_batch_size": embed_batch_size,
            "callback_manager": callback_manager,
            "embeddings_cache": embeddings_cache,
            "rate_limiter": rate_limiter,
            "num_workers": num_workers,
        }
        super().__init__(**{name: value for name, value in given.items() if value is not None})
        check_flag("auto_truncate", self.auto_truncate, model_of(self.client.model))
        settings = self.client.settings
        # The values in force, for people to see; what is in `model_fields_set` stays what the caller passed.
        for name in FIELDS:
            self.__dict__[name] = getattr(settings, name)
        self.__dict__["embedding_dimension"] = self.client.embedding_dimension

    def __setattr__(self, name: str, value: Any) -> None:
        # Not left to pydantic, whose message shows the value: it may be a key.
        field = type(self).model_fields.get(name)
        if field is not None and field.frozen:
            raise ConfigurationError(
                f"{name} cannot be changed on a {type(self).__name__} that is in use; make another, or use "
                f"model_copy(update={{{name!r}: ...}})."
            )
        super().__setattr__(name, value)

    @classmethod
    def class_name(cls) -> str:
        """Return the name under which LlamaIndex writes it down."""
        return "TwelveLabsEmbedding"

    @property
    def model(self) -> str:
        """The name of the model; the same as `model_name`."""
        return self.model_name

    @property
    def space(self) -> str:
        """The vector space, such as `marengo3.0/512`; never mix two in one vector store."""
        return self.client.space

    @property
    def client(self) -> Client:
        """The client beneath; made at first use, connected at its first request."""
        if self._client is None:
            self._client = Client(
                settings=settings_of(self, has_key="api_key" in self.model_fields_set),
                model=self.model_name,
                embedding_dimension=self.embedding_dimension,
                store=self._store(),
                rate_limiter=_Turns(self),
            )
        return self._client

    @property
    def async_client(self) -> AsyncClient:
        """The asyncio client beneath, on the same segment store; serves any number of event loops."""
        if self._async_client is None:
            self._async_client = AsyncClient(
                settings=self.client.settings,
                model=self.model_name,
                embedding_dimension=self.embedding_dimension,
                store=self.client.store,
                rate_limiter=_Turns(self),
            )
        return self._async_client

    def to_payload(self) -> dict[str, Any]:
        """Return what observers may know of this model."""
        return {
            "class_name": self.class_name(),
            "model_name": self.model_name,
            "embed_batch_size": self.embed_batch_size,
        }

    @model_serializer(mode="wrap")
    def custom_model_dump(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:  # noqa: ARG002  # the base class's signature
        """Return the fields that change a vector, and the space: a pipeline's cache must not mix two of them."""
        return {**handler(self), "class_name": self.class_name(), "space": self.space}

    @classmethod
    def from_dict(cls, data: dict[str, Any], **kwargs: Any) -> Self:
        """Return an embedding from what `to_dict` returned; the key comes from the environment, or as `api_key=`."""
        fields = {name: value for name, value in {**data, **kwargs}.items() if name not in ("class_name", "space")}
        return cls(**fields)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with some fields changed, and clients of its own."""
        return super().model_copy(update=update, deep=deep)._disconnected()  # noqa: SLF001  # of its own class

    def __copy__(self) -> Self:
        return super().__copy__()._disconnected()  # noqa: SLF001  # of its own class

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        # Nothing in it changes, and a segment store in memory cannot be copied.
        return self.__copy__()

    def __getstate__(self) -> dict[Any, Any]:
        # The base class would drop what does not travel from the living object too, and take a worker's segment store
        # and key from wherever the worker finds one.
        state = BaseModel.__getstate__(self)
        fields = dict(state["__dict__"])
        if "api_key" not in self.model_fields_set:
            fields["api_key"] = None  # a worker reads it from its own environment
        for name in _OF_THIS_PROCESS:
            if not _travels(fields[name]):
                logger.warning("%s stays in this process: it cannot be pickled", name)
                fields[name] = CallbackManager([]) if name == "callback_manager" else None
        return {**state, "__dict__": fields, "__pydantic_private__": {"_client": None, "_async_client": None}}

    def __setstate__(self, state: dict[Any, Any]) -> None:
        # Not through the constructor: without a key in the worker's environment it would raise, and a pool would hang.
        BaseModel.__setstate__(self, state)

    def _disconnected(self) -> Self:
        self._client = self._async_client = None
        return self

    def _store(self) -> SegmentStore:
        return SegmentStore() if self.segment_store is None else self.segment_store


class _Turns:
    """Asks the rate limiter that the embedding has at that moment; LlamaIndex lets users set it later."""

    def __init__(self, embedding: ConnectedEmbedding) -> None:
        self._embedding = embedding

    def acquire(self) -> None:
        if self._embedding.rate_limiter is not None:
            self._embedding.rate_limiter.acquire()

    async def async_acquire(self) -> None:
        if self._embedding.rate_limiter is not None:
            await self._embedding.rate_limiter.async_acquire()


def one_of(name: str, value: Any, other_name: str, other: Any) -> Any:
    """Return the value that is given under one of two names.

    Raises:
        ConfigurationError: Both are given, and differ.
    """
    if value is not None and other is not None and value != other:
        raise ConfigurationError(f"{name} and {other_name} mean the same here; got {value!r} and {other!r}: pass one.")
    return other if value is None else value


def _travels(value: Any) -> bool:
    try:
        pickle.dumps(value)
    except Exception:  # noqa: BLE001  # whatever an object of another package raises when it cannot be pickled
        return False
    return True
