"""The values that a `SegmentStore` hands out, as frozen dataclasses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, NamedTuple

from twelvelabs_core.results.segments import Matrix, SegmentPosition, Segments

TaskState = Literal["intent", "processing", "ready", "failed", "expired"]


@dataclass(frozen=True, slots=True)
class TaskEntry:
    """What the journal knows of one piece of paid work.

    Attributes:
        key: Identity of the work: a digest of space, content and every parameter that changes the vectors.
        space: Who makes the vectors, such as `marengo3.0/512`.
        content: Identity of the media: a digest of its bytes, `asset:<id>`, or its unsigned URL.
        model: The model's name.
        params: The parameters of the request that change the vectors.
        source: The name under which the media was first given.
        account: Fingerprint of the account that pays; only this account sees the task at the server.
        state: `intent` (about to be created), `processing`, `ready`, `failed` or `expired`.
        task_id: The server's id, as soon as it is known.
        error: Why it failed or expired; of a task that was found in the list instead of created, a note of that.
        duration_sec: Length of the media in seconds, once ready.
        attempts: How many intents were written for this key; above 1, earlier ones failed or were given up.
        owner: `host/pid/token` of the process that wrote the intent.
        revision: Grows by one with every write to this entry.
        created_at: When the latest intent was written, in seconds since the epoch (UTC).
        updated_at: When the entry was last written or given segment ids, in seconds since the epoch (UTC).

    Example:
        ```python
        entry = store.find_task(key)
        if entry is not None and entry.state == "processing":
            print("wait for", entry.task_id)
        ```
    """

    key: str
    space: str
    content: str
    model: str
    params: Mapping[str, Any]
    source: str
    account: str
    state: TaskState
    task_id: str | None
    error: str | None
    duration_sec: float | None
    attempts: int
    owner: str
    revision: int
    created_at: float
    updated_at: float


@dataclass(frozen=True, slots=True, eq=False)
class StoredVector:
    """One vector as it was paid for.

    Attributes:
        space: Who made it, such as `marengo3.0/512`; vectors of two spaces are not comparable.
        vector: Read-only float32 array of shape (dimension,).
        position: The time range, page or chunk that it stands for.
        source: The name of the media with which the id was added.

    Example:
        ```python
        found = store.find_vectors([segment_id])
        print(found[segment_id].space, found[segment_id].vector.shape)
        ```
    """

    space: str
    vector: Matrix
    position: SegmentPosition
    source: str


class StoredResult(NamedTuple):
    """All vectors of one task.

    Attributes:
        space: Who made them, such as `marengo3.0/512`.
        content: Identity of the embedded bytes.
        segments: The vectors with their times.
    """

    space: str
    content: str
    segments: Segments


class KnownUrl(NamedTuple):
    """What the store knows of an unsigned URL.

    Attributes:
        content: Identity of the media behind it.
        validator: Its ETag or Last-Modified, or None where its host sent neither.
    """

    content: str
    validator: str | None


class Findings(NamedTuple):
    """What the store knows of one piece of work.

    Attributes:
        url: What it knows of the URL of the media.
        entry: The journal entry; of a task that has these vectors and perhaps others.
        result: Once ready, the vectors and the length of the media in seconds.
    """

    url: KnownUrl | None
    entry: TaskEntry | None
    result: tuple[Segments, float] | None


@dataclass(frozen=True, slots=True)
class UploadEntry:
    """What is needed to resume an upload in chunks; the server itself knows which chunks it has.

    Attributes:
        content: Identity of the bytes.
        account: Fingerprint of the account that uploads them.
        upload_id: The server's id of the session.
        asset_id: The asset that it will become.
        chunk_size: Bytes of each chunk but the last.
        upload_headers: Headers that each chunk must be sent with.
        options: What the session was created with: filename, type...
        updated_at: When this was written, in seconds since the epoch (UTC).

    Example:
        ```python
        entry = store.find_upload(content, account)
        if entry is not None:
            print(client.uploads.retrieve(entry.upload_id).chunks_pending)
        ```
    """

    content: str
    account: str
    upload_id: str
    asset_id: str
    chunk_size: int
    upload_headers: Mapping[str, str] = field(repr=False)
    options: Mapping[str, Any]
    updated_at: float


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """What a store holds.

    Attributes:
        location: Its file or URL, password hidden.
        version: Version of its tables.
        size_bytes: Space that it takes.
        tasks: Number of journal entries in each state that occurs.
        vectors: Number of vectors.
        segments: Number of segment ids that name a vector.
        sources: Number of sources by name.

    Example:
        ```python
        info = SegmentStore().info()
        print(info.location, info.vectors, info.size_bytes)
        ```
    """

    location: str
    version: int
    size_bytes: int
    tasks: Mapping[str, int]
    vectors: int
    segments: int
    sources: int


@dataclass(frozen=True, slots=True)
class Payment:
    """What was paid for one source on one day.

    Attributes:
        day: The day (UTC).
        source: The name of the media, as it was first given.
        model: The model's name.
        space: The vector space; those of the sandbox begin with `sandbox/`.
        minutes: Minutes of media that were embedded; documents and images have none.
        tasks: Number of tasks.
        unknown: Number of those whose minutes are not known, since they have no result yet; not in `minutes`.

    Example:
        ```python
        for payment in store.usage():
            print(payment.day, payment.source, payment.model, round(payment.minutes, 1))
        ```
    """

    day: date
    source: str
    model: str
    space: str
    minutes: float
    tasks: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Removed:
    """What a deletion took out of a store.

    Attributes:
        tasks: Number of journal entries.
        vectors: Number of vectors.
        segments: Number of segment ids.
        minutes: Minutes of media whose vectors were deleted: the next run that needs them pays for them again.

    Example:
        ```python
        print(store.forget("match.mp4", dry_run=True).minutes, "minutes would be paid for again")
        ```
    """

    tasks: int
    vectors: int
    segments: int
    minutes: float = 0.0


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied to another store.

    Attributes:
        tasks: Number of tasks that the other store did not have.
        vectors: Number of their vectors.
        segments: Number of segment ids that it did not have.

    Example:
        ```python
        print(store.copy_to(SegmentStore("part.sqlite3"), sources=["match.mp4"]).tasks)
        ```
    """

    tasks: int
    vectors: int
    segments: int
