"""`media_set`: the media of a folder, of a pattern and of an iterable, and the names that stand for nothing more."""

import os
from glob import glob
from pathlib import Path

import pytest

from twelvelabs_core import InputError, Media
from twelvelabs_core.media.folders import MediaSet, media_set


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two videos, one in a folder of its own, and files that are not among its videos."""
    path = tmp_path / "videos [2026]"
    for name in ("a.mp4", "cup/b.MKV", "notes.txt", "still.png", "no_ending", ".hidden.mp4", ".trash/c.mp4"):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(b"x")
    return path


def names(found: MediaSet) -> list[str]:
    return [item.source for item in found.media if isinstance(item, Media)]


def test_a_folder_has_the_files_with_the_ending_of_its_types(folder: Path) -> None:
    found = media_set(folder)
    assert names(found) == [f"{folder}/a.mp4", f"{folder}/cup/b.MKV"]
    assert names(media_set(str(folder), input_types=("image", "document"))) == [
        f"{folder}/notes.txt",
        f"{folder}/still.png",
    ]
    assert found.prefix == f"{folder}/"


def test_names_do_not_depend_on_the_working_directory_or_links(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(folder)
    (folder / "latest.mp4").symlink_to("a.mp4")
    wanted = [f"{folder}/a.mp4", f"{folder}/cup/b.MKV", f"{folder}/latest.mp4"]
    assert names(media_set(tmp_path / "link")) == wanted
    monkeypatch.chdir(folder / "cup")
    for sources in ("..", Path(".."), "../../link", "../**/*.[mM]*", ["../a.mp4", "b.MKV", Path("../latest.mp4")]):
        assert sorted(names(media_set(sources))) == wanted  # type: ignore[arg-type]


def test_a_pattern_has_the_files_that_match(folder: Path) -> None:
    place = str(folder).replace("[", "[[]")
    assert names(media_set(f"{place}/*.mp4")) == [f"{folder}/a.mp4"]
    assert names(media_set(f"{place}/**/*")) == [
        f"{folder}/{name}" for name in ("a.mp4", "cup/b.MKV", "no_ending", "notes.txt", "still.png")
    ]
    assert names(media_set(f"{folder}/*.mp4")) == [f"{folder}/a.mp4"]  # the brackets of a folder that exists
    assert names(media_set(f"{place}/*.avi")) == []
    with pytest.raises(InputError, match="nowhere: no such folder"):
        media_set(folder.parent / "nowhere" / "*.mp4")


def test_what_does_not_exist_below_the_folder_is_gone(folder: Path) -> None:
    found = media_set(folder.parent / "*" / "*.mp4")
    assert found.prefix == f"{folder.parent}/"
    assert found.is_gone(f"{folder}/old.mp4")
    assert found.is_gone(f"{folder}/a.mp4/old.mp4")
    # It exists, and the pattern does not match it.
    assert not found.is_gone(f"{folder}/cup/b.MKV")
    assert not found.is_gone("/elsewhere/old.mp4")
    assert not found.is_gone(f"{folder.parent}-2/old.mp4")
    assert not found.is_gone("https://example.com/old.mp4")
    assert not found.is_gone(f"{folder}/{'x' * 5000}.mp4")  # the system cannot say
    assert not found.is_gone(f"{folder}/a\x00.mp4")


def test_folders_and_patterns_do_not_follow_links_to_folders(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "nas").mkdir()
    (tmp_path / "nas" / "far.mp4").write_bytes(b"x")
    (folder / "nas").symlink_to(tmp_path / "nas")
    (folder / "loop").symlink_to(folder)
    (folder / "gone.mp4").symlink_to("nowhere")  # its use fails
    place = str(folder).replace("[", "[[]")
    near = [f"{folder}/a.mp4", f"{folder}/gone.mp4"]
    assert names(media_set(folder)) == [near[0], f"{folder}/cup/b.MKV", near[1]]
    assert names(media_set(f"{place}/**/*.mp4")) == near
    assert names(media_set(f"{place}/[n]as/*.mp4")) == []
    assert names(media_set(folder / "nas" / "*.mp4")) == [f"{tmp_path}/nas/far.mp4"]  # named, so it is resolved


def test_a_pattern_matches_as_that_of_glob(folder: Path) -> None:
    root = folder.parent
    found = (
        "**",
        "**/*",
        "*/*.mp4",
        "**/*.mp4",
        "**/cup/*",
        "*/cup/**",
        "**/**/*.MKV",
        "*/.*/*",
        "*/.*",
        "*",
        "*/a.mp[34]",
    )
    for pattern in found:
        wanted = {f"{root}/{name}" for name in glob(pattern, root_dir=root, recursive=True) if (root / name).is_file()}  # noqa: PTH207
        assert set(names(media_set(root / pattern))) == wanted, pattern
    with pytest.raises(InputError, match=r"must have '\.\.' before its first wildcard only"):
        media_set(root / "*" / ".." / "*.mp4")


def test_what_is_no_file_under_its_name_any_more_is_gone(folder: Path, tmp_path: Path) -> None:
    (folder / "a.mp4").unlink()
    (folder / "a.mp4").mkdir()
    (folder / "cup").rename(tmp_path / "cup")
    (folder / "cup").symlink_to(tmp_path / "cup")
    os.mkfifo(folder / "pipe.avi")
    for found in (media_set(folder), media_set(folder.parent / "**" / "*.mp4")):
        assert found.is_gone(f"{folder}/a.mp4")
        assert found.is_gone(f"{folder}/cup/b.MKV")
    assert media_set(folder.parent / "**" / "*.mp4").is_gone(f"{folder}/pipe.avi")
    assert not media_set(folder).is_gone(f"{folder}/notes.txt")


def test_a_file_whose_name_is_not_utf_8_is_not_gone(folder: Path) -> None:
    path = folder / os.fsdecode(b"c\xff\\x41.mp4")
    path.write_bytes(b"x")
    (escaped,) = (name for name in names(media_set(folder)) if "xff" in name)
    found = media_set(folder / "a*.mp4")
    assert found.covers(escaped)
    assert not found.is_gone(escaped)
    path.unlink()
    assert found.is_gone(escaped)


def test_an_empty_str_is_not_the_working_directory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(InputError, match="media is an empty string"):
        media_set("")
    with pytest.raises(InputError, match="cannot be read: File name too long"):
        media_set("x" * 5000)
    assert len(media_set(".").media) == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
@pytest.mark.parametrize("mode", [0, 0o600])
def test_a_folder_that_cannot_be_read_is_refused(folder: Path, mode: int) -> None:
    (folder / "cup").chmod(mode)
    for sources in (folder, folder / "cup", f"{folder.parent}/*/*/*.mp4", f"{folder.parent}/**/*.mp4"):
        with pytest.raises(InputError, match="cup: cannot be read: Permission denied"):
            media_set(sources)
    for path in (folder / "cup" / "deep", folder / "cup" / "deep" / "*.mp4", folder / "cup" / "b.MKV"):
        with pytest.raises(InputError, match=r"cup/.*: cannot be read: Permission denied"):
            media_set(path)
    found = media_set(f"{folder.parent}/*/*.mp4")  # which does not need to read it
    assert names(found) == [f"{folder}/a.mp4"]
    assert not found.is_gone(f"{folder}/cup/b.MKV")
    (folder / "cup").chmod(0o700)


def test_an_iterable_keeps_names_that_are_no_paths(folder: Path) -> None:
    given = ["https://example.com/v.mp4?x=1", "asset:123", Media.of(folder / "a.mp4", source="cam-7/monday"), b"bytes"]
    found = media_set([*given, 5])  # type: ignore[list-item]
    assert names(found)[:3] == ["https://example.com/v.mp4?x=1", "asset:123", "cam-7/monday"]
    assert found.media[4] == 5
    assert not found.is_gone("cam-7/tuesday")
    assert not media_set([]).covers("cam-7/tuesday")


def test_a_prefix_says_what_an_iterable_is_all_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = Media.of(folder / "a.mp4", source="cam-7/monday")
    found = media_set(iter([named]), prefix="cam-7/")
    assert (found.is_gone("cam-7/tuesday"), found.is_gone("cam-8/tuesday")) == (True, False)
    monkeypatch.chdir(folder)
    found = media_set(["a.mp4"], prefix=Path())
    assert (found.prefix, found.is_gone(f"{folder}/cup/b.MKV")) == (f"{folder}/", True)
    assert media_set([], prefix="cam-7/").is_gone("cam-7/monday")


def test_a_prefix_that_cannot_be_meant_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match=r"'/.*/a\.mp4', begins with prefix 'videos/'"):
        media_set([folder / "a.mp4"], prefix="videos/")
    with pytest.raises(InputError, match="prefix is for an iterable"):
        media_set(folder, prefix="videos/")
    with pytest.raises(InputError, match="at least one character"):
        media_set([folder / "a.mp4"], prefix="")


def test_one_file_and_two_of_one_name(folder: Path) -> None:
    assert names(media_set(folder / "a.mp4")) == [f"{folder}/a.mp4"]
    for missing in ("missing.mp4", "missing"):
        with pytest.raises(InputError, match=r"missing(\.mp4)?: no such file or folder"):
            media_set(str(folder / missing))
    assert names(media_set([folder / "missing.mp4"])) == [f"{folder}/missing.mp4"]
    with pytest.raises(InputError, match="1 name stands for several media"):
        media_set([folder / "a.mp4", folder / "cup" / ".." / "a.mp4"])
