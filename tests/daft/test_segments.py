"""`embed_video` and `embed_audio` on Daft's native runner: rows, errors, what is paid for, and what is refused."""

import io
from pathlib import Path
from typing import Any

import daft
import numpy as np
import pytest
from daft import DataFrame, col
from daft.functions import embed_text
from daft.pickle import dumps

from daft_twelvelabs import TwelveLabsProvider, embed_audio, embed_video
from tests.core.video_server import VideoServer
from tests.daft.conftest import MakeProvider
from tests.peak_log import PeakLog
from twelvelabs_core import Client, ConfigurationError, FixedSegmentation, InputError, Settings
from twelvelabs_core.integration import METADATA_KEYS
from twelvelabs_sandbox import Fault, Sandbox
from twelvelabs_sandbox.films import Scene, write_sound

CREATE = ("POST", "/embed-v2/tasks")
VISUAL = {"embedding_option": ["visual"], "segmentation": FixedSegmentation(4)}


def embedded(column: dict[str, Any], provider: TwelveLabsProvider, **options: Any) -> DataFrame:
    """Return a frame with the videos of its column `path`."""
    video = embed_video(col("path"), provider=provider, **{**VISUAL, **options})
    return daft.from_pydict(column).with_column("video", video)


def by_path(frame: DataFrame) -> dict[str | None, dict[str, Any]]:
    """Return the struct of each path; rows come in any order."""
    return {row["path"]: row["video"] for row in frame.to_pylist()}


def test_rows_have_what_the_client_returns(
    make_provider: MakeProvider, videos: dict[str, Path], sandbox: Sandbox, tmp_path: Path
) -> None:
    frame = embedded({"path": [str(path) for path in videos.values()]}, make_provider(), embedding_option=None)
    rows = by_path(frame)
    assert len(rows) == 3
    assert sandbox.count(*CREATE) == 3
    client = Client(sandbox.api_key, base_url=sandbox.base_url, store=tmp_path / "segments.sqlite3")
    for path, row in rows.items():
        media = client.segment_video(str(path), segmentation=FixedSegmentation(4), embedding_scope=["clip"])
        assert media.reused
        assert row["error"] is None
        for segment, record in zip(row["segments"], media.records(), strict=True):
            assert segment["embedding"] == record.vector.tolist()
            assert segment["text"] == record.text(with_reference=True)
            assert {key: segment[key] for key in METADATA_KEYS} == record.metadata
    ids = [segment["segment_id"] for row in rows.values() for segment in row["segments"]]
    assert len(client.find_vectors(ids)) == len(ids) > 3  # registered, for moments


def test_the_type_is_known_without_a_request(make_provider: MakeProvider, sandbox: Sandbox) -> None:
    frame = embedded({"path": ["missing.mp4"]}, make_provider(model="marengo3.5", embedding_dimension=128))
    dtype = frame.schema()["video"].dtype
    assert [name for name, _ in dtype.fields.items()] == ["segments", "error"]
    segment = dtype.fields["segments"].dtype
    assert list(segment.fields) == [*METADATA_KEYS, "text", "embedding"]
    assert segment.fields["embedding"] == daft.DataType.fixed_size_list(daft.DataType.float32(), 128)
    assert sandbox.count() == 0


def test_a_bad_row_has_an_error_and_the_others_their_segments(
    make_provider: MakeProvider, videos: dict[str, Path], sandbox: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "text.mp4").write_text("this is no video")
    paths = [str(videos["red"]), str(tmp_path / "missing.mp4"), str(tmp_path / "text.mp4"), None, str(videos["blue"])]
    rows = by_path(embedded({"path": paths}, make_provider()))
    assert [path for path, row in rows.items() if row["error"] is None] == [
        path for path in rows if path in {str(videos["red"]), str(videos["blue"])}
    ]
    assert rows[paths[1]] == {
        "segments": None,
        "error": {"type": "InputError", "message": f"{paths[1]}: no such file."},
    }
    assert rows[None]["error"]["message"] == "the row has no media, its value is null."
    assert rows[paths[2]]["error"]["type"] == "InputError"
    assert sandbox.count(*CREATE) == 2


