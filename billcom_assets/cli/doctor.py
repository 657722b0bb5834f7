"""``billcom doctor``: whether the whole installation is in order, and what to do where it is not."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Final

import click
from rich.console import Console

from billcom_assets.cli.app import BillcomCommand
from billcom_assets.cli.failures import CommandFailed, ExitCode
from billcom_assets.cli.output import Output, clean, pass_output
from billcom_assets.clock import utc_now
from billcom_assets.doctor.catalog import examine
from billcom_assets.doctor.findings import Finding, Level
from billcom_assets.redaction.counted import counted

_STYLES: Final = {Level.BROKEN: "bold red", Level.WARNING: "yellow", Level.OK: "green", Level.SKIPPED: "dim"}


@click.command(cls=BillcomCommand, examples=("billcom doctor", "billcom doctor --json"))
@pass_output
def doctor(output: Output) -> None:
    """Checks the whole installation and says how to mend what is wrong.

    That is versions, disks, the database, the key, BILL's sign-ins and clock, and Dagster with its daemon, schedules
    and queue. Nothing is changed. Ends with 1 when something is broken; warnings alone end with 0.
    """
    findings = examine(utc_now(), debug=output.debug)
    counts = Counter(one.level for one in findings)
    document = {
        "findings": [asdict(one) for one in findings],
        "counts": {level.value: counts[level] for level in Level},
    }
    if not counts[Level.BROKEN]:
        output.result(document, lambda console: _render(console, findings))
        return
    if not output.as_json:
        _render(output.out, findings)
    is_are = counted(counts[Level.BROKEN], "thing is", "things are")
    raise CommandFailed(f"{is_are} broken.", ExitCode.FAILED, **document)


def _render(console: Console, findings: list[Finding]) -> None:
    width = max(len(one.check) for one in findings)
    for one in findings:
        console.print(f"{one.level.value:<8}", style=_STYLES[one.level], end="")
        console.print(f" {one.check:<{width}}  {clean(one.found)}", soft_wrap=True)
        if one.fix:
            console.print(f"{'':{width + 11}}{clean(one.fix)}", soft_wrap=True)
