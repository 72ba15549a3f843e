"""`segment_rows`: the rows that `add_segments` writes, in Parquet, Lance, LanceDB, pgvector, and moments on them."""

import datetime as dt
import math
from pathlib import Path
from typing import Any

import daft
import pytest
from daft import DataFrame, DataType, col, lit
from daft.functions import to_struct, when
from langchain_core.vectorstores import InMemoryVectorStore

from daft_twelvelabs import embed_video, segment_rows
from langchain_twelvelabs import TwelveLabsEmbeddings, TwelveLabsMomentRetriever, TwelveLabsVideoLoader, add_segments
from tests.daft.conftest import MakeProvider
from twelvelabs_core import FixedSegmentation, InputError
from twelvelabs_sandbox import Sandbox

SEGMENTS = FixedSegmentation(4)


@pytest.fixture
def frame(make_provider: MakeProvider, videos: dict[str, Path]) -> DataFrame:
    """A frame of three videos and a bad row."""
    paths = [*map(str, videos.values()), "missing.mp4"]
    column = embed_video(col("path"), provider=make_provider(), segmentation=SEGMENTS)
    return daft.from_pydict({"path": paths, "team": ["a", "b", "c", "d"]}).with_column("video", column).collect()


@pytest.fixture
def embeddings(sandbox: Sandbox, tmp_path: Path) -> TwelveLabsEmbeddings:
    """Embeddings on the segment store of the frame."""
    return TwelveLabsEmbeddings(
        api_key=sandbox.api_key, base_url=sandbox.base_url, segment_store=tmp_path / "segments.sqlite3"
    )


def rows_of(frame: DataFrame) -> dict[str, dict[str, Any]]:
    """Return the rows of segments by their id, vectors as lists."""
    return {row["id"]: {**row, "vector": list(row["vector"])} for row in frame.to_pylist()}


def test_rows_equal_what_add_segments_writes(
    frame: DataFrame, embeddings: TwelveLabsEmbeddings, videos: dict[str, Path], sandbox: Sandbox
) -> None:
    teams = dict(zip(map(str, videos.values()), "abc", strict=True))
    loader = TwelveLabsVideoLoader(
        [str(path) for path in videos.values()],
        embeddings=embeddings,
        segmentation=SEGMENTS,
        metadata=lambda source: {"team": teams[source]},
    )
    store = InMemoryVectorStore(embeddings)
    add_segments(store, loader.lazy_load())
    assert rows_of(segment_rows(frame, metadata=["team"])) == store.store
    assert sandbox.count("POST", "/embed-v2/tasks") == 3


def test_parquet_and_lance_keep_the_rows(frame: DataFrame, tmp_path: Path) -> None:
    pytest.importorskip("daft_lance", reason="has no version for Python 3.14")
    rows = segment_rows(frame)
    rows.write_parquet(str(tmp_path / "moments"))
    for _ in range(2):  # a script that is run again replaces what it wrote
        rows.write_lance(str(tmp_path / "moments.lance"), mode="overwrite")
    expected = rows_of(rows)
    assert len(expected) > 3
    assert rows_of(daft.read_parquet(str(tmp_path / "moments"))) == expected
    assert rows_of(daft.read_lance(str(tmp_path / "moments.lance"))) == expected
    frame.write_parquet(str(tmp_path / "videos"))
    again = daft.read_parquet(str(tmp_path / "videos"))
    assert rows_of(segment_rows(again)) == expected
    assert again.where(col("video")["error"].not_null()).select("path").to_pydict() == {"path": ["missing.mp4"]}


@pytest.mark.slow
def test_moments_of_a_lancedb_store_that_was_written_by_daft(
    frame: DataFrame, embeddings: TwelveLabsEmbeddings, videos: dict[str, Path], tmp_path: Path, sandbox: Sandbox
) -> None:
    pytest.importorskip("daft_lance", reason="has no version for Python 3.14")
    import lancedb  # noqa: PLC0415  # seconds to import
    from langchain_community.vectorstores import LanceDB  # noqa: PLC0415

    segment_rows(frame).write_lance(str(tmp_path / "database" / "moments.lance"))
    connection = lancedb.connect(str(tmp_path / "database"))
    store = LanceDB(connection=connection, embedding=embeddings, table_name="moments", mode="append")
    retriever = TwelveLabsMomentRetriever(vectorstore=store, embeddings=embeddings, k=1)
    for color in ("green", "blue"):
        [moment] = retriever.invoke(f"plain {color}")
        assert moment.metadata["source"] == str(videos[color])
        assert moment.metadata["exact"] is True
    loader = TwelveLabsVideoLoader(str(videos["red"]), embeddings=embeddings, segmentation=SEGMENTS)
    before = connection.open_table("moments").count_rows()
    add_segments(store, loader.lazy_load())  # the ids are the same, so nothing is there twice
    assert connection.open_table("moments").count_rows() == before
    assert sandbox.count("POST", "/embed-v2/tasks") == 3


