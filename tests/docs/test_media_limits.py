"""The table of limits in `docs/media.md` shows the constants that the checks use."""

import re
from pathlib import Path

from twelvelabs_core.base import limits
from twelvelabs_core.base.limits import in_words
from twelvelabs_core.media.validate import DOCUMENT_MAX_BYTES
from twelvelabs_core.models.marengo import MARENGO_30, MARENGO_35, Model

PAGE = Path(__file__).parents[2] / "docs" / "media.md"
LEAST = f"{limits.VIDEO_MIN_SIDE}x{limits.VIDEO_MIN_SIDE}"
MOST = f"{limits.VIDEO_MAX_LONG_SIDE}x{limits.VIDEO_MAX_SHORT_SIDE}"


def column(model: Model) -> list[str]:
    """The limits of a model, in the order of the table."""
    has_documents = "document" in model.tasks
    task = "not published" if model.task_sec is None else f"{model.task_sec[0]:g} s to {model.task_sec[1] / 3600:g} h"
    minutes = f" ({model.sync_max_sec / 60:g} min)" if model.sync_max_sec >= 60 else ""
    image = f"{', '.join(limits.IMAGE_FORMATS)}; at least {limits.IMAGE_MIN_SIDE}x{limits.IMAGE_MIN_SIDE}; "
    return [
        task,
        in_words(limits.TASK_MAX_BYTES),
        f"{LEAST} to {MOST}, at most {limits.VIDEO_MAX_ASPECT}:1" if model.knows_media else "not published",
        ", ".join(limits.AUDIO_FORMATS).upper() if model.knows_media else "not published",
        f"{model.sync_max_sec:g} s{minutes}",
        "that of an upload" if model.sync_max_bytes is None else in_words(model.sync_max_bytes),
        (image if model.knows_media else "") + in_words(limits.IMAGE_MAX_BYTES),
        in_words(limits.DOCUMENT_UPLOAD_MAX_BYTES) if has_documents else "not supported",
        in_words(DOCUMENT_MAX_BYTES) if has_documents else "not supported",
        in_words(limits.DIRECT_UPLOAD_MAX_BYTES),
        in_words(limits.UPLOAD_MAX_BYTES),
    ]


def test_the_table_shows_the_limits_of_the_code() -> None:
    section = PAGE.read_text("utf-8").partition("## Limits")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| .+ \| (.+) \| (.+) \|$", section, re.MULTILINE)
    assert rows[0] == (MARENGO_30.name, MARENGO_35.name)
    assert rows[2:] == [*zip(column(MARENGO_30), column(MARENGO_35), strict=True)]
