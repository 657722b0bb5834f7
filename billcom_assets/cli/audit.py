"""``billcom audit``: who decided what, and whether anybody changed the log of it."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from rich.console import Console
from sqlalchemy import Connection

from billcom_assets.cli.app import BillcomCommand
from billcom_assets.cli.database import opened
from billcom_assets.cli.failures import CommandFailed
from billcom_assets.cli.output import Output, pass_output, table
from billcom_assets.redaction.counted import counted
from billcom_assets.redaction.display import one_line
from billcom_assets.warehouse import audit as log
from billcom_assets.warehouse.audit import Actor, Entry, How
from billcom_assets.warehouse.known_integrations import require_integration

_SHOWN = 50


@click.command(
    cls=BillcomCommand,
    examples=("billcom audit acme-us", "billcom audit --verify"),
)
@click.argument("key", metavar="[KEY]", required=False)
@click.option("--verify", is_flag=True, help="Prove instead that no entry of the whole log was changed or removed.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=_SHOWN, show_default=True, help="Show so many of the last entries."
)
@pass_output
def audit(output: Output, key: str | None, verify: bool, limit: int) -> None:
    """Shows who decided what about all integrations, or with KEY about one: the newest last.

    Who is the operating system's user, with the name that was given with --as before it.

    The log is chained: with --verify an entry that somebody changed, removed or put in is named, and the command ends
    with exit code 1. What --verify prints last stands for the whole log; keep it elsewhere to be sure that nobody
    writes a whole new one.
    """
    with opened().read() as connection:
        if key is not None and not log.count(connection, key):
            require_integration(connection, key)
        if verify:
            _verify(output, connection)
        else:
            _show(output, key, log.entries(connection, key, limit=limit), log.count(connection, key))


def _verify(output: Output, connection: Connection) -> None:
    verified = log.verify(connection)
    if verified.broken is not None:
        raise CommandFailed(
            f"The audit log is not as it was written. Entry {verified.broken.id}: {verified.broken.meaning}. "
            "Compare it with a backup from before; what comes after this entry proves nothing.",
            verified=False,
            entries=verified.entries,
            broken=asdict(verified.broken),
        )
    document = {"verified": True, "entries": verified.entries, "head": verified.head}
    output.result(
        document,
        lambda console: console.print(
            f"{_as_written(verified.entries)}. Hash of the last one: {verified.head}",
            soft_wrap=True,
        ),
    )


def _as_written(entries: int) -> str:
    return (
        "The only entry is as it was written" if entries == 1 else f"All {entries:,} entries are as they were written"
    )


def _show(output: Output, key: str | None, entries: list[Entry], total: int) -> None:
    def render(console: Console) -> None:
        columns = ("No.", "When (UTC)", "Who", "What", "Integration", "Subject", "Change")
        rows = [_row(entry, about=key) for entry in entries]
        console.print(
            table(columns, rows, wrap=("Who", "Subject", "Change"), whole=("What",), optional=("Integration",))
        )
        if len(entries) < total:
            console.print(
                f"The last {len(entries):,} of {counted(total, 'entry', 'entries')}; --limit {total} shows all."
            )

    document = {"integration": key, "total": total, "entries": [_document(entry) for entry in entries]}
    output.result(document, render)


def _row(entry: Entry, about: str | None) -> tuple[object, ...]:
    who = Actor(entry.user_id, entry.user_name, How(entry.how), entry.as_name).name
    if entry.is_erased:
        return entry.id, entry.at, who, entry.what, "", "(erased)", ""
    subject, before, after = one_line(entry.subject or ""), _readable(entry.before), _readable(entry.after)
    change = f"{before} -> {after or 'none'}" if before else after
    integration = entry.integration if entry.integration != about else None
    return entry.id, entry.at, who, entry.what, integration, subject, change


def _readable(text: str | None) -> str:
    """JSON as people read it, bounded."""
    value = json.loads(text) if text else ""
    if isinstance(value, dict):
        value = ", ".join(f"{name}: {_flat(one)}" for name, one in value.items() if one is not None)
    return one_line(_flat(value))


def _flat(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _document(entry: Entry) -> dict[str, object]:
    decoded = {name: text and json.loads(text) for name, text in (("before", entry.before), ("after", entry.after))}
    return {**asdict(entry), **decoded}
