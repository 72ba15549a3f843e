"""Accepted media values, their names and their bytes."""

import gzip
import io
import os
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import pytest

from twelvelabs_core import InputError, Media
from twelvelabs_core.media.lists import media_list
from twelvelabs_core.media.source import is_one, many

SIGNED = "https://b.example.com/dir/my%20match.mp4?id=7&X-Amz-Signature=5ecre7"


@pytest.mark.parametrize(
    ("given", "source", "title"),
    [
        ("videos/a.mp4", "videos/a.mp4", "a.mp4"),
        ("./videos//x/../a.mp4", "videos/a.mp4", "a.mp4"),
        (Path("videos") / "a.mp4", "videos/a.mp4", "a.mp4"),
        ("/abs/a.mp4", "/abs/a.mp4", "a.mp4"),
        ("file:///abs/my%20a.mp4", "/abs/my a.mp4", "my a.mp4"),
        ("12:30 news.mp4", "12:30 news.mp4", "12:30 news.mp4"),
        ("concert: live.mp4", "concert: live.mp4", "concert: live.mp4"),
        ("C:\\videos\\a.mp4", "C:\\videos\\a.mp4", "C:\\videos\\a.mp4"),
        (SIGNED, "https://b.example.com/dir/my%20match.mp4?id=7", "my match.mp4"),
        (f" {SIGNED}\r\n", "https://b.example.com/dir/my%20match.mp4?id=7", "my match.mp4"),
        ("\ufeffhttps://example.com/a.mp4", "https://example.com/a.mp4", "a.mp4"),
        ("\tvideos/a.mp4\n", "videos/a.mp4", "a.mp4"),
        ("file:/abs/a.mp4", "/abs/a.mp4", "a.mp4"),
        ("file://localhost/abs/a.mp4#t=5", "/abs/a.mp4", "a.mp4"),
        ("HTTPS://Example.com/", "https://example.com/", "example.com"),
        ("asset:64f8d2c7e4a1b37f8a9c5d12\n", "asset:64f8d2c7e4a1b37f8a9c5d12", "64f8d2c7e4a1b37f8a9c5d12"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="POSIX path names")
def test_media_are_named_as_the_caller_wrote(given: str | Path, source: str, title: str) -> None:
    media = Media.of(given)
    assert (media.source, media.title) == (source, title)


def test_bytes_are_named_by_their_digest() -> None:
    one, other = Media.of(b"video"), Media.of(bytearray(b"video"))
    assert one.source == other.source == "sha256:" + one.sha256()[:16]
    assert Media.of(b"other").source != one.source


def test_source_overrides_the_name() -> None:
    assert Media.of(b"video", source="cam-7/monday.mp4").source == "cam-7/monday.mp4"
    assert Media.of(Media.of("a.mp4"), source="b").source == "b"


@pytest.mark.parametrize("source", ["", " ", "\n"])
def test_an_empty_name_is_refused(source: str) -> None:
    for value in ("a.mp4", b"video", Media.of("a.mp4")):
        with pytest.raises(InputError, match="source is empty"):
            Media.of(value, source=source)


def test_source_loses_a_url_signature() -> None:
    assert "5ecre7" not in Media.of("a.mp4", source=SIGNED).source


@pytest.mark.parametrize("source", [7, Path("a.mp4"), b"a"])
def test_a_source_that_is_not_a_str_is_refused(source: object) -> None:
    with pytest.raises(InputError, match="source"):
        Media.of("a.mp4", source=source)  # type: ignore[arg-type]


def test_no_repr_shows_a_signature_or_bytes() -> None:
    for media in (Media.of(SIGNED), Media.of(b"5ecre7"), Media.of(io.BytesIO(b"5ecre7"))):
        assert "5ecre7" not in repr(media)


@pytest.mark.parametrize(
    ("media", "title"),
    [
        (Media.of(b"x", source="cam\x007"), r"cam\x007"),
        (Media.of(b"x", source="cam\ud8007"), r"cam\ud8007"),
        (Media.of("\ud800.mp4"), r"\ud800.mp4"),
        (Media.of("https://example.com/%00.mp4"), r"\x00.mp4"),
    ],
)
def test_names_can_be_sent_and_stored(media: Media, title: str) -> None:
    assert media.title == title


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("", "empty"),
        ("  \n", "empty"),
        (b"", "0 bytes"),
        ("s3://bucket/match.mp4", "s3://"),
        ("see https://example.com/a.mp4", "other text"),
        ("https://", "not a URL"),
        ("https://example.com:65536/a.mp4", "a port from 1 to 65535"),
        ("https://example.com:0/a.mp4", "a port from 1 to 65535"),
        ("http:match.mp4", "not a URL"),
        ("https://[1:2/a.mp4", "not a URL"),
        ("data:video/mp4;base64,AAAA", "bytes"),
        ("a\x00b.mp4", "NUL"),
        ("file://fileserver/share/a.mp4", "fileserver"),
        ("asset:", "asset id"),
        ("asset:../tasks", "asset id"),
        ("asset:64f8\n1", "asset id"),
        (None, "NoneType"),
        (["a.mp4"], "list"),
        (7, "int"),
    ],
)
def test_a_value_that_is_not_media_is_refused_with_the_reason(given: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Media.of(given)  # type: ignore[arg-type]


def test_a_long_text_is_refused_with_a_short_message() -> None:
    with pytest.raises(InputError) as caught:
        Media.of("iVBORw0KGgo" * 10_000)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("name", ["~unknown-user/a.mp4", "~$draft.mp4", "~match.mp4"])
def test_a_tilde_within_a_name_is_not_expanded(name: str) -> None:
    assert Media.of(name).path == Path(name)


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("my a.mp4", "file:{}/my%20a.mp4"),
        ("a#1.mp4", "file://{}/a#1.mp4"),
        ("a#1.mp4", "file://{}/a%231.mp4"),
        ("what?.mp4", "file://{}/what?.mp4"),
        ("50%20.mp4", "file://{}/50%20.mp4"),
        ("my a.mp4", " file://{}/my a.mp4\n"),
    ],
)
def test_a_file_url_names_its_file_however_it_was_put_together(tmp_path: Path, name: str, url: str) -> None:
    (tmp_path / name).write_bytes(b"video")
    assert Media.of(url.format(tmp_path.as_posix())).path == tmp_path / name


