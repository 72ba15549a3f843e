"""The loaders: one document per segment, paid for once, with errors that lose no finished work."""

import pickle
import re
from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.prompts import format_document
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_twelvelabs import (
    TwelveLabsAudioLoader,
    TwelveLabsEmbeddings,
    TwelveLabsVideoLoader,
    add_segments,
    document_prompt,
)
from tests.adapters import METADATA_TYPES
from tests.langchain.fixtures import FIXED, SCENE_SEC, SCENES, connected, requests_of, tasks_of, visual
from twelvelabs_core import (
    BadRequestError,
    Failure,
    FixedSegmentation,
    IngestionError,
    InputError,
    Media,
    Progress,
    parse_reference,
)
from twelvelabs_sandbox import Sandbox
from twelvelabs_sandbox.films import Scene, write_film, write_sound

both_modes = pytest.mark.parametrize("mode", ["sync", "async"])


async def load(mode: str, loader: Any) -> list[Document]:
    return await loader.aload() if mode == "async" else loader.load()  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def shorts(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three videos of one scene each."""
    folder = tmp_path_factory.mktemp("shorts")
    paths = [folder / f"short{number}.mp4" for number in range(3)]
    for number, path in enumerate(paths):
        write_film(path, [Scene(seconds=5.0, color=("red", "green", "blue")[number])])
    return paths


@both_modes
async def test_documents_carry_times_ids_and_references(
    mode: str, video_path: Path, shared_embeddings: TwelveLabsEmbeddings
) -> None:
    loader = TwelveLabsVideoLoader(
        video_path, embeddings=shared_embeddings, segmentation=FixedSegmentation(6), source="scenes.mkv", end_sec=24.0
    )
    documents = await load(mode, loader)
    assert [(one.metadata["start_sec"], one.metadata["end_sec"]) for one in visual(documents)] == [
        (number * SCENE_SEC, (number + 1) * SCENE_SEC) for number in range(4)
    ]
    assert [one.metadata["segment_index"] for one in visual(documents)] == [0, 1, 2, 3]
    for document in documents:
        assert {key: type(value) for key, value in document.metadata.items()} == METADATA_TYPES
        assert document.metadata["source"] == document.metadata["title"] == "scenes.mkv"
        assert document.metadata["duration_sec"] == pytest.approx(24.0, abs=0.2)
        assert document.id == document.metadata["segment_id"] == parse_reference(document.page_content)
        assert document.page_content.startswith("scenes.mkv | 0:")
    assert (
        len({document.page_content for document in documents}) == len({one.id for one in documents}) == len(documents)
    )
    spoken = [one for one in documents if one.metadata["embedding_option"] == "transcription"]
    assert [one.metadata["segment_index"] for one in spoken] == [0]


class Unreadable(BytesIO):
    """A file object whose storage fails, with its own class of error."""

    def read(self, size: int | None = -1) -> bytes:
        raise LookupError(f"bucket gone, {size}")


@both_modes
async def test_bad_items_do_not_stop_others(
    mode: str, shorts: list[Path], sandbox: Sandbox, fresh_embeddings: TwelveLabsEmbeddings
) -> None:
    items = [Unreadable(), "missing.mp4", "ftp://example.com/a.mp4", 5, shorts[0]]
    failures: list[Failure] = []
    loader = TwelveLabsVideoLoader(
        items,  # type: ignore[arg-type]  # on purpose
        embeddings=fresh_embeddings,
        on_error=failures.append,
    )
    assert {document.metadata["source"] for document in await load(mode, loader)} == {str(shorts[0])}
    assert len(failures) == 4
    assert "bucket gone" in " ".join(failure.reason for failure in failures)
    assert sandbox.count("POST", "/embed-v2/tasks") == 1


def test_equal_file_names_show_their_folders_to_a_language_model(
    shorts: list[Path], fresh_embeddings: TwelveLabsEmbeddings, tmp_path: Path
) -> None:
    paths = [tmp_path / "a" / "intro.mp4", tmp_path / "b" / "intro.mp4"]
    for path in paths:
        path.parent.mkdir()
        path.write_bytes(shorts[0].read_bytes())
    documents = TwelveLabsVideoLoader(paths, embeddings=fresh_embeddings, embedding_option=["visual"]).load()
    shown = {format_document(document, document_prompt).split(",")[0] for document in documents}
    assert shown == {document.metadata["title"] for document in documents} == {"a/intro.mp4", "b/intro.mp4"}
    vectors = fresh_embeddings.embed_documents([document.page_content for document in documents])
    assert len(vectors) == len(documents)


def test_two_tenants_share_a_collection_by_different_sources(
    shorts: list[Path], sandbox: Sandbox, fresh_embeddings: TwelveLabsEmbeddings
) -> None:
    store = InMemoryVectorStore(fresh_embeddings)
    for tenant in ("tenant-1", "tenant-2"):
        loader = TwelveLabsVideoLoader(
            shorts[0], embeddings=fresh_embeddings, embedding_option=["visual"], source=f"{tenant}/short.mp4"
        )
        add_segments(store, loader.lazy_load())
    sources = [entry["metadata"]["source"] for entry in store.store.values()]
    assert sources.count("tenant-1/short.mp4") == sources.count("tenant-2/short.mp4") == len(sources) / 2
    assert sandbox.count("POST", "/embed-v2/tasks") == 1


@both_modes
async def test_second_load_is_equal_and_free(
    mode: str, video_path: Path, sandbox: Sandbox, fresh_embeddings: TwelveLabsEmbeddings
) -> None:
    loader = TwelveLabsVideoLoader(video_path, embeddings=fresh_embeddings, segmentation=FIXED)
    first = await load(mode, loader)
    sent = requests_of(sandbox)
    assert tasks_of(sandbox) == 1
    assert await load(mode, loader) == first
    assert (
        await load(mode, TwelveLabsVideoLoader([video_path], embeddings=fresh_embeddings, segmentation=FIXED)) == first
    )
    assert requests_of(sandbox) == sent


@both_modes
async def test_loader_accepts_one_or_several_media(
    mode: str, shorts: list[Path], shared_embeddings: TwelveLabsEmbeddings
) -> None:
    data = shorts[1].read_bytes()
    named = Media.of(shorts[2], source="third")
    for media, sources in (
        (str(shorts[0]), {str(shorts[0])}),
        (data, None),
        (BytesIO(data), None),
        (iter(shorts), {str(path) for path in shorts}),
        ({shorts[0], shorts[1]}, {str(path) for path in shorts[:2]}),
        ([named], {"third"}),
        (named, {"third"}),
        ([], set()),
    ):
        loader = TwelveLabsVideoLoader(media, embeddings=shared_embeddings)
        found = {document.metadata["source"] for document in await load(mode, loader)}
        assert found == sources or (sources is None and len(found) == 1 and found.pop().startswith("sha256:"))


@both_modes
async def test_closing_the_iterator_stops_new_tasks(
    mode: str, shorts: list[Path], sandbox: Sandbox, tmp_path: Path
) -> None:
    embeddings = connected(sandbox, tmp_path / "store.sqlite3", max_concurrency=1)
    loader = TwelveLabsVideoLoader(shorts, embeddings=embeddings)
    if mode == "sync":
        documents: Iterator[Document] = loader.lazy_load()
        next(documents)
        documents.close()  # type: ignore[attr-defined]  # a generator
    else:
        adocuments: AsyncIterator[Document] = loader.alazy_load()
        await anext(adocuments)
        await adocuments.aclose()  # type: ignore[attr-defined]  # a generator
    begun = tasks_of(sandbox)
    assert begun < len(shorts)
    assert {one.metadata["source"] for one in await load(mode, loader)} == {str(path) for path in shorts}
    assert tasks_of(sandbox) == len(shorts)  # earlier tasks were not paid for twice


@both_modes
async def test_failed_video_does_not_stop_others(
    mode: str, shorts: list[Path], tmp_path: Path, shared_embeddings: TwelveLabsEmbeddings
) -> None:
    missing = tmp_path / "missing.mp4"
    loader = TwelveLabsVideoLoader([shorts[0], missing, shorts[1]], embeddings=shared_embeddings)
    got: list[Document] = []
    with pytest.raises(IngestionError, match="no such file") as caught:
        await collect(mode, loader, got)
    assert {document.metadata["source"] for document in got} == {str(shorts[0]), str(shorts[1])}
    assert [failure.source for failure in caught.value.failures] == [str(missing)]
    with pytest.raises(InputError, match="no such file"):
        await load(mode, TwelveLabsVideoLoader(missing, embeddings=shared_embeddings))


@both_modes
async def test_failures_can_be_skipped(
    mode: str, shorts: list[Path], shared_embeddings: TwelveLabsEmbeddings, caplog: pytest.LogCaptureFixture
) -> None:
    failures: list[Failure] = []
    for on_error in ("skip", failures.append):
        media = [shorts[0], "missing.mp4"]
        loader = TwelveLabsVideoLoader(media, embeddings=shared_embeddings, max_tasks=2, on_error=on_error)
        assert {document.metadata["source"] for document in await load(mode, loader)} == {str(shorts[0])}
    assert "1 of 2 sources failed" in caplog.text
    assert [failure.source for failure in failures] == ["missing.mp4"]
    with pytest.raises(InputError, match="on_error must be"):
        TwelveLabsVideoLoader(shorts, embeddings=shared_embeddings, on_error="ignore")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="max_tasks must be a whole number from 1, got 0"):
        TwelveLabsVideoLoader(shorts, embeddings=shared_embeddings, max_tasks=0)


async def collect(mode: str, loader: TwelveLabsVideoLoader, into: list[Document]) -> None:
    if mode == "sync":
        into.extend(loader.lazy_load())
        return
    async for document in loader.alazy_load():
        into.append(document)  # noqa: PERF401  # keeps the documents before an error


@both_modes
async def test_audio_loader_returns_audio_segments(
    mode: str, shared_embeddings: TwelveLabsEmbeddings, tmp_path: Path
) -> None:
    sound = write_sound(tmp_path / "sounds.wav", SCENES[:3])
    loader = TwelveLabsAudioLoader(sound, embeddings=shared_embeddings, embedding_option=["audio"], source="sounds")
    documents = await load(mode, loader)
    assert [one.metadata["start_sec"] for one in documents] == [0.0, 6.0, 12.0]
    assert {one.metadata["embedding_option"] for one in documents} == {"audio"}
    assert documents[0].page_content.startswith("sounds.wav | 0:00.0-0:06.0 | audio\n") or documents[
        0
    ].page_content.startswith("sounds | 0:00.0-0:06.0 | audio\n")


@both_modes
async def test_options_are_passed_to_the_api(
    mode: str, video_path: Path, shared_embeddings: TwelveLabsEmbeddings
) -> None:
    loader = TwelveLabsVideoLoader(
        video_path,
        embeddings=shared_embeddings,
        segmentation=FixedSegmentation(3),
        embedding_option=["visual", "audio"],
        embedding_scope=["clip", "asset"],
        embedding_type=["separate_embedding", "fused_embedding"],
        start_sec=6.0,
        end_sec=12.0,
    )
    documents = await load(mode, loader)
    found = sorted(
        (one.metadata["embedding_scope"], one.metadata["start_sec"], one.metadata["embedding_option"])
        for one in documents
    )
    options = ("audio", "fused", "visual")
    assert found == [
        *(("asset", 6.0, option) for option in options),
        *(("clip", start, option) for start in (6.0, 9.0) for option in options),
    ]


@both_modes
async def test_namespace_changes_the_ids_without_new_payment(
    mode: str, video_path: Path, sandbox: Sandbox, fresh_embeddings: TwelveLabsEmbeddings
) -> None:
    plain = await load(mode, TwelveLabsVideoLoader(video_path, embeddings=fresh_embeddings, segmentation=FIXED))
    other = await load(
        mode,
        TwelveLabsVideoLoader(video_path, embeddings=fresh_embeddings, segmentation=FIXED, id_namespace="second"),
    )
    assert not {one.id for one in plain} & {one.id for one in other}
    assert fresh_embeddings.embed_documents([one.page_content for one in plain]) == (
        fresh_embeddings.embed_documents([one.page_content for one in other])
    )
    assert tasks_of(sandbox) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"segmentation": FixedSegmentation, "start_sec": None}, "segmentation must be"),
        ({"embedding_option": ["smell"]}, "embedding_option for video must be among visual, audio, transcription"),
        ({"embedding_option": "visual"}, "must be a list"),
        ({"start_sec": 9.0, "end_sec": 3.0}, "end_sec must be after start_sec"),
        ({"segmentation": {"strategy": "fixed", "fixed": {"duration_sec": 11}}}, "from 2 to 10 seconds, got 11"),
    ],
)
@both_modes
async def test_invalid_options_are_refused_before_a_request(
    mode: str,
    options: dict[str, Any],
    message: str,
    *,
    video_path: Path,
    sandbox: Sandbox,
    fresh_embeddings: TwelveLabsEmbeddings,
) -> None:
    with pytest.raises(InputError, match=message):
        await load(mode, TwelveLabsVideoLoader(video_path, embeddings=fresh_embeddings, **options))
    assert requests_of(sandbox) == 0


@both_modes
async def test_check_false_leaves_the_limits_to_the_api(
    mode: str, tmp_path: Path, sandbox: Sandbox, fresh_embeddings: TwelveLabsEmbeddings
) -> None:
    path = tmp_path / "small.mp4"
    write_film(path, [Scene(seconds=5)], size=(200, 200), fps=2, audio=False)
    with pytest.raises(InputError, match="check=False lets the API decide"):
        await load(mode, TwelveLabsVideoLoader(path, embeddings=fresh_embeddings))
    assert requests_of(sandbox) == 0
    with pytest.raises(BadRequestError, match="360x360"):
        await load(mode, TwelveLabsVideoLoader(path, embeddings=fresh_embeddings, check=False))


def test_contradictory_arguments_are_refused_at_construction(
    video_path: Path, shared_embeddings: TwelveLabsEmbeddings
) -> None:
    with pytest.raises(InputError, match="names a single item"):
        TwelveLabsVideoLoader([video_path, video_path], embeddings=shared_embeddings, source="one name for two")
    with pytest.raises(InputError, match="must be TwelveLabsEmbeddings, got str"):
        TwelveLabsVideoLoader(video_path, embeddings="marengo3.0")  # type: ignore[arg-type]  # made wrong on purpose


def test_load_and_split_refuses_with_advice(video_path: Path, shared_embeddings: TwelveLabsEmbeddings) -> None:
    with pytest.raises(InputError, match=r"one document per segment.*load\(\)"):
        TwelveLabsVideoLoader(video_path, embeddings=shared_embeddings).load_and_split()


@both_modes
async def test_progress_is_written_and_reported(
    mode: str, video_path: Path, fresh_embeddings: TwelveLabsEmbeddings, capsys: pytest.CaptureFixture[str]
) -> None:
    steps: list[Progress] = []
    loader = TwelveLabsVideoLoader(
        video_path, embeddings=fresh_embeddings, source="video", show_progress=True, on_progress=steps.append
    )
    await load(mode, loader)
    written = capsys.readouterr().err
    assert steps[0].stage == "checking"
    assert steps[-1].stage == "ready"
    assert re.fullmatch(r"1 of 1 media in [\d.]+ s: 1 ready\n", written)
    await load(mode, TwelveLabsVideoLoader(video_path, embeddings=fresh_embeddings, source="video", show_progress=True))
    assert re.fullmatch(r"1 of 1 media in [\d.]+ s: 1 reused\n", capsys.readouterr().err)
    await load(mode, TwelveLabsVideoLoader(video_path, embeddings=fresh_embeddings, source="video"))
    assert capsys.readouterr().err == ""


def test_loader_can_be_pickled(video_path: Path, shared_embeddings: TwelveLabsEmbeddings) -> None:
    loader = TwelveLabsVideoLoader(video_path, embeddings=shared_embeddings, segmentation=FIXED, source="scenes.mkv")
    arrived = pickle.loads(pickle.dumps(loader))  # noqa: S301  # made here
    assert arrived.load() == loader.load()
