"""Keeps previews in the demo's folder, so that a video is converted once."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from twelvelabs_core.moments import export
from twelvelabs_core.moments.export import PreviewQuality
from twelvelabs_core.moments.export.files import private_part
from twelvelabs_core.moments.export.preview import LADDER, MAX_BYTES

KEPT = 3  # previews in the folder


@dataclass(frozen=True, slots=True)
class Preview:
    """A preview and its quality."""

    path: Path
    quality: PreviewQuality


def find_preview(folder: Path, name: str) -> Preview | None:
    """Return the preview of that name, if an earlier run wrote it."""
    for rung, quality in enumerate(LADDER):
        path = _path(folder, name, rung)
        if path.exists():
            return Preview(path, quality)
    return None


def write_preview(
    folder: Path, name: str, video: str, *, duration_sec: float, on_second: Callable[[float], object] = lambda _: None
) -> Preview:
    """Write the preview of a video, for `find_preview`.

    Raises:
        InputError: The video is too long for any quality, or cannot be read.
    """
    with private_part(folder, f"{name}.mp4") as part:
        quality = export.write_preview(video, part, duration_sec=duration_sec, max_bytes=MAX_BYTES, on_second=on_second)
        path = _path(folder, name, LADDER.index(quality))
        part.replace(path)
    return Preview(path, quality)


def remove_old_previews(folder: Path, kept: Path) -> None:
    """Delete all but the newest previews, and keep this one."""
    others = [path for path in folder.glob("preview-*.mp4") if path != kept]
    with contextlib.suppress(OSError):  # another process deleted it first
        for path in sorted(others, key=lambda path: path.stat().st_mtime, reverse=True)[KEPT - 1 :]:
            path.unlink()


def _path(folder: Path, name: str, rung: int) -> Path:
    return folder / f"preview-{name}-{rung}.mp4"
