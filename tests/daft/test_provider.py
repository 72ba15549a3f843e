"""Daft's own `embed_text` and `embed_image` with the provider, on the native runner."""

from pathlib import Path
from typing import Any

import daft
import numpy as np
import pytest
from daft import DataType, col
from daft.functions import decode_image, embed_image, embed_text
from daft.pickle import dumps, loads

from daft_twelvelabs import TwelveLabsProvider, embed_video, segment_rows
from langchain_twelvelabs import TwelveLabsEmbeddings
from tests.daft.conftest import MakeProvider
from tests.peak_log import PeakLog
from twelvelabs_core import ConfigurationError, FixedSegmentation, InputError, Settings
from twelvelabs_sandbox import Fault, Sandbox
from twelvelabs_sandbox.films import Scene, write_picture


def vectors_of(texts: list[str | None], provider: TwelveLabsProvider, **options: Any) -> dict[str | None, Any]:
    """Return the vector of each text, as float32."""
    column = embed_text(col("text"), provider=provider, **options)
    frame = daft.from_pydict({"text": texts}).with_column("vector", column).to_pydict()
    return dict(zip(frame["text"], frame["vector"], strict=True))


def test_texts_have_the_vectors_of_the_embeddings(
    make_provider: MakeProvider, sandbox: Sandbox, tmp_path: Path
) -> None:
    texts = [f"a red car number {number}" for number in range(60)]
    embeddings = TwelveLabsEmbeddings(
        api_key=sandbox.api_key, base_url=sandbox.base_url, segment_store=tmp_path / "other.sqlite3"
    )
    expected = embeddings.embed_documents(texts)
    found = vectors_of(texts, make_provider(), batch_size=25)
    for text, vector in zip(texts, expected, strict=True):
        assert np.array_equal(np.float32(found[text]), np.float32(vector))


def test_dimensions_are_known_without_a_request(make_provider: MakeProvider, sandbox: Sandbox) -> None:
    provider = make_provider()
    for options, size in (({}, 512), ({"model": "marengo3.5", "dimensions": 128}, 128)):
        frame = daft.from_pydict({"text": ["a car"]}).select(embed_text(col("text"), provider=provider, **options))
        assert frame.schema()["text"].dtype == DataType.embedding(DataType.float32(), size)
    assert provider.name == "twelvelabs"
    assert sandbox.count() == 0


def test_a_session_finds_the_provider_by_its_name(make_provider: MakeProvider) -> None:
    daft.attach_provider(make_provider(name="tl"))
    try:
        column = embed_text(col("text"), provider="tl")
        [vector] = daft.from_pydict({"text": ["a car"]}).select(column).to_pydict()["text"]
    finally:
        daft.detach_provider("tl")
    assert len(vector) == 512


def test_text_of_a_segment_gets_its_stored_vector(
    make_provider: MakeProvider, videos: dict[str, Path], sandbox: Sandbox
) -> None:
    provider = make_provider()
    column = embed_video(col("path"), provider=provider, segmentation=FixedSegmentation(4))
    frame = daft.from_pydict({"path": [str(videos["red"])]}).with_column("video", column)
    rows = segment_rows(frame).collect()
    sandbox.clear_requests()
    found = rows.with_column("again", embed_text(col("text"), provider=provider)).to_pydict()
    assert [list(vector) for vector in found["again"]] == [list(vector) for vector in found["vector"]]
    assert sandbox.count() == 0


def test_a_bad_text_is_null_and_not_its_batch(make_provider: MakeProvider, sandbox: Sandbox) -> None:
    texts = ["a car", " ", None, "a boat"]
    for on_error in ("log", "ignore"):
        found = vectors_of(texts, make_provider(), on_error=on_error)
        assert [found[text] is None for text in texts] == [False, True, True, False]
    with pytest.raises(Exception, match="empty"):
        vectors_of(texts, make_provider())
    sandbox.faults.add(Fault(status=401, times=None))
    with pytest.raises(Exception, match="401"):
        vectors_of(["a tree"], make_provider(), on_error="ignore")
    sandbox.faults.clear()
    sandbox.faults.add(Fault(status=403, times=1))
    found = vectors_of(["a tree", "a house", None], make_provider(), on_error="ignore")
    assert sorted(vector is None for vector in found.values()) == [False, True, True]
    assert vectors_of([None], make_provider(), on_error="raise") == {None: None}


