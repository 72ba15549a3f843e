"""Write moments as lists for spreadsheets, editors, players and notebooks."""

from typing import TYPE_CHECKING

from twelvelabs_core.base.lazy import lazy_exports

if TYPE_CHECKING:
    from twelvelabs_core.moments.export.lists import moments_to_csv, moments_to_edl, moments_to_srt, moments_to_webvtt
    from twelvelabs_core.moments.export.table import MomentTable
else:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "twelvelabs_core.moments.export.lists": [
                "moments_to_csv",
                "moments_to_edl",
                "moments_to_srt",
                "moments_to_webvtt",
            ],
            "twelvelabs_core.moments.export.table": ["MomentTable"],
        },
    )

__all__ = [
    "MomentTable",
    "moments_to_csv",
    "moments_to_edl",
    "moments_to_srt",
    "moments_to_webvtt",
]