def test_equal_rows_and_later_runs_are_paid_for_once(
    make_provider: MakeProvider, videos: dict[str, Path], sandbox: Sandbox
) -> None:
    paths = [str(videos[color]) for color in ("red", "blue", "red", "red")]
    frame = embedded({"path": paths}, make_provider())
    assert len(frame.to_pylist()) == len(frame.to_pylist()) == 4
    assert sandbox.count(*CREATE) == 2


def test_bytes_and_urls_have_the_source_and_version_of_their_row(
    make_provider: MakeProvider, videos: dict[str, Path], server: VideoServer, sandbox: Sandbox
) -> None:
    provider = make_provider()
    urls = [server.url("a.mp4?X-Amz-Signature=1"), server.url("a.mp4?X-Amz-Signature=2")]
    frame = daft.from_pydict({"url": urls, "name": ["cam/1", "cam/2"], "version": ["1", "2"]})
    column = embed_video(col("url"), provider=provider, source=col("name"), version=col("version"), **VISUAL)
    rows = frame.select(column.alias("video")).to_pydict()["video"]
    assert {row["segments"][0]["source"] for row in rows} == {"cam/1", "cam/2"}
    assert sandbox.count(*CREATE) == 2
    frame = daft.from_pydict({"data": [videos["blue"].read_bytes()], "name": ["blue"]})
    frame = frame.with_column("video", embed_video(col("data"), provider=provider, source=col("name"), **VISUAL))
    [row] = frame.to_pydict()["video"]
    assert (row["error"], row["segments"][0]["source"], row["segments"][0]["title"]) == (None, "blue", "blue")


def test_audio(make_provider: MakeProvider, tmp_path: Path) -> None:
    path = write_sound(tmp_path / "sound.wav", [Scene(sound="noise", seconds=4.0)], rate=16000)
    column = embed_audio(col("path"), provider=make_provider(), embedding_option=["audio"])
    [row] = daft.from_pydict({"path": [str(path)]}).select(column.alias("audio")).to_pydict()["audio"]
    assert row["error"] is None
    assert {segment["embedding_option"] for segment in row["segments"]} == {"audio"}


def test_max_tasks_bounds_what_is_unfinished(watched: Sandbox, server: VideoServer, tmp_path: Path) -> None:
    watched.faults.add(Fault(path="/embed-v2/tasks", method="POST", delay=0.1, times=None))
    provider = TwelveLabsProvider(watched.api_key, base_url=watched.base_url, store=tmp_path / "segments.sqlite3")
    urls = {name: [server.url(f"{name}{number}.mp4") for number in range(4)] for name in "ab"}
    columns = {f"{name}.video": embed_video(col(name), provider=provider, max_tasks=2, **VISUAL) for name in urls}
    rows = daft.from_pydict(urls).with_columns(columns).to_pydict()
    assert [row["error"] for name in columns for row in rows[name]] == [None] * 8
    log = watched._requests
    assert isinstance(log, PeakLog)
    assert log.peak <= 2  # one request of each video at a time


def test_errors_are_raised_on_request(make_provider: MakeProvider, tmp_path: Path) -> None:
    frame = embedded({"path": [str(tmp_path / "missing.mp4")]}, make_provider(), on_error="raise")
    with pytest.raises(Exception, match="no such file"):
        frame.collect()


def test_a_refused_key_ends_the_query(make_provider: MakeProvider, videos: dict[str, Path], sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(status=401, times=None))
    with pytest.raises(Exception, match="401"):
        embedded({"path": [str(path) for path in videos.values()]}, make_provider()).collect()


