"""The terminal output of the demo: lines with the elapsed time, progress bars and tables of moments."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

import twelvelabs_core
from examples.demo.job import Answer


class Step:
    """A step in progress.

    Example:
        ```python
        with screen.step("Uploading") as step:
            step.at(3_000_000, 9_000_000)
        ```
    """

    def __init__(self, screen: "Screen", progress: Progress, text: str) -> None:
        self._screen = screen
        self._progress = progress
        self._task = progress.add_task(text, total=None)
        self._text = text

    def at(self, done: float, total: float | None = None) -> None:
        """Show how much of the step is done."""
        self._progress.update(self._task, completed=done, total=total)

    def now(self, text: str) -> None:
        """Show what the step is doing."""
        text = printable(text)
        if text == self._text:
            return
        self._text = text
        if self._progress.disable:
            self._screen.say(text)
        self._progress.reset(self._task, description=text, total=None)


class Screen:
    """The terminal; if the output is not a terminal, plain lines without progress bars.

    Example:
        ```python
        screen = Screen()
        with screen.step("Generating the video"):
            ...
        screen.say("made")
        ```
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)
        self._start = time.monotonic()

    def say(self, text: str, style: str = "") -> None:
        """Print a line with the elapsed time. Markup in the text is not interpreted: a file may be called [red].mp4."""
        clock_so_far = f"{time.monotonic() - self._start:6.1f} s  "
        self.console.print(Text.assemble((clock_so_far, "dim"), (printable(text), style)))

    @contextmanager
    def step(self, text: str) -> Iterator[Step]:
        """Show a progress bar with its own clock while the block runs."""
        self.say(text)
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
        in_log = not self.console.is_terminal
        with Progress(*columns, console=self.console, transient=True, disable=in_log) as progress:
            yield Step(self, progress, printable(text))

    def show(self, answer: Answer) -> None:
        """Print the moments of a query as a table."""
        table = Table(title=Text(f"\u201c{printable(answer.query)}\u201d", "bold"), title_justify="left")
        table.add_column("Moment", no_wrap=True, style="cyan", min_width=13)
        table.add_column("Why", overflow="fold")
        table.add_column("Score", no_wrap=True, justify="right", min_width=6)
        for moment in answer.moments:
            times = f"{clock(moment.start_sec)}-{clock(moment.end_sec)}"
            score = "" if moment.score is None else f"{moment.score:z.3f}"
            table.add_row(times, moment.why, score)
        self.console.print(table)


def printable(text: str) -> str:
    """Return a text without control characters: a file name may have some, which the terminal would obey."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def clock(seconds: float) -> str:
    """Return a time as mm:ss, or as h:mm:ss from one hour."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes:02d}:{rest:02d}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def follow(step: Step) -> "twelvelabs_core.OnProgress":
    """Return a callback that shows a loader's progress on a progress bar."""

    def listen(progress: twelvelabs_core.Progress) -> None:
        step.now(f"{progress.stage.capitalize()} {PurePath(progress.source).name}")
        if progress.stage == "uploading":
            step.at(progress.done, progress.total)

    return listen
