"""`media_set`: the media of a folder, of a pattern and of an iterable, and the names that stand for nothing more."""

import os
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


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_cannot_be_read_is_refused(folder: Path) -> None:
    (folder / "cup").chmod(0)
    with pytest.raises(InputError, match="cup: cannot be read"):
        media_set(folder)
    assert not media_set(f"{folder.parent}/*/*.mp4").is_gone(f"{folder}/cup/b.MKV")


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
