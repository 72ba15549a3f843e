"""What the command does: a long video in, moments in a table and on a page out."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from examples.demo import sample_video
from examples.demo.fetch import on_disk
from examples.demo.job import JobError, LoadedVideo, find_moments, load_video, open_vector_store, store_segments
from examples.demo.parts import remove_forgotten_parts
from examples.demo.preview import Preview, find_preview, remove_old_previews, write_preview
from examples.demo.screen import Screen, clock, follow
from langchain_twelvelabs import TwelveLabsEmbeddings
from twelvelabs_core import InputError, TwelveLabsError
from twelvelabs_core.moments.export import moments_to_html
from twelvelabs_core.moments.export.files import private_part
from twelvelabs_sandbox import Sandbox

SANDBOX_ORIGIN = (
    "Found with vectors of the offline sandbox, which measures colours, motion and sound; it is not Marengo."
)
LIVE_ORIGIN = "Found with vectors of TwelveLabs Marengo 3.0."

INTERRUPTED = "finished work is kept; the sandbox has stopped, and the next run repeats what was unfinished"
INTERRUPTED_LIVE = "finished work is kept; a task that was created continues at the server, and the next run resumes it"
NO_MEANING = (
    "The sandbox recognises no word of this query: it knows colours, light, patterns, motion, kinds of sound, and the "
    "words in the captions of the video. Marengo (make demo LIVE=1) understands meaning."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; return 0, or 1 after printing one line with the error to stderr."""
    options = _parse(arguments)
    screen = Screen()
    try:
        options.folder.mkdir(parents=True, exist_ok=True)
        remove_forgotten_parts(options.folder)
        _run(options, screen)
    except (TwelveLabsError, JobError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"interrupted; {INTERRUPTED_LIVE if options.live else INTERRUPTED}", file=sys.stderr)
        return 130
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m examples.demo", description="Find moments in a video by meaning.")
    parser.add_argument("--video", help="path or URL of the video; default: a generated video")
    parser.add_argument("--query", help="what to search for; default: a few queries")
    parser.add_argument(
        "--live", action="store_true", help="use the real API, with TWELVELABS_API_KEY; this costs money"
    )
    parser.add_argument("--folder", type=Path, default=Path(".demo"), help="where to store everything; default: .demo")
    return parser.parse_args(arguments)


def _run(options: argparse.Namespace, screen: Screen) -> None:
    with _connect(options, screen) as embeddings:
        path = options.video or _sample_video(options.folder, screen)
        loaded = _load(path, embeddings, screen)
        with open_vector_store(options.folder / "qdrant", embeddings) as store:
            with screen.step(f"Storing {len(loaded.documents)} segments in Qdrant"):
                store_segments(store, loaded)
            answers = []
            for answer in find_moments(store, loaded, _queries(options)):
                screen.show(answer)
                if not options.live and not answer.has_meaning:
                    screen.say(NO_MEANING)
                answers.append(answer)
    preview, note = _preview(options.folder, path, loaded, screen)
    target = options.folder / "moments.html"
    with screen.step("Writing the page"):
        origin = LIVE_ORIGIN if options.live else SANDBOX_ORIGIN
        page = moments_to_html(
            {answer.query: answer.moments for answer in answers},
            title=f"Moments in {loaded.title}",
            notes=(f"{clock(loaded.duration_sec)} long. {origin}", note),
            previews={loaded.source: preview.path} if preview else {},
            media={loaded.source: _video_for_pictures(path, preview)},
            clips={answer.query: answer.clips for answer in answers},
        )
        with private_part(options.folder, target.name) as part:
            part.write_text(page, "utf-8")
            part.replace(target)
    screen.say(f"Open {target.resolve().as_uri()}", "bold")


@contextmanager
def _connect(options: argparse.Namespace, screen: Screen) -> Iterator[TwelveLabsEmbeddings]:
    """Yield embeddings with a segment store in the demo's folder, on the sandbox unless `--live` is given."""
    segment_store = options.folder / "segments.sqlite"
    if options.live:
        screen.say("Using the real API; each new video is paid for once", "bold")
        yield TwelveLabsEmbeddings(segment_store=segment_store)
        return
    with Sandbox() as sandbox:
        screen.say("Using the embedded sandbox: it is not Marengo, needs no key and costs nothing")
        yield TwelveLabsEmbeddings(api_key=sandbox.api_key, base_url=sandbox.base_url, segment_store=segment_store)


def _sample_video(folder: Path, screen: Screen) -> str:
    path = sample_video.sample_video_path(folder)
    if not sample_video.is_whole(path):
        with screen.step("Generating a video: scenes, sounds and captions"):
            sample_video.write_sample_video(path)
    return str(path)


def _load(path: str, embeddings: TwelveLabsEmbeddings, screen: Screen) -> LoadedVideo:
    with screen.step("Loading the video") as step:
        loaded = load_video(path, embeddings, follow(step))
    tasks = "1 task created" if loaded.tasks_created else "reused, 0 tasks created"
    screen.say(f"{loaded.title}: {len(loaded.documents)} segments; {tasks}", "bold")
    return loaded


def _queries(options: argparse.Namespace) -> Sequence[str]:
    if options.query:
        return (options.query,)
    return sample_video.QUERIES_FOR_ANY_VIDEO if options.video else sample_video.QUERIES


def _preview(folder: Path, path: str, loaded: LoadedVideo, screen: Screen) -> tuple[Preview | None, str]:
    """Return the preview, written only if the video is new, and a sentence on what it lacks."""
    try:
        preview = find_preview(folder, loaded.version) or _new_preview(folder, path, loaded, screen)
    except InputError as error:
        screen.say(f"No preview: {error}")
        return None, f"The video cannot be played here: {error}"
    lacks = preview.quality.shortcomings
    return preview, f"The video is long: to fit into this page, its preview {lacks}." if lacks else ""


def _new_preview(folder: Path, path: str, loaded: LoadedVideo, screen: Screen) -> Preview:
    with screen.step("Converting the video for the page") as step, on_disk(path, folder, step.at) as local:
        preview = write_preview(
            folder,
            loaded.version,
            local,
            duration_sec=loaded.duration_sec,
            on_second=lambda second: step.at(second, loaded.duration_sec),
        )
    remove_old_previews(folder, preview.path)
    return preview


def _video_for_pictures(path: str, preview: Preview | None) -> str | Path:
    """Return the video to take pictures from: the preview, which is fast to read, unless it has too few frames."""
    return preview.path if preview and preview.quality.fps else path
