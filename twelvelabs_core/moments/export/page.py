"""Write moments as a page: one HTML file with pictures, timelines and a player inside, and nothing fetched."""

import os
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.moments.export.files import local_file, local_path
from twelvelabs_core.moments.export.timeline import Scale, draw, scales
from twelvelabs_core.moments.moment import VERBS, Moment

Paths = Mapping[str, str | os.PathLike[str]]
_TEMPLATE = Path(__file__).with_name("page.html")
_PLAYER = """<div class="player">
<video id="player" controls playsinline preload="auto" aria-label="The video"></video>
<p id="now" class="now" role="status">Choose a moment.</p>
</div>"""


def moments_to_html(
    answers: Mapping[str, Sequence[Moment]],
    *,
    title: str = "Moments",
    notes: Sequence[str] = (),
    previews: Paths | None = None,
    media: Paths | None = None,
    clips: Mapping[str, Sequence[Moment]] | None = None,
) -> str:
    """Return a page of moments that needs no other file and no network.

    For each query it has a timeline per video, on which the scores of each option are drawn, and the moments with their
    pictures. A click on a moment, or anywhere on a timeline, plays the video's preview from there.

    Args:
        answers: Each query with its moments, best first.
        title: Heading of the page.
        notes: Sentences below it.
        previews: For each source the path of an mp4 that browsers play, as `write_preview` writes it; it becomes part
            of the page. The moments of a source without one cannot be played.
        media: For each source the local file to take pictures from, where the source itself is not one. Default: the
            source, then its preview. A moment whose picture cannot be taken, or all without the extra `media`, have
            none.
        clips: For each query the moments to draw on the timelines, such as all clips of the videos, from
            `find_moments` with `MomentOptions(max_moment_sec=0)`. Default: the moments of the answer.

    Raises:
        InputError: A preview cannot be read.

    Example:
        ```python
        page = moments_to_html({"a goal": client.find_moments(hits, query)})
        Path("moments.html").write_text(page, encoding="utf-8")
        ```
    """
    videos = _Videos(previews or {}, media or {})
    sections = (
        _answer(number, query, moments, (clips or {}).get(query) or moments, videos)
        for number, (query, moments) in enumerate(answers.items(), 1)
    )
    return Template(_TEMPLATE.read_text("utf-8")).substitute(
        title=escape(title),
        notes="\n".join(f"<p>{escape(note)}</p>" for note in notes if note),
        player=_PLAYER if videos.previews else "",
        answers="\n".join(sections),
        videos="\n".join(videos.embedded()),
    )


@dataclass(frozen=True, slots=True)
class _Videos:
    """Where the videos of the page are.

    Attributes:
        previews: For each source that can be played, its mp4.
        media: For each source the file to take pictures from, where it is not the source.
    """

    previews: Paths
    media: Paths

    def number(self, source: str) -> int | None:
        """Return the number of a source's preview."""
        return [*self.previews].index(source) if source in self.previews else None

    def embedded(self) -> Iterable[str]:
        """Yield each preview as an element of the page."""
        for number, path in enumerate(self.previews.values()):
            try:
                data = b64encode(local_path(path).read_bytes()).decode()
            except OSError as error:
                raise InputError(f"cannot read the preview {os.fspath(path)}: {error.strerror}.") from error
            yield f'<script type="text/plain" id="video-{number}">{data}</script>'

    def picture(self, moment: Moment) -> str:
        """Return the moment's picture as an `img`; empty where none can be taken."""
        try:
            from twelvelabs_core.moments.export.frames import still  # noqa: PLC0415  # imports PyAV, which is optional
        except ImportError:
            return ""
        for path in (self.media.get(moment.source, moment.source), self.previews.get(moment.source)):
            if path is not None and (file := local_file(path)) is not None:
                try:
                    jpeg = still(file, moment.best_sec)
                except InputError:
                    continue
                return f'<img src="data:image/jpeg;base64,{b64encode(jpeg).decode()}" alt="">'
        return ""


