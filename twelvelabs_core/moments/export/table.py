"""`MomentTable`: moments as a table in a notebook."""

from collections.abc import Iterable
from html import escape

from twelvelabs_core.moments.moment import Moment
from twelvelabs_core.results.references import clock


class MomentTable:
    """Moments as a table that notebooks display: video, time, why it was found, and score.

    The time is a link that opens the video at the moment where its source is a URL. No file is opened.

    Example:
        ```python
        MomentTable(client.find_moments(hits, query))  # the last line of a notebook's cell
        ```
    """

    def __init__(self, moments: Iterable[Moment]) -> None:
        self.moments = tuple(moments)

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.moments)) or "no moments"

    def _repr_html_(self) -> str:
        rows = "".join(map(_row, self.moments))
        return (
            "<table><thead><tr><th>Video</th><th>Moment</th><th>Why</th><th>Score</th></tr></thead>"
            f"<tbody>{rows}</tbody></table>"
        )


def _row(moment: Moment) -> str:
    score = "" if moment.score is None else f"{moment.score:z.3f}"
    cells = (escape(moment.title or moment.source), _time(moment), escape(moment.why), score)
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _time(moment: Moment) -> str:
    if moment.end_sec <= moment.start_sec:
        return ""
    times = f"{clock(moment.start_sec)}\u2013{clock(moment.end_sec)}"
    url = moment.url
    is_link = url.startswith(("https://", "http://"))  # a source such as `javascript:...` must not become one
    return f'<a href="{escape(url)}" target="_blank" rel="noreferrer">{times}</a>' if is_link else times