def test_the_log_of_a_bad_text_names_no_position(make_provider: MakeProvider, caplog: pytest.LogCaptureFixture) -> None:
    vectors_of(["a car", " "], make_provider(), on_error="log")
    assert [record.getMessage().partition(";")[0] for record in caplog.records if record.levelname == "WARNING"] == [
        "a row was not embedded: its text is empty (1 characters of white space)"
    ]


def test_the_repr_names_the_store_without_its_password(sandbox: Sandbox) -> None:
    provider = TwelveLabsProvider(
        sandbox.api_key, base_url=sandbox.base_url, name="tl", store="postgresql+psycopg://user:secret@host/segments"
    )
    assert repr(provider) == (
        "TwelveLabsProvider(name='tl', model='marengo3.0', "
        "store=SegmentStore('postgresql+psycopg://user:***@host/segments'))"
    )


def test_settings_take_the_place_of_key_and_url(sandbox: Sandbox) -> None:
    settings = Settings.resolve(api_key=sandbox.api_key, base_url=sandbox.base_url, task_timeout=9)
    provider = loads(dumps(TwelveLabsProvider(settings=settings)))
    assert provider.client.settings == settings
    assert loads(dumps(provider.get_text_embedder())).client.get().settings == settings
    with pytest.raises(ConfigurationError, match="pass settings, or max_retries, not both"):
        TwelveLabsProvider(settings=settings, max_retries=1)


def test_texts_that_may_fail_are_sent_at_once_too(watched: Sandbox, tmp_path: Path) -> None:
    watched.faults.add(Fault(path="/embed-v2", delay=0.5, times=None))
    provider = TwelveLabsProvider(
        watched.api_key, base_url=watched.base_url, store=tmp_path / "segments.sqlite3", max_concurrency=40
    )
    vectors_of([f"car {number}" for number in range(40)], provider, on_error="ignore")
    assert isinstance(log := watched._requests, PeakLog)
    assert log.peak > 16  # asyncio's own executor has six threads on two cores


def test_a_failed_batch_is_not_sent_again(make_provider: MakeProvider, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(status=400, times=None))
    with pytest.raises(Exception, match="400"):
        vectors_of(["a car"], make_provider(), max_retries=0)
    assert sandbox.count("POST", "/embed-v2") == 1


def test_images_by_pixels_bytes_and_path(make_provider: MakeProvider, tmp_path: Path, sandbox: Sandbox) -> None:
    path = write_picture(tmp_path / "red.png", Scene(color="red", pattern="stripes"))
    provider = make_provider()
    expected = TwelveLabsEmbeddings(
        api_key=sandbox.api_key, base_url=sandbox.base_url, segment_store=tmp_path / "other.sqlite3"
    ).embed_images([path])[0]
    frame = daft.from_pydict({"path": [str(path)], "data": [path.read_bytes()]})
    for column in (decode_image(col("data")), col("data"), col("path")):
        [vector] = frame.select(embed_image(column, provider=provider).alias("vector")).to_pydict()["vector"]
        assert np.allclose(np.float32(vector), np.float32(expected), atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_token_limit": 5}, "unknown options batch_token_limit"),
        ({"on_error": "skip"}, "on_error must be"),
        ({"on_error": ""}, "on_error must be"),
        ({"batch_size": 0.5}, "batch_size must be"),
        ({"batch_size": 0}, "batch_size must be"),
        ({"model": ""}, "model must be one of"),
        ({"model": "marengo9"}, "marengo9"),
        ({"dimensions": 100}, "100"),
    ],
)
def test_wrong_options_are_refused_before_the_query(
    make_provider: MakeProvider, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        embed_text(col("text"), provider=make_provider(), **options)


def test_a_worker_without_a_key_says_so(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    monkeypatch.setenv("TWELVELABS_API_KEY", sandbox.api_key)
    descriptor = TwelveLabsProvider(base_url=sandbox.base_url, store=tmp_path / "s.sqlite3").get_text_embedder()
    monkeypatch.delenv("TWELVELABS_API_KEY")
    arrived = loads(dumps(descriptor))  # raises nothing: Ray would report that as a lost worker
    with pytest.raises(ConfigurationError, match="no API key"):
        arrived.instantiate()


def test_plans_of_a_worker_share_one_client(make_provider: MakeProvider) -> None:

    data = dumps(make_provider().get_text_embedder())
    assert loads(data).client.get() is loads(data).client.get()
