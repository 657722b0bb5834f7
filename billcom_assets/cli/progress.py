"""Showing that a long run is alive: a live display on a terminal, plain lines elsewhere, nothing with --json."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Display

from billcom_assets.cli.output import Output
from billcom_assets.sync.report import Progress

Listener = Callable[[Progress], None]


@contextmanager
def shown_progress(output: Output, title: str) -> Iterator[Listener]:
    """Yields the function to call with every progress; the display ends with the block."""
    if output.as_json:
        yield lambda _progress: None
    elif output.err.is_terminal:
        with _live(output.err, title) as listener:
            yield listener
    else:
        yield _Lines(output.err).report


class _Lines:
    """One line for each entity, when it is done."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def report(self, progress: Progress) -> None:
        if progress.done:
            self._console.print(f"{_name(progress)}: {_counts(progress)}")


@contextmanager
def _live(console: Console, title: str) -> Iterator[Listener]:
    columns = (
        SpinnerColumn(finished_text="\N{CHECK MARK}"),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=12, pulse_style="cyan"),
        TextColumn("{task.fields[counts]}", markup=False),
        TimeElapsedColumn(),
    )
    with Display(*columns, console=console, transient=False) as display:
        running = display.add_task(title, total=None, counts="")
        tasks: dict[str, TaskID] = {}  # by what _name says: an entity may be read in several ways in one run
        # Pages arrive from several workers at once.
        lock = Lock()

        def report(progress: Progress) -> None:
            with lock:
                name = _name(progress)
                if name not in tasks:
                    tasks[name] = display.add_task(f"  {name}", total=None, counts="")
                task = tasks[name]
                total = 1 if progress.done else None
                display.update(task, total=total, completed=int(progress.done), counts=_counts(progress))

        try:
            yield report
        finally:
            display.update(running, total=1, completed=1)


def _name(progress: Progress) -> str:
    return f"{progress.entity.replace('_', ' ')} ({progress.kind})"


def _counts(progress: Progress) -> str:
    return f"{progress.fetched:,} fetched, {progress.written:,} written, {progress.requests:,} requests so far"