def _answer(number: int, query: str, moments: Sequence[Moment], clips: Sequence[Moment], videos: _Videos) -> str:
    timelines = "\n".join(_timelines(moments, clips, videos))
    has_several = len({moment.source for moment in moments}) > 1
    cards = "\n".join(f"<li>{_card(moment, videos, has_title=has_several)}</li>" for moment in moments)
    found = f'{timelines}\n<ol class="moments">\n{cards}\n</ol>' if cards else "<p>No moment was found.</p>"
    return (
        f'<section aria-labelledby="query-{number}">\n'
        f'<h2 id="query-{number}"><q>{escape(query)}</q></h2>\n{found}\n</section>'
    )


def _timelines(moments: Sequence[Moment], clips: Sequence[Moment], videos: _Videos) -> Iterable[str]:
    """Yield the timeline of each video that has a moment, in the order of the moments."""
    drawn = scales(clips)
    sources = dict.fromkeys(moment.source for moment in moments if moment.scope == "clip")
    for source in sources:
        its_moments, its_clips = (
            [one for one in listed if one.source == source and one.scope == "clip"] for listed in (moments, clips)
        )
        yield _timeline(its_moments, its_clips, drawn, videos.number(source))


def _timeline(moments: Sequence[Moment], clips: Sequence[Moment], drawn: dict[str, Scale], video: int | None) -> str:
    ends = [moment.end_sec for moment in (*moments, *clips)]
    # A moment of no length at second 0 of a file of unknown duration still has a mark.
    duration = max(ends + [hit.duration_sec for moment in moments for hit in moment.hits]) or 1.0
    lanes = "".join(f'<span class="{escape(option)}">{escape(VERBS.get(option, option))}</span>' for option in drawn)
    marks = "".join(_mark(moment, duration, video) for moment in moments)
    return (
        f'<figure class="timeline"><figcaption>{escape(moments[0].title)}</figcaption>'
        f'<div class="lanes" aria-hidden="true">{lanes}</div>'
        f'<div class="drawn"{_plays(0.0, duration, video)} data-duration="{duration:.3f}">'
        f"{draw(clips, drawn, duration)}{marks}<i></i></div>"
        f'<div class="ends" aria-hidden="true"><span>{_minutes(0.0)}</span><span>{_minutes(duration)}</span></div>'
        "</figure>"
    )


def _mark(moment: Moment, duration_sec: float, video: int | None) -> str:
    left, width = (100 * second / duration_sec for second in (moment.start_sec, moment.end_sec - moment.start_sec))
    facts = f'title="{_times(moment)}: {escape(moment.why)}" style="left:{left:.2f}%;width:{width:.2f}%"'
    if video is None:
        return f'<span class="mark" {facts}></span>'
    # The cards below are the same buttons, and enough for the keyboard.
    return (
        f'<button type="button" class="mark" tabindex="-1" {facts}{_plays(moment.start_sec, moment.end_sec, video)}>'
        f'<span class="hidden">{_times(moment)}</span></button>'
    )


def _card(moment: Moment, videos: _Videos, *, has_title: bool) -> str:
    """Return the HTML of a moment: a button if there is a preview to play, else a box."""
    title = escape(moment.title or moment.source)
    score = "" if moment.score is None else f'<span class="score">score {moment.score:z.3f}</span>'
    is_clip = moment.scope == "clip"
    heading = f"{_times(moment)}{f' {title}' if has_title else ''}" if is_clip else title
    picture = f'<span class="frame">{videos.picture(moment)}</span>' if is_clip else ""
    video = videos.number(moment.source) if is_clip else None
    inner = f'{picture}<span class="facts"><b>{heading}</b><span>{escape(moment.why)}</span>{score}</span>'
    if video is None:
        return f'<div class="moment">{inner}</div>'
    plays = _plays(moment.start_sec, moment.end_sec, video)
    return f'<button type="button" class="moment"{plays}><span class="hidden">Play from </span>{inner}</button>'


def _plays(start_sec: float, end_sec: float, video: int | None) -> str:
    """Return the attributes by which the page knows what to play at a click."""
    return "" if video is None else f' data-video="{video}" data-start="{start_sec:.3f}" data-end="{end_sec:.3f}"'


def _times(moment: Moment) -> str:
    return f"{_minutes(moment.start_sec)}\u2013{_minutes(moment.end_sec)}"


def _minutes(seconds: float) -> str:
    """Return a time as mm:ss, or as h:mm:ss from one hour."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes:02d}:{rest:02d}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"  # noqa: PLR2004
