"""Write moments to files: clips, thumbnails, lists for spreadsheets, editors and players, and a page that plays them.

Clips, thumbnails and previews are made with PyAV, the extra `media`; the rest needs nothing beyond the core.
"""

from typing import TYPE_CHECKING

from twelvelabs_core.base.lazy import lazy_exports

if TYPE_CHECKING:
    from twelvelabs_core.moments.export.clip import write_clip, write_thumbnail
    from twelvelabs_core.moments.export.lists import moments_to_csv, moments_to_edl, moments_to_srt, moments_to_webvtt
    from twelvelabs_core.moments.export.page import moments_to_html
    from twelvelabs_core.moments.export.preview import PreviewQuality, write_preview
    from twelvelabs_core.moments.export.table import MomentTable
else:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "twelvelabs_core.moments.export.clip": ["write_clip", "write_thumbnail"],
            "twelvelabs_core.moments.export.lists": [
                "moments_to_csv",
                "moments_to_edl",
                "moments_to_srt",
                "moments_to_webvtt",
            ],
            "twelvelabs_core.moments.export.page": ["moments_to_html"],
            "twelvelabs_core.moments.export.preview": ["PreviewQuality", "write_preview"],
            "twelvelabs_core.moments.export.table": ["MomentTable"],
        },
    )

__all__ = [
    "MomentTable",
    "PreviewQuality",
    "moments_to_csv",
    "moments_to_edl",
    "moments_to_html",
    "moments_to_srt",
    "moments_to_webvtt",
    "write_clip",
    "write_preview",
    "write_thumbnail",
]
