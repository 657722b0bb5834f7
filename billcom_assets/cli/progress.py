"""Showing that a long run is alive: a live display on a terminal, plain lines elsewhere, nothing with --json."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Protocol

from rich.console import Console, RenderableType
from rich.progress import Progress as Display
from rich.progress import SpinnerColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from billcom_assets.cli.output import Output
from billcom_assets.sync.report import Progress


class Watcher(Protocol):
    """Who shows a run's progress."""

    def report(self, progress: Progress) -> None:
        """Shows how far one pull is."""

    def succeed(self) -> None:
        """Notes that the run ended well; a display that ends without this shows a failure."""


@contextmanager
def shown_progress(output: Output, title: str) -> Iterator[Watcher]:
    """Yields what to tell of every progress; the display ends with the block."""
    if output.as_json:
        yield _Silent()
    elif output.err.is_terminal:
        with _live(output.err, title) as watcher:
            yield watcher
    else:
        yield _Lines(output.err)


class _Silent:
    def report(self, progress: Progress) -> None:
        """Shows nothing."""

    def succeed(self) -> None:
        """Shows nothing."""


class _Lines:
    """One line for each entity, when it is done."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def report(self, progress: Progress) -> None:
        """Prints it once it is done."""
        if progress.done:
            self._console.print(
                f"{_name(progress)}: {_counts(progress)}, {progress.requests:,} requests so far", soft_wrap=True
            )

    def succeed(self) -> None:
        """Prints nothing; the command says how it ended."""


class _Mark(SpinnerColumn):
    """Turns while something goes on; then says how it ended."""

    def render(self, task: Task) -> RenderableType:
        """The mark of one line."""
        if task.fields.get("failed"):
            return Text("\N{BALLOT X}", style="bold red")
        return Text("\N{CHECK MARK}", style="green") if task.finished else super().render(task)


class _Live:
    """One line for the run and one for each pull."""

    def __init__(self, display: Display, title: str) -> None:
        self._display = display
        self._run = display.add_task(title, total=None, counts="")
        self._pulls: dict[str, TaskID] = {}  # by what _name says: an entity may be read in several ways in one run
        self._lock = Lock()  # Pages arrive from several workers at once.

    def report(self, progress: Progress) -> None:
        """Shows how far one pull is."""
        with self._lock:
            name = _name(progress)
            if name not in self._pulls:
                self._pulls[name] = self._display.add_task(f"  {name}", total=None, counts="")
            total = 1 if progress.done else None
            self._display.update(self._pulls[name], total=total, completed=int(progress.done), counts=_counts(progress))

    def succeed(self) -> None:
        """Ticks the run."""
        self._display.update(self._run, total=1, completed=1)

    def end(self) -> None:
        """Crosses out what has not ended well."""
        for task in self._display.tasks:
            if not task.finished:
                self._display.update(task.id, total=1, failed=True)
                self._display.stop_task(task.id)


@contextmanager
def _live(console: Console, title: str) -> Iterator[_Live]:
    columns = (
        _Mark(),
        TextColumn("{task.description}", markup=False),
        TextColumn("{task.fields[counts]}", markup=False),
        TimeElapsedColumn(),
    )
    with Display(*columns, console=console, transient=False) as display:
        live = _Live(display, title)
        try:
            yield live
        finally:
            live.end()


def _name(progress: Progress) -> str:
    return f"{progress.entity.replace('_', ' ')} ({progress.kind})"


def _counts(progress: Progress) -> str:
    return f"{progress.fetched:,} fetched, {progress.written:,} written"
