"""The synchronous endpoint with marengo3.5: every request is a multi_input, and invalid combinations are refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.core.conftest import Connect
from tests.core.surface import Surface, content
from twelvelabs_core import BadRequestError, InputError, Media, MediaSource
from twelvelabs_core.media.inspect import document_kind, media_type_of
from twelvelabs_sandbox import Sandbox
from twelvelabs_sandbox.films import Scene, write_film

NEW = "marengo3.5"


@pytest.fixture
def new(connect: Connect) -> Surface:
    return connect(model=NEW)


@pytest.fixture
def old(connect: Connect) -> Surface:
    return connect()


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "note.md"
    path.write_text("# Kit\n\nRed stripes, moving fast.", encoding="utf-8")
    return path


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    path = tmp_path / "plan.pdf"
    path.write_bytes(b"%PDF-1.4\n")
    return path


@pytest.fixture
def folder(tmp_path: Path, media_folder: Path, note: Path, pdf: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to a folder with one file of each kind and return it."""
    assert note.parent == pdf.parent == tmp_path
    (tmp_path / "empty.txt").touch()
    (tmp_path / "blank.txt").write_text(" \n", encoding="utf-8")
    for name in ("picture.jpg", "video.mp4"):
        (tmp_path / name).symlink_to(media_folder / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def similarity(one: Any, other: Any) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


# Results


@pytest.mark.parametrize("dimension", [None, 256, 128])
async def test_every_vector_has_the_requested_dimension(
    connect: Connect, dimension: int | None, picture: Path, video_path: Path, note: Path
) -> None:
    client = connect(model=NEW, embedding_dimension=dimension)
    embeddings = [
        await client.embed_text("red stripes"),
        *await client.embed_texts(["red", "blue", "red"]),
        await client.embed_image(picture),
        await client.embed_text_image("but blue", picture),
        await client.embed_multi_input([picture, video_path], text="both"),
        await client.embed_multi_input([note]),
        await client.embed_multi_input([], text="alone"),
    ]
    vectors = [embedding.vector for embedding in embeddings] + [await client.embed_clip(video_path)]
    assert {(vector.shape, vector.dtype) for vector in vectors} == {((dimension or 512,), np.dtype(np.float32))}
    assert all(embedding.usage is not None and not embedding.usage.truncated for embedding in embeddings)
    assert embeddings[0].usage is not None
    assert set(embeddings[0].usage.input_tokens) == {"text"}
    assert all(embedding.uncertainty is None for embedding in embeddings)


async def test_a_shorter_vector_is_the_beginning_of_the_longer(connect: Connect, picture: Path) -> None:
    long, short = [await connect(model=NEW, embedding_dimension=n).embed_image(picture) for n in (512, 128)]
    assert np.array_equal(short.vector, long.vector[:128])


async def test_uncertainty_is_returned_on_request(new: Surface, picture: Path, video_path: Path) -> None:
    found = [
        await new.embed_text("red", embedding_uncertainty=True),
        (await new.embed_texts(["red"], embedding_uncertainty=True))[0],
        await new.embed_image(picture, embedding_uncertainty=True),
        await new.embed_multi_input([video_path], embedding_uncertainty=True),
    ]
    assert {embedding.uncertainty.shape for embedding in found} == {(512,)}
    assert np.array_equal(found[0].vector, (await new.embed_text("red")).vector)


async def test_a_long_text_is_truncated_only_on_request(new: Surface) -> None:
    text = "red stripes " * 1500
    with pytest.raises(BadRequestError):
        await new.embed_text(text)
    truncated = await new.embed_text(text, auto_truncate=True)
    assert truncated.usage is not None
    assert truncated.usage.truncated
    assert (await new.embed_texts([text], auto_truncate=True))[0].usage.truncated


async def test_a_clip_has_one_vector_from_every_kind_of_input(
    new: Surface, video_path: Path, sound: Path, sandbox: Sandbox
) -> None:
    video_vector, again = await new.embed_clips([video_path, content(video_path)])
    audio_vector = await new.embed_clip(sound, input_type="audio")
    assert same(video_vector, again)
    assert not same(video_vector, audio_vector)
    assert sandbox.count("POST", "/assets") == 0
    asset = await new.assets.wait((await new.assets.create(video_path)).id)
    assert same(await new.embed_clip(f"asset:{asset.id}"), video_vector)


def same(one: Any, other: Any) -> bool:
    return bool(np.allclose(one, other, atol=1e-5))


async def test_a_text_finds_the_right_clip(new: Surface, tmp_path: Path) -> None:
    write_film(tmp_path / "red.mp4", [Scene(color="red", pattern="stripes", motion="fast", seconds=4.0)], fps=5)
    write_film(tmp_path / "blue.mp4", [Scene(color="blue", seconds=4.0)], fps=5)
    red, blue = await new.embed_clips([tmp_path / "red.mp4", tmp_path / "blue.mp4"])
    query = (await new.embed_text("red stripes moving fast")).vector
    assert similarity(query, red) > similarity(query, blue)


async def test_a_text_refers_to_a_source_by_its_name(new: Surface, old: Surface, picture: Path) -> None:
    for client in (new, old):
        named = await client.embed_multi_input([MediaSource(picture, name="kit")], text="like <@kit>")
        assert named.vector.shape == (512,)


# Input that is refused before a request


@pytest.mark.parametrize(
    ("sources", "text", "message"),
    [
        ([], None, "1 to 10 media, got 0"),
        (["picture.jpg"] * 11, "t", "at most 10 media, got 11"),
        (["picture.jpg", "video.mp4"], None, r"different types \(image, video\) need a text"),
        (["plan.pdf"], "t", "PDF must be the only source"),
        (["plan.pdf", "plan.pdf"], None, "PDF must be the only source"),
        (["plan.pdf", "picture.jpg"], "t", "PDF must be the only source"),
        (["note.md"], "t", "all inputs are text"),
        (["note.md", "note.md"], None, "all inputs are text"),
        (["picture.jpg"], "like <@kit>", r"<@kit>.*no source has a name"),
        (["asset:64f8d2c7e4a1b37f8a9c5d12"], None, "cannot determine the media type.*media_type"),
        (["https://example.com/watch?v=1"], None, "cannot determine the media type"),
        (["empty.txt"], None, "empty"),
        (["blank.txt"], None, "contains no text"),
        (["missing.jpg"], None, "no such file"),
    ],
)
@pytest.mark.usefixtures("folder")
async def test_an_invalid_combination_is_refused(
    new: Surface, sandbox: Sandbox, sources: list[str], text: str | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        await new.embed_multi_input(sources, text=text)
    assert sandbox.count() == 0


async def test_names_must_exist_and_differ(new: Surface, picture: Path, sandbox: Sandbox) -> None:
    kit = MediaSource(picture, name="kit")
    with pytest.raises(InputError, match=r"<@shirt>.*the names are 'kit'"):
        await new.embed_multi_input([kit], text="like <@kit> and <@shirt>")
    with pytest.raises(InputError, match="two media sources have the name 'kit'"):
        await new.embed_multi_input([kit, kit])
    for name in ("", "a<b", "a>b", 7):
        with pytest.raises(InputError, match="name of a media source"):
            MediaSource(picture, name=name)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="media_type must be one of"):
        MediaSource(picture, "text")  # type: ignore[arg-type]
    assert sandbox.count() == 0


async def test_uncertainty_of_a_combination_or_document_is_refused(
    new: Surface, picture: Path, note: Path, sandbox: Sandbox
) -> None:
    with pytest.raises(InputError, match="text alone or media alone"):
        await new.embed_multi_input([picture], text="t", embedding_uncertainty=True)
    with pytest.raises(InputError, match="documents have no embedding_uncertainty"):
        await new.embed_multi_input([note], embedding_uncertainty=True)
    assert sandbox.count() == 0


async def test_input_that_only_marengo35_supports_is_refused_with_its_name(
    old: Surface, picture: Path, video_path: Path, sandbox: Sandbox
) -> None:
    calls: list[Any] = [
        lambda: old.embed_text("t", auto_truncate=True),
        lambda: old.embed_texts(["t"], embedding_uncertainty=True),
        lambda: old.embed_image(picture, embedding_uncertainty=True),
        lambda: old.embed_text_image("t", picture, auto_truncate=True),
        lambda: old.embed_multi_input([MediaSource(video_path, "video")]),
    ]
    for call in calls:
        with pytest.raises(InputError, match=r"model='marengo3\.5'"):
            await call()
    with pytest.raises(InputError, match="1 to 10 images, got 0"):
        await old.embed_multi_input([], text="t")
    assert sandbox.count() == 0


async def test_input_that_marengo35_does_not_support_is_refused_with_an_alternative(
    new: Surface, video_path: Path, tmp_path: Path, sandbox: Sandbox
) -> None:
    for kind in ("audio", "video"):
        with pytest.raises(InputError, match=rf"model='marengo3\.0'.*segment_{kind}.*embed_clip.*30 s"):
            await getattr(new, f"embed_{kind}")(video_path)
    for options in ({"embedding_option": "visual"}, {"start_sec": 1.0}, {"end_sec": 2.0}):
        with pytest.raises(InputError, match=r"segment_video.*model='marengo3\.0'"):
            await new.embed_clip(video_path, **options)
    with pytest.raises(InputError, match="input_type must be audio or video"):
        await new.embed_clip(video_path, input_type="image")
    long = tmp_path / "long.mp4"
    write_film(long, [Scene(color="red", seconds=33.0)], fps=2)
    with pytest.raises(InputError, match=r"33\.\d s long; at most 30 s"):
        await new.embed_clips([video_path, long])
    big = tmp_path / "big.wav"
    with big.open("wb") as stream:
        stream.truncate(32 * 2**20 + 1)
    with pytest.raises(InputError, match=r"33,554,433 bytes; audio of marengo3\.5 at once.*32 MB"):
        await new.embed_clip(big, input_type="audio")
    assert sandbox.count() == 0


# Media types


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("a.JPG", "image"), ("a.png", "image"), ("a.mp4", "video"), ("a.mov", "video"), ("a.wav", "audio"),
        ("a.mp3", "audio"), ("a.flac", "audio"), ("a.pdf", "document"), ("a.txt", "document"), ("a.md", "document"),
        ("https://e.com/a.mp4?sig=b.pdf", "video"), ("https://e.com/watch", None), ("asset:64f8", None),
        (b"\xff\xd8\xff\xe0rest", "image"), (b"\x89PNG\r\n\x1a\nrest", "image"), (b"%PDF-1.7", "document"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio"), (b"RIFF\x00\x00\x00\x00AVI LIST", "video"), (b"fLaC", "audio"),
        (b"ID3\x04", "audio"), (b"\x00\x00\x00\x18ftypmp42", "video"), (b"\x00\x00\x00\x18ftypM4A ", "audio"),
        (b"\x1a\x45\xdf\xa3", "video"), (b"RIFF\x00\x00\x00\x00WEBP", "image"), (b"plain words", None),
    ],
)  # fmt: skip
def test_the_media_type_of_a_medium(value: Any, kind: str | None) -> None:
    assert media_type_of(Media.of(value)) == kind


@pytest.mark.parametrize(
    ("value", "kind"),
    [("https://e.com/a.pdf?x=1", "pdf"), ("https://e.com/a.md", "text"), ("https://e.com/a", None),
     ("asset:64f8", None), (b"\n%PDF-1.4", "pdf"), (b"words", "text")],
)  # fmt: skip
def test_the_kind_of_a_document(value: Any, kind: str | None) -> None:
    assert document_kind(Media.of(value)) == kind
