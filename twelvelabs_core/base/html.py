"""Tables in HTML, as notebooks show them."""

from collections.abc import Iterable, Sequence
from html import escape

MANY = 30


def html_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], caption: str, *, limit: int | None = None
) -> str:
    """Return a table of all or at most `limit` rows; every text is escaped."""
    rows = list(rows)
    if limit is not None and len(rows) > limit:
        caption = f"{caption}; the first {limit} of {len(rows)} rows"
    head, body = _row("th", columns), "".join(_row("td", row) for row in rows[:limit])
    return f"<table><caption>{escape(caption)}</caption><thead>{head}</thead><tbody>{body}</tbody></table>"


def _row(tag: str, cells: Iterable[object]) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(str(cell))}</{tag}>' for cell in cells)}</tr>"
