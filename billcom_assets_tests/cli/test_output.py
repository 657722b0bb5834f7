from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from billcom_assets.cli.output import Output, shown, table, to_json
from billcom_assets.cli.progress import shown_progress
from billcom_assets.cli.runs import render_pulls
from billcom_assets.status.runs import PullStatus
from billcom_assets.sync.report import Progress

PULLED = Progress("vendor_credits", "first pull", fetched=1_200, written=1_100, requests=12, done=False)
DONE = Progress("vendor_credits", "first pull", fetched=1_234, written=1_200, requests=13, done=True)


def printed(*, terminal: bool, as_json: bool = False, succeeds: bool = True) -> str:
    stream = io.StringIO()
    output = Output(as_json=as_json, err=Console(file=stream, force_terminal=terminal, width=100, markup=False))
    with shown_progress(output, "Seeding acme") as watcher:
        watcher.report(PULLED)
        if succeeds:
            watcher.report(DONE)
            watcher.succeed()
    return stream.getvalue()


def test_progress_is_one_plain_line_for_each_pull_when_nobody_watches() -> None:
    assert printed(terminal=False) == "vendor credits (first pull): 1,234 fetched, 1,200 written, 13 requests so far\n"


def test_progress_is_a_live_display_on_a_terminal() -> None:
    screen = printed(terminal=True)
    assert "\x1b[" in screen
    assert "Seeding acme" in screen
    assert "1,234 fetched, 1,200 written" in screen
    last = screen.rsplit("Seeding acme", 1)
    assert ("\N{CHECK MARK}" in last[0][-40:], "\N{BALLOT X}" in screen) == (True, False)


def test_a_failure_is_crossed_out_with_whatever_did_not_end() -> None:
    screen = printed(terminal=True, succeeds=False)
    assert screen.count("\N{BALLOT X}") >= 2
    assert "\N{CHECK MARK}" not in screen


def test_progress_is_silent_for_scripts() -> None:
    assert printed(terminal=False, as_json=True) == ""


def test_what_bill_sends_cannot_steer_the_terminal_or_become_markup(capsys: pytest.CaptureFixture[str]) -> None:
    Output().out.print(table(["Name"], [["[red]Evil[/red] \x1b[2J:boom:"]]))
    printed = capsys.readouterr().out
    assert "[red]Evil[/red] \N{REPLACEMENT CHARACTER}[2J:boom:" in printed
    assert "\x1b" not in printed


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (True, "yes"), (1_234_567, "1,234,567"), (datetime(2026, 3, 2, 8, 5, tzinfo=UTC), "2026-03-02 08:05")],
)
def test_values_read_well_in_tables(value: object, text: str) -> None:
    assert shown(value) == text


def test_a_table_has_80_columns_cuts_texts_with_an_ellipsis_and_no_number(capsys: pytest.CaptureFixture[str]) -> None:
    numbers = [1_234_567_890 + position for position in range(3)]
    key = "a-key-that-somebody-pastes"
    columns = ["Key", "Vendor", *(f"Number {position}" for position in range(3))]
    Output().out.print(table(columns, [[key, "A very long name of a vendor " * 4, *numbers]], whole=["Key"]))
    row = capsys.readouterr().out.splitlines()[1]
    assert len(row) <= 80
    assert row.split() == [key, "A", "very\N{HORIZONTAL ELLIPSIS}", *(f"{number:,}" for number in numbers)]


def test_a_table_is_as_wide_as_the_terminal() -> None:
    stream = io.StringIO()
    name = "A very long name of a vendor " * 3
    Console(file=stream, width=120).print(table(["Vendor"], [[name]]))
    assert name.strip() in stream.getvalue()


def test_an_optional_column_of_nothing_but_zeros_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    Output().out.print(
        table(
            ["Entity", "New", "Gone", "Seconds"], [["bills", 0, 0, 0.25], ["jobs", 7, 0, 3.0]], optional=["New", "Gone"]
        )
    )
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [["Entity", "New", "Seconds"], ["bills", "0", "0.2"], ["jobs", "7", "3.0"]]


def test_json_keeps_amounts_exact_and_times_with_their_zone() -> None:
    document = to_json({"amount": Decimal("10.10"), "day": date(2026, 3, 2), "at": datetime(2026, 3, 2, tzinfo=UTC)})
    assert json.loads(document) == {"amount": "10.10", "day": "2026-03-02", "at": "2026-03-02T00:00:00+00:00"}
    with pytest.raises(TypeError, match="object has no JSON form"):
        to_json({"what": object()})


def test_help_and_status_do_not_import_what_takes_seconds(migrated_file: Path) -> None:
    look = (
        "import sys; from click.testing import CliRunner; from billcom_assets.cli import billcom;"
        "done = [CliRunner().invoke(billcom, words) for words in (['--help'], ['status'])];"
        "heavy = {'alembic', 'dagster', 'numpy', 'starlette', 'uvicorn'} & set(sys.modules);"
        "print([one.exit_code for one in done], heavy)"
    )
    environment = {**os.environ, "BILLCOM_DATABASE_URL": f"sqlite:///{migrated_file}"}
    told = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True, env=environment)
    assert told.stdout.strip() == "[0, 0] set()"


def test_a_reader_that_goes_away_ends_the_command_quietly() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    command = [sys.executable, "-m", "billcom_assets.cli", "status", "--help"]
    told = subprocess.run(command, stdout=write_end, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write_end)
    assert (told.returncode, told.stderr) == (1, "")


def test_seconds_keep_their_decimal_below_the_table_too() -> None:
    console = Console(file=StringIO(), width=80)
    counts = {"fetched": 1, "inserted": 0, "updated": 0, "unchanged": 1, "skipped_by_cutoff": 0, "rejected": 0}
    rest = {"deleted": 0, "requests": 1, "retries": 0, "logins": 0, "error": None}
    pulls = [PullStatus(name, "full", "complete", **counts, **rest, seconds=0.0) for name in ("users", "roles")]
    render_pulls(console, pulls)
    *_, total = console.file.getvalue().rstrip().splitlines()  # type: ignore[attr-defined]
    assert total.split() == ["total", "2", "2", "0.0"]
