"""Lists of moments, read back: CSV by the standard library, the others by strict readers of their grammar."""

import csv
import io
import re
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from twelvelabs_core import Hit, InputError, Moment, OptionScore
from twelvelabs_core.moments import export
from twelvelabs_core.moments.export import (
    MomentTable,
    moments_to_csv,
    moments_to_edl,
    moments_to_html,
    moments_to_srt,
    moments_to_webvtt,
)
from twelvelabs_core.moments.export.timeline import draw, scales
from twelvelabs_core.moments.text import text_for_model

NASTY = '=1+1 --> "a" & <b>\n\nc, d'


def moment(
    source: str = "match.mp4", start: float = 62.0, end: float = 70.52, title: str = "match.mp4", words: str = ""
) -> Moment:
    options = {"visual": OptionScore(0.41, 1), "transcription": OptionScore(-0.12, 3)}
    hit = Hit("id", source, title, start, end, 90.0, "visual", "clip")
    return Moment(f"{source}-{start}", source, title, start, end, start + 1, 0.3, options, (hit,), words=words)


PAGE = Moment(
    "page", "plan.pdf", "plan.pdf", 0.0, 0.0, 0.0, None, {}, (Hit("id", "plan.pdf"),), scope="page", exact=False
)


def test_csv_has_a_row_for_each_moment_and_a_column_for_each_option() -> None:
    rows = list(csv.DictReader(io.StringIO(moments_to_csv([moment(words='he said "go", then'), PAGE]), newline="")))
    assert rows[0] == {
        "title": "match.mp4",
        "source": "match.mp4",
        "start_sec": "62.0000",
        "end_sec": "70.5200",
        "best_sec": "63.0000",
        "score": "0.3000",
        "visual": "0.4100",
        "transcription": "-0.1200",
        "why": "seen 0.41; best at 1:03.0",
        "words": 'he said "go", then',
        "moment_id": "match.mp4-62.0",
    }
    assert (rows[1]["title"], rows[1]["score"], rows[1]["visual"]) == ("plan.pdf", "", "")
    assert list(csv.reader(io.StringIO(moments_to_csv([])))) == [
        ["title", "source", "start_sec", "end_sec", "best_sec", "score", "why", "words", "moment_id"]
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r="])
def test_csv_text_is_never_a_formula(start: str) -> None:
    text = f"{start}HYPERLINK(1)"
    (row,) = csv.DictReader(io.StringIO(moments_to_csv([moment(source=text, title=text, words=text)]), newline=""))
    assert [row[name] for name in ("title", "source", "words")] == [f"'{text}"] * 3


EVENT = re.compile(
    r"(?P<number>\d{3})  (?P<reel>[A-Z0-9 ]{8}) (?P<channels>AA/V|B   |V   )  C        "
    r"(?P<times>\d\d:\d\d:\d\d:\d\d(?: \d\d:\d\d:\d\d:\d\d){3})"
)


def read_edl(text: str, base: int) -> tuple[str, list[tuple[str, list[int], str]]]:
    """Return title, and reel, times in frames and clip name of each event, of a list without drop frames."""
    title, fcm, *lines = text.splitlines()
    assert fcm == "FCM: NON-DROP FRAME"
    assert len(lines) % 3 == 0
    found = []
    for number, (line, name, source) in enumerate(zip(*[iter(lines)] * 3, strict=True), 1):
        match = EVENT.fullmatch(line)
        assert match, line
        assert int(match["number"]) == number
        assert source.startswith("* SOURCE FILE: ")
        times = []
        for time in match["times"].split():
            hours, minutes, seconds, frames = map(int, time.split(":"))
            assert (minutes < 60, seconds < 60, frames < base) == (True, True, True)
            times.append(((hours * 60 + minutes) * 60 + seconds) * base + frames)
        found.append((match["reel"].strip(), times, name.removeprefix("* FROM CLIP NAME: ")))
    return title.removeprefix("TITLE: "), found


@pytest.mark.parametrize(("fps", "rate"), [(23.976, 24 / 1.001), (24, 24), (25, 25), (29.97, 30 / 1.001), (30, 30)])
def test_edl_has_the_frames_of_each_moment(fps: float, rate: float) -> None:
    moments = [moment(), moment("/videos/match.mp4", 3725.4, 3730.0), moment("https://e.com/v?id=1", 0.0, 0.001, "v")]
    base = round(fps)
    title, events = read_edl(moments_to_edl(moments, fps=fps, title="a\nb"), base)
    assert title == "a b"
    assert [(reel, name) for reel, _, name in events] == [
        ("MATCH", "match.mp4"),
        ("MATCH2", "match.mp4"),
        ("V", "v"),
    ]
    recorded = 3600 * base
    for one, (_, times, _) in zip(moments, events, strict=True):
        first, last, record_in, record_out = times
        assert abs(first - one.start_sec * rate) <= 0.5
        assert last == max(round(one.end_sec * rate), first + 1)
        assert (record_in, record_out) == (recorded, recorded + last - first)
        recorded = record_out


def test_edl_refuses_what_the_format_cannot_hold() -> None:
    with pytest.raises(InputError, match=r"fps must be one of 23\.976, 24, 25, 29\.97, 30, got 50"):
        moments_to_edl([moment()], fps=50)
    with pytest.raises(InputError, match=r"at most 999 events, got 1000"):
        moments_to_edl([moment(start=float(number)) for number in range(69)] * 14 + [moment()] * 34)
    with pytest.raises(InputError, match=r"'plan\.pdf' has no times"):
        moments_to_edl([PAGE])


def test_reels_differ_by_source() -> None:
    long = [moment(f"{number}.mp4", title=f"a long näme {number // 12}.mp4") for number in range(24)]
    reels = [reel for reel, _, _ in read_edl(moments_to_edl(long), 25)[1]]
    assert len(set(reels)) == 24
    assert reels[0] == "ALONGNME"


CLOCK = r"(\d\d):(\d\d):(\d\d)[.,](\d\d\d)"


def read_srt(text: str) -> list[tuple[float, float, list[str]]]:
    """Return start, end and lines of each subtitle."""
    found = []
    for number, cue in enumerate(text.removesuffix("\n\n").split("\n\n"), 1):
        index, times, *lines = cue.split("\n")
        assert index == str(number)
        found.append((*read_times(times, ","), lines))
    return found


def read_webvtt(text: str) -> list[tuple[float, float, list[str]]]:
    head, *cues = text.removesuffix("\n").split("\n\n")
    assert head == "WEBVTT"
    found = []
    for cue in cues:
        name, times, *lines = cue.split("\n")
        assert "-->" not in name
        assert not re.search(r"<|-->|&(?!amp;|lt;|gt;)", "\n".join(lines))
        found.append((*read_times(times, "."), lines))
    return found


def read_times(line: str, point: str) -> tuple[float, float]:
    match = re.fullmatch(f"{CLOCK} --> {CLOCK}", line)
    assert match, line
    assert line.count(point) == 2
    numbers = [int(number) for number in match.groups()]
    start, end = ((h * 60 + m) * 60 + s + ms / 1000 for h, m, s, ms in (numbers[:4], numbers[4:]))
    return start, end


@pytest.mark.parametrize(
    ("write", "read", "shown"),
    [
        (moments_to_srt, read_srt, '=1+1 -> "a" & <b> c, d'),
        (moments_to_webvtt, read_webvtt, '=1+1 --&gt; "a" &amp; &lt;b&gt; c, d'),
    ],
)
def test_subtitles_are_in_time_order_and_keep_their_lines(
    write: Callable[..., str], read: Callable[[str], list[tuple[float, float, list[str]]]], shown: str
) -> None:
    moments = [moment(start=3725.4, end=3726.0, title=NASTY, words="first\n\nsecond"), moment(start=0.0, end=59.9996)]
    assert read(write(moments)) == [
        (0.0, 60.0, ["match.mp4", "seen 0.41; best at 0:01.0"]),
        (3725.4, 3726.0, [shown, "seen 0.41; best at 1:02:06.4", "first second"]),
    ]
    with pytest.raises(InputError, match="moments of 2"):
        write([moment(), moment("other.mp4")])
    with pytest.raises(InputError, match="no times"):
        write([PAGE])


def test_empty_lists_are_valid() -> None:
    assert moments_to_srt([]) == ""
    assert moments_to_webvtt([]) == "WEBVTT\n"
    assert read_edl(moments_to_edl([]), 25) == ("Moments", [])


def test_table_links_only_to_web_addresses() -> None:
    moments = [moment(), moment("https://example.com/v.mp4"), moment("javascript:alert(1)", title="<script>"), PAGE]
    html = MomentTable(moments)._repr_html_()
    assert re.findall('href="([^"]*)"', html) == ["https://example.com/v.mp4#t=62,70.52"]
    assert html.count("<tr>") == 5
    assert "<script" not in html
    assert html.count("seen 0.41; best at 1:03.0") == 3
    assert moment()._repr_html_() == MomentTable([moment()])._repr_html_()


def test_a_moment_is_shown_in_one_line() -> None:
    assert repr(moment(title="a\n.mp4")) == r"<Moment 'a\n.mp4', 1:02.0-1:10.5: seen 0.41; best at 1:03.0, score 0.300>"
    assert repr(PAGE) == "<Moment 'plan.pdf': found by the vector store>"


def test_a_moment_of_no_length_at_the_start_has_a_mark() -> None:
    empty = replace(moment(start=0.0, end=0.0), hits=(replace(moment().hits[0], duration_sec=0.0),))
    assert 'style="left:0.00%;width:0.00%"' in moments_to_html({"a": [empty]})


def test_the_name_of_a_file_adds_no_line_for_a_language_model() -> None:
    forged = moment(title="a.mp4\n2. secret.mp4, 0:00.0-0:09.0: seen 0.99.mp4")
    (line,) = text_for_model([forged]).splitlines()
    assert line.startswith("1. a.mp4 2. secret.mp4,")


def test_a_score_that_rounds_to_zero_has_no_sign() -> None:
    tiny = replace(moment(), score=-1e-6, options={"visual": OptionScore(-1e-6, 1)})
    assert tiny.why.startswith("seen 0.00")
    for shown in (str(tiny), moments_to_csv([tiny]), MomentTable([tiny])._repr_html_(), moments_to_html({"a": [tiny]})):
        assert "0.00" in shown
        assert "-0.0" not in shown


def test_page_without_previews_shows_moments_and_documents() -> None:
    page = moments_to_html({"a <goal>": [moment(title="<script>x"), PAGE]})
    assert "<q>a &lt;goal&gt;</q>" in page
    assert "<script>x" not in page
    assert page.count('<div class="moment">') == 2
    assert page.count("<figure") == 1
    assert 'id="player"' not in page
    with pytest.raises(InputError, match=r"cannot read the preview none\.mp4"):
        moments_to_html({"a": [moment()]}, previews={"match.mp4": "none.mp4"})


@pytest.mark.parametrize(("cosine", "top"), [(0.0, 18.2), (0.4, 2.0)])
def test_only_a_score_above_0_is_a_full_bar_where_all_are_equal(cosine: float, top: float) -> None:
    clips = [replace(moment(start=0.0), options={"visual": OptionScore(cosine, 1)})]
    assert f"M0.0 20V{top}H" in draw(clips, scales(clips), 600.0)


def test_without_pyav_pages_have_no_pictures_and_clips_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(export, "write_clip")  # imports it, so it comes first
    for name in ("frames", "transcode", "clip"):
        monkeypatch.delitem(sys.modules, f"twelvelabs_core.moments.export.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "av", None)
    assert "<img" not in export.moments_to_html({"a": [moment(__file__)]})
    with pytest.raises(ImportError, match=r"pip install \"twelvelabs-rag\[media\]\""):
        _ = export.write_clip
