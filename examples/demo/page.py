"""Writes the page of moments: one HTML file with the video, its pictures and the player inside, nothing fetched."""

import html
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from examples.demo.job import Answer, Moment
from examples.demo.screen import clock

TEMPLATE = Path(__file__).with_name("page.html")


@dataclass(frozen=True, slots=True)
class Page:
    """The content of the page.

    Attributes:
        title: Name of the video.
        duration_sec: Length of the video.
        answers: The queries with their moments.
        origin: A sentence that says which vectors found them.
        preview: The video as mp4, or None.
        note: A sentence on what the preview lacks, or why there is none; empty for a full preview.
    """

    title: str
    duration_sec: float
    answers: Sequence[Answer]
    origin: str
    preview: Path | None
    note: str = ""


def write_page(target: Path, page: Page, picture: Callable[[float], bytes | None]) -> None:
    """Write the page atomically.

    Args:
        target: Path of the page.
        page: Its content.
        picture: Returns the JPEG of a second of the video, or None.
    """
    video = b64encode(page.preview.read_bytes()).decode() if page.preview else ""
    text = Template(TEMPLATE.read_text("utf-8")).substitute(
        title=html.escape(page.title),
        duration=clock(page.duration_sec),
        origin=html.escape(page.origin),
        note=f'<p class="note">{html.escape(page.note)}</p>' if page.note else "",
        player=PLAYER if page.preview else "",
        answers="\n".join(_answer(number, answer, page, picture) for number, answer in enumerate(page.answers, 1)),
        video=video,
    )
    part = target.with_suffix(".part.html")
    part.write_text(text, "utf-8")
    part.replace(target)


PLAYER = """<div class="player">
<video id="player" controls playsinline preload="auto" aria-label="The video"></video>
<p id="now" class="now" role="status">Choose a moment.</p>
</div>"""


def _answer(number: int, answer: Answer, page: Page, picture: Callable[[float], bytes | None]) -> str:
    cards = "\n".join(f"<li>{_card(moment, page, picture)}</li>" for moment in answer.moments)
    moments = f'<ol class="moments">\n{cards}\n</ol>' if cards else "<p>No moment was found.</p>"
    return (
        f'<section aria-labelledby="query-{number}">\n'
        f'<h2 id="query-{number}"><q>{html.escape(answer.query)}</q></h2>\n{moments}\n</section>'
    )


def _card(moment: Moment, page: Page, picture: Callable[[float], bytes | None]) -> str:
    """Return the HTML of a moment: a button if there is a preview to play, else a box."""
    start, end = clock(moment.start_sec), clock(moment.end_sec)
    jpeg = picture((moment.start_sec + moment.end_sec) / 2)
    image = f'<img src="data:image/jpeg;base64,{b64encode(jpeg).decode()}" alt="">' if jpeg else ""
    left, width = (
        100 * seconds / page.duration_sec for seconds in (moment.start_sec, moment.end_sec - moment.start_sec)
    )
    inner = (
        f'<span class="frame">{image}</span>'
        f'<span class="place" aria-hidden="true"><i style="left:{left:.2f}%;width:{width:.2f}%"></i></span>'
        f'<span class="facts"><b>{start}\u2013{end}</b>'
        f'<span class="option {html.escape(moment.option)}">{html.escape(moment.option)}</span>'
        f'<span class="score"><span class="hidden">similarity </span>{moment.score:.3f}</span></span>'
    )
    if page.preview is None:
        return f'<div class="moment">{inner}</div>'
    return (
        f'<button type="button" class="moment" data-start="{moment.start_sec:.3f}" data-end="{moment.end_sec:.3f}">'
        f'<span class="hidden">Play from </span>{inner}</button>'
    )