def test_white_space_that_is_part_of_a_file_name_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / " a.mp4 ").write_bytes(b"video")
    assert Media.of(" a.mp4 ").path == Path(" a.mp4 ")
    assert Media.of(" b.mp4 ").path == Path("b.mp4")


def test_the_home_folder_is_expanded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Media.of("~/a.mp4").path == tmp_path / "a.mp4"
    assert Media.of("~/a.mp4").source == "~/a.mp4"


@pytest.mark.skipif(os.name != "posix", reason="file names are Unicode there")
def test_a_file_name_of_invalid_unicode_gets_a_valid_source(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.mp4")).write_bytes(b"video")
    (media,) = (Media.of(path) for path in tmp_path.iterdir())
    assert media.source.encode().endswith(rb"caf\xe9.mp4")
    assert media.title == r"caf\xe9.mp4"
    assert b"".join(media.read_chunks(10)) == b"video"


# File objects


class ShortReads(io.BytesIO):
    """Returns fewer bytes than requested, as sockets and unbuffered files may."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size if size is None or size < 0 else min(size, 5))


def test_a_file_object_is_read_from_its_start_each_time() -> None:
    stream = io.BytesIO(b"0123456789")
    stream.seek(4)
    media = Media.of(stream, source="a")
    assert [b"".join(media.read_chunks(3)) for _ in range(2)] == [b"0123456789"] * 2
    assert media.size() == 10


def test_chunks_are_full_even_where_a_read_returns_less() -> None:
    chunks = list(Media.of(ShortReads(bytes(range(100)))).read_chunks(12))
    assert {len(chunk) for chunk in chunks[:-1]} == {12}
    assert b"".join(chunks) == bytes(range(100))


def test_a_file_object_is_named_after_its_file(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"video")
    with path.open("rb") as stream:
        assert Media.of(stream).source == path.as_posix()


@pytest.mark.parametrize("name", [3, None, b"x.mp4", "<urllib response>", ""])
def test_a_file_object_without_a_file_name_is_named_by_its_digest(name: object) -> None:
    stream = io.BytesIO(b"video")
    stream.name = name
    assert Media.of(stream).source == Media.of(b"video").source


def test_uploads_of_one_form_field_are_named_by_their_file_names_or_contents() -> None:
    """As Flask's `request.files["video"]` has them: `name` is the field."""
    first, second, third = io.BytesIO(b"first"), io.BytesIO(b"second"), io.BytesIO(b"third")
    for stream in (first, second, third):
        stream.name = "video"
    first.filename, second.filename = "match.mp4", ""
    sources = [Media.of(stream).source for stream in (first, second, third)]
    assert sources == ["match.mp4", Media.of(b"second").source, Media.of(b"third").source]


def test_members_of_archives_are_named_by_their_contents(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for data in (b"first", b"second"):
            info = tarfile.TarInfo("film.mp4")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    with tarfile.open(tmp_path / "a.tar") as archive:
        sources = [Media.of(archive.extractfile(member)).source for member in archive]  # type: ignore[arg-type]
    assert sources == [Media.of(b"first").source, Media.of(b"second").source]


def test_an_asynchronous_file_object_is_refused_with_advice() -> None:
    class UploadFile:
        """As Starlette's, which FastAPI passes."""

        file = io.BytesIO(b"video")

        async def read(self, size: int = -1) -> bytes:
            return self.file.read(size)

    with pytest.raises(InputError, match=r"\(UploadFile\) reads asynchronously; pass its \.file"):
        Media.of(UploadFile())  # type: ignore[arg-type]
    assert Media.of(UploadFile().file).sha256() == Media.of(b"video").sha256()


class Foreign:
    """A file object of another library that fails in its own way."""

    def __init__(self, *answers: object) -> None:
        self._answers = list(answers)

    def read(self, _size: int) -> object:
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (Foreign(None), "reads NoneType, not bytes"),
        (Foreign(KeyError("bucket")), r"\(Foreign\): cannot be read: KeyError: 'bucket'"),
        (Foreign(b"", LookupError()), r"\(Foreign\): cannot be read: LookupError"),
        (Foreign(b"", b"video", RuntimeError("lost https://b.example.com/a?X-Amz-Signature=5ecre7")), "lost https"),
        (type("Form", (), {"file": io.BytesIO()})(), r"got Form; pass its \.file"),
        (type("Odd", (), {"read": lambda _: b"video"})(), r"\(Odd\): cannot be read"),
    ],
)
def test_a_foreign_file_object_that_fails_is_refused(stream: object, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        Media.of(stream)  # type: ignore[arg-type]
    assert "5ecre7" not in str(caught.value)


def test_temporary_and_compressed_files_are_accepted(tmp_path: Path) -> None:
    with tempfile.TemporaryFile() as temporary:
        temporary.write(b"video")
        assert Media.of(temporary).size() == 5
    with gzip.open(tmp_path / "a.gz", "wb") as packed:
        packed.write(b"video")
    with gzip.open(tmp_path / "a.gz") as unpacked:
        assert b"".join(Media.of(unpacked).read_chunks(8)) == b"video"  # type: ignore[arg-type]


class Pipe(io.RawIOBase):
    """A stream that cannot seek."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._data.read(min(len(buffer), 7))
        buffer[: len(data)] = data
        return len(data)


def test_a_stream_that_cannot_seek_is_read_into_memory() -> None:
    media = Media.of(Pipe(b"0123456789abcdef"))  # type: ignore[arg-type]
    assert [b"".join(media.read_chunks(4)) for _ in range(2)] == [b"0123456789abcdef"] * 2


def test_an_object_with_only_read_is_accepted() -> None:
    class OnlyRead:
        def __init__(self) -> None:
            self._stream = io.BytesIO(b"video")

        def read(self, size: int = -1) -> bytes:
            return self._stream.read(size)

    assert Media.of(OnlyRead()).data == b"video"  # type: ignore[arg-type]


@pytest.mark.parametrize("seekable", [True, False])
def test_a_file_object_in_text_mode_is_refused_with_advice(seekable: bool) -> None:  # noqa: FBT001
    stream = io.StringIO("video")
    stream.seekable = lambda: seekable  # type: ignore[method-assign]
    with pytest.raises(InputError, match="'rb'"):
        Media.of(stream)  # type: ignore[arg-type]


def test_a_closed_file_object_is_refused() -> None:
    stream = io.BytesIO(b"video")
    stream.close()
    with pytest.raises(InputError, match="closed"):
        Media.of(stream)


@pytest.mark.parametrize("length", [254, 255, 256, 5000])
def test_filename_is_shortened_to_the_limit_and_keeps_its_suffix(length: int) -> None:
    name = Media.of(b"video", source="x" * (length - 4) + ".mp4").filename
    assert len(name) == min(length, 255)
    assert name.endswith(".mp4")


def test_a_file_object_closed_later_raises_input_error() -> None:
    stream = io.BytesIO(b"video")
    media = Media.of(stream)
    stream.close()
    for use in (media.size, media.sha256):
        with pytest.raises(InputError, match="closed"):
            use()


def test_a_deleted_file_raises_input_error(tmp_path: Path) -> None:
    media = Media.of(tmp_path / "deleted.mp4")
    for use in (media.size, media.sha256):
        with pytest.raises(InputError, match=r"deleted\.mp4: no such file"):
            use()


# Lists


def test_media_list_accepts_single_items_and_iterables() -> None:
    assert [Media.of(item).source for item in media_list("a.mp4", source="b")] == ["b"]
    assert [Media.of(item).source for item in media_list(iter(["a.mp4", Path("c.mp4")]))] == ["a.mp4", "c.mp4"]
    assert media_list([]) == ()


def test_media_list_refuses_equal_names_and_one_name_for_a_list() -> None:
    with pytest.raises(InputError, match=r"1 name stands for several media, such as 'a\.mp4'"):
        media_list(["a.mp4", "./a.mp4"])
    with pytest.raises(InputError, match="source= names a single item"):
        media_list(["a.mp4"], source="b")


@pytest.mark.parametrize(
    ("given", "titles"),
    [
        (["a/b/v.mp4", "c/b/v.mp4", "v.mp4", "x.mp4"], ["a/b/v.mp4", "c/b/v.mp4", "v.mp4", "x.mp4"]),
        (["/q/v.mp4", "/p/v.mp4"], ["q/v.mp4", "p/v.mp4"]),
        (["https://h.io/a/my%20v.mp4", "https://h.io/b/my%20v.mp4?id=8"], ["a/my v.mp4", "b/my v.mp4"]),
        ([Media.of("a/v.mp4", source="cam/1"), Media.of("a/v.mp4", source="cam/2")], ["1/v.mp4", "2/v.mp4"]),
        (["https://h.io/v.mp4?id=7", "https://h.io/v.mp4?id=8"], ["h.io/v.mp4", "h.io/v.mp4"]),
    ],
)
def test_equal_titles_show_the_folders_that_tell_them_apart(given: list[Any], titles: list[str]) -> None:
    media = [item for item in media_list(given) if isinstance(item, Media)]
    assert [item.title for item in media] == titles
    assert {item.filename for item in media} == {title.rpartition("/")[2] for title in titles}


def test_media_list_keeps_items_that_are_no_media_for_their_own_failure() -> None:
    items: list[Any] = ["a.mp4", "ftp://x/a", 5]
    assert [getattr(item, "source", item) for item in media_list(items)] == items


@pytest.mark.parametrize("value", ["ab", b"ab", bytearray(b"ab"), Path("a"), {"a": 1}, io.BytesIO(), Media.of("a"), 7])
def test_single_values_are_not_lists(value: object) -> None:
    assert is_one(value)
    with pytest.raises(InputError, match=f"ids must be a list, got a single {type(value).__name__}"):
        many(value, "ids")  # type: ignore[arg-type]
    assert many((item for item in [value]), "ids") == [value]