def test_pgvector_takes_the_rows_and_embeds_nothing(
    frame: DataFrame, embeddings: TwelveLabsEmbeddings, videos: dict[str, Path], database: str, sandbox: Sandbox
) -> None:
    stores = pytest.importorskip("langchain_postgres", reason="the package langchain-postgres is not installed")
    store = stores.PGVector(embeddings, connection=database, collection_name="moments")
    sandbox.clear_requests()
    for part in segment_rows(frame).iter_partitions():
        rows = part.to_pydict()
        if rows["id"]:  # a part may be empty, which PGVector does not accept
            store.add_embeddings(rows["text"], rows["vector"], rows["metadata"], rows["id"])
    assert sandbox.count() == 0
    [moment] = TwelveLabsMomentRetriever(vectorstore=store, embeddings=embeddings, k=1).invoke("plain green")
    assert (moment.metadata["source"], moment.metadata["exact"]) == (str(videos["green"]), True)


def test_any_store_gets_the_stored_vectors_by_the_texts(
    frame: DataFrame, embeddings: TwelveLabsEmbeddings, sandbox: Sandbox
) -> None:
    store = InMemoryVectorStore(embeddings)
    rows = segment_rows(frame)
    sandbox.clear_requests()
    for part in rows.iter_partitions():
        of_part = part.to_pydict()
        store.add_texts(of_part["text"], of_part["metadata"], ids=of_part["id"])
    assert sandbox.count() == 0
    assert store.store == rows_of(rows)


def test_media_without_segments_give_no_rows(make_provider: MakeProvider) -> None:
    frame = daft.from_pydict({"path": ["missing.mp4", None]})
    frame = frame.with_column("video", embed_video(col("path"), provider=make_provider()))
    assert segment_rows(frame).to_pylist() == []


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_numbers_that_are_not_finite_are_null_as_postgresql_requires(
    frame: DataFrame, embeddings: TwelveLabsEmbeddings, database: str, number: float
) -> None:
    stores = pytest.importorskip("langchain_postgres", reason="the package langchain-postgres is not installed")
    store = stores.PGVector(embeddings, connection=database, collection_name="moments")
    scored = frame.with_column("level", when(col("team") == "a", number).otherwise(0.5))
    rows = segment_rows(scored, metadata=["level", "team"]).to_pydict()
    store.add_embeddings(rows["text"], rows["vector"], rows["metadata"], rows["id"])
    levels = {found["team"]: found["level"] for found in rows["metadata"]}
    assert levels == {"a": None, "b": 0.5, "c": 0.5}


def test_metadata_of_other_types_is_refused(frame: DataFrame) -> None:
    kept = {"text": col("team"), "whole": lit(1), "share": lit(0.5).cast(DataType.float32()), "is_home": lit(True)}
    [first, *_] = segment_rows(frame.with_columns(kept), metadata=list(kept)).to_pylist()
    assert {name: first["metadata"][name] for name in ("whole", "share", "is_home")} == {
        "whole": 1,
        "share": 0.5,
        "is_home": True,
    }
    others = {
        "tags": col("team").split(","),
        "data": lit(b"red"),
        "both": to_struct(col("team")),
        "day": lit(dt.date(2026, 1, 1)),
        "price": lit(1).cast(DataType.decimal128(5, 2)),
        "nothing": lit(None),
    }
    for name, column in others.items():
        with pytest.raises(InputError, match=f"metadata column {name} has the type"):
            segment_rows(frame.with_column(name, column), metadata=[name])
    with pytest.raises(InputError, match=r"metadata must be a list such as \['team'\], got a str"):
        segment_rows(frame, metadata="team")
    with pytest.raises(InputError, match="metadata names team twice"):
        segment_rows(frame, metadata=["team", "team"])


def test_wrong_columns_are_refused(frame: DataFrame) -> None:
    with pytest.raises(InputError, match="no column audio; it has path, team, video"):
        segment_rows(frame, "audio")
    for column in (col("team"), to_struct(col("team"))):
        with pytest.raises(InputError, match="column video is not one of embed_video or embed_audio: its type is"):
            segment_rows(frame.with_column("video", column))
    for name in ("source", "score"):
        with pytest.raises(InputError, match=name):
            segment_rows(frame.with_column(name, col("team")), metadata=[name])