def test_a_refused_video_is_the_failure_of_its_row(
    make_provider: MakeProvider, videos: dict[str, Path], sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault(path="/embed-v2/tasks", method="POST", status=403))
    rows = by_path(embedded({"path": [str(path) for path in videos.values()]}, make_provider()))
    errors = [row["error"]["type"] for row in rows.values() if row["error"] is not None]
    assert errors == ["AuthenticationError"]


def test_a_row_waits_as_long_as_the_settings_allow(videos: dict[str, Path], sandbox: Sandbox, tmp_path: Path) -> None:
    for longest, error in ((1.0, "RateLimitError"), (60.0, None)):
        settings = Settings.resolve(api_key=sandbox.api_key, base_url=sandbox.base_url, max_retry_wait=longest)
        provider = TwelveLabsProvider(settings=settings, store=tmp_path / "segments.sqlite3")
        sandbox.faults.add(Fault(path="/embed-v2/tasks", method="POST", rate_limit="retry-after", wait=3, times=1))
        [row] = embedded({"path": [str(videos["red"])]}, provider).to_pydict()["video"]
        assert (row["error"] and row["error"]["type"]) == error


def test_a_store_in_memory_is_refused_since_workers_cannot_open_it(make_provider: MakeProvider) -> None:
    provider = make_provider(store=":memory:")
    for embed in (embed_video, embed_text):
        with pytest.raises(ConfigurationError, match="in memory cannot be sent to another process"):
            embed(col("path"), provider=provider)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"embedding_option": ["smell"]}, "smell"),
        ({"max_tasks": 0}, "max_tasks"),
        ({"on_error": "ignore"}, "on_error must be 'return' or 'raise', got 'ignore'"),
        ({"show_progress": True}, "unknown options show_progress"),
        ({"source": "match"}, "source must be a column"),
        ({"id_namespace": 3}, "id_namespace must be a str"),
        ({"max_cost": 5.0}, "price_per_minute"),
    ],
)
def test_wrong_options_are_refused_before_the_query(
    make_provider: MakeProvider, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        embed_video(col("path"), provider=make_provider(), **options)


def test_a_path_in_place_of_a_column_is_refused(make_provider: MakeProvider) -> None:
    with pytest.raises(InputError, match="video must be a column"):
        embed_video("match.mp4", provider=make_provider())  # type: ignore[arg-type]


def test_a_budget_limits_what_the_frame_pays_for(
    make_provider: MakeProvider, videos: dict[str, Path], sandbox: Sandbox
) -> None:
    frame = embedded({"path": [str(path) for path in videos.values()]}, make_provider(), max_minutes=0.1)
    errors = [row["error"] and row["error"]["type"] for row in by_path(frame).values()]
    assert sorted(errors, key=str) == ["BudgetError", "BudgetError", None]
    assert sandbox.count(*CREATE) == 1


def test_the_key_of_the_environment_does_not_travel(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWELVELABS_API_KEY", sandbox.api_key)
    options: dict[str, Any] = {"base_url": sandbox.base_url, "store": tmp_path / "segments.sqlite3"}
    for given, travels in ((None, False), (sandbox.api_key, True)):
        provider = TwelveLabsProvider(given, **options)
        descriptor = provider.get_text_embedder()
        column = embed_video(col("path"), provider=provider)
        for value in (column, descriptor):
            assert (sandbox.api_key.encode() in dumps(value)) is travels
        frame = daft.from_pydict({"path": ["missing.mp4"]}).with_column("video", column)
        frame.explain(show_all=True, file=(plan := io.StringIO()))
        shown = plan.getvalue() + repr(column) + repr(descriptor) + str(descriptor.get_options()) + repr(vars(provider))
        assert sandbox.api_key not in shown


def test_vectors_stay_float32(make_provider: MakeProvider, videos: dict[str, Path]) -> None:
    frame = embedded({"path": [str(videos["red"])]}, make_provider())
    table = frame.to_arrow()
    vectors = table.column("video").combine_chunks().field("segments").values.field("embedding")
    assert vectors.values.to_numpy().dtype == np.float32
