"""``billcom mappings``: which ledger object each BILL object stands for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from rich.console import Console

from billcom_assets.cli.app import BillcomGroup
from billcom_assets.cli.database import opened
from billcom_assets.cli.failures import CommandFailed, ExitCode
from billcom_assets.cli.files import output_options, written
from billcom_assets.cli.options import acting, as_option, key_argument
from billcom_assets.cli.output import Output, pass_output, table, words
from billcom_assets.cli.status import coverage_table
from billcom_assets.clock import utc_now
from billcom_assets.ledger.problems import FileRefused
from billcom_assets.mapping import review_file, review_import, suggestions
from billcom_assets.mapping.coverage import Coverage, StaleLink, mapping_coverage, stale_links
from billcom_assets.mapping.kinds import KINDS
from billcom_assets.mapping.next_step import REVIEW_FILE, mapping_command
from billcom_assets.mapping.overview import Overviews, Standing
from billcom_assets.mapping.review_file import MappingRow
from billcom_assets.mapping.suggestions import DEFAULT_SCORE, Accept, Acceptance, KindAccepted, KindSuggestions
from billcom_assets.redaction.counted import counted
from billcom_assets.status.readiness import gate, next_command
from billcom_assets.warehouse.audit import Actor, How
from billcom_assets.warehouse.engine import Warehouse

_SHOWN_OF_A_KIND = 20
_DECIDED = (Standing.MAPPED, Standing.UNMAPPED)
_HEAD = 4096

_kinds_option = click.option(
    "--kind",
    "kinds",
    type=click.Choice(list(KINDS)),
    multiple=True,
    metavar="KIND",
    help=f"Only this kind; may be given several times: {', '.join(KINDS)}.",
)


@click.group(cls=BillcomGroup)
def mappings() -> None:
    """Links BILL's vendors, accounts, customers and lists to those of the company's own ledger."""


@mappings.command(examples=("billcom mappings show acme-us --kind vendors",))
@key_argument
@_kinds_option
@click.option("--all", "everything", is_flag=True, help="Show what is decided too, and all of it.")
@pass_output
def show(output: Output, key: str, kinds: tuple[str, ...], everything: bool) -> None:
    """Shows how far each kind is mapped, what waits for a decision, and mappings whose one end has gone."""
    chosen = kinds or tuple(KINDS)
    with opened().read() as connection:
        views = Overviews(connection, key, chosen)
        rows = review_file.show(views)
        coverage, stale, command = mapping_coverage(views), stale_links(views), mapping_command(views)
    document = {
        "integration": key,
        "coverage": [asdict(one) for one in coverage],
        "rows": [asdict(row) for row in rows],
        "stale": [asdict(one) for one in stale],
        "next_step": command,
    }

    def render(console: Console) -> None:
        console.print(coverage_table(coverage))
        _render_rows(console, rows, everything=everything)
        _render_stale(console, stale)
        if command:
            console.print(f"Next: {command}", soft_wrap=True)

    output.result(document, render)


def _render_rows(console: Console, rows: Sequence[MappingRow], *, everything: bool) -> None:
    wanted = [row for row in rows if everything or row.state not in _DECIDED]
    seen: Counter[str] = Counter()
    printed = []
    for row in wanted:
        seen[row.kind] += 1
        if everything or seen[row.kind] <= _SHOWN_OF_A_KIND:
            printed.append((*_row_cells(row), row.reason))
    if printed:
        console.print()
        columns = ("Kind", "Number", "In BILL", "In use", "State", "In the ledger", "Why")
        console.print(table(columns, printed, wrap=("Why",), optional=("Number", "In use")))
    if len(printed) < len(wanted):
        console.print(f"... and {len(wanted) - len(printed):,} more; --all shows them.")


def _row_cells(row: MappingRow) -> tuple[str, ...]:
    names = [row.suggested_ledger_name, row.second_ledger_name, row.third_ledger_name]
    proposed = " or ".join(filter(None, names if row.state == Standing.AMBIGUOUS else names[:1]))
    counterpart = row.ledger_name if row.state in _DECIDED else proposed
    return words(row.kind), row.bill_number, row.bill_name, row.in_use, row.state or "open", counterpart


def _render_stale(console: Console, stale: Sequence[StaleLink]) -> None:
    if not stale:
        return
    console.print()
    wrong = "What is wrong with the mapping"
    columns = ("Kind", "In BILL", "In the ledger", wrong)
    rows = [
        (words(one.kind), one.bill_name or one.bill_id, one.ledger_name or one.ledger_id, "; ".join(one.reasons))
        for one in stale
    ]
    console.print(table(columns, rows, wrap=(wrong,)))


@dataclass(frozen=True)
class Matched:
    """What a search for counterparts found and did."""

    integration: str
    suggested: list[KindSuggestions]
    accepted: list[KindAccepted] | None
    coverage: list[Coverage]
    """Where the mapping stands then."""
    next_step: str
    """The command that brings the integration on."""
    may_sync: bool
    """Nothing is missing for a sync, whatever waits to be mapped."""

    def accepted_of(self, kind: str) -> int:
        """How many were accepted now."""
        return sum(one.accepted for one in self.accepted if one.kind == kind) if self.accepted else 0

    @property
    def accepted_total(self) -> int:
        """How many of all kinds were accepted now."""
        return sum(one.accepted for one in self.accepted) if self.accepted else 0


def suggest_and_accept(
    warehouse: Warehouse,
    key: str,
    which: Accept | None,
    actor: Actor | None = None,
    *,
    min_score: int = DEFAULT_SCORE,
    only: Sequence[Acceptance] | None = None,
) -> Matched:
    """Proposes matches and accepts some of them, in one transaction.

    ``actor`` is whoever runs the process unless given; ``only`` holds what somebody has confirmed.

    Raises:
        UnknownIntegration: there is no such integration.
    """
    now, actor = utc_now(), actor or acting()
    with warehouse.write() as connection:
        found = suggestions.suggest(connection, key, now)
        accepted = None
        if which is not None:
            accepted = suggestions.accept(connection, key, which, min_score=min_score, only=only, actor=actor, now=now)
        missing, views = gate(connection, key), Overviews(connection, key)
        return Matched(
            integration=key,
            suggested=found,
            accepted=accepted,
            coverage=mapping_coverage(views),
            next_step=next_command(missing, views),
            may_sync=not missing,
        )


@mappings.command(
    examples=(
        "billcom mappings suggest acme-us --accept exact",
        "billcom mappings suggest acme-us --accept likely --min-score 95",
    )
)
@key_argument
@click.option(
    "--accept",
    type=click.Choice([which.value for which in Accept]),
    help="Map the certain matches (exact), or the likely ones too (likely); never an ambiguous one.",
)
@click.option(
    "--min-score",
    type=click.IntRange(0, 100),
    default=DEFAULT_SCORE,
    show_default=True,
    help="Least score of a likely match that is accepted.",
)
@click.option("--yes", is_flag=True, help="Accept likely matches without asking, for scripts.")
@as_option
@pass_output
def suggest(output: Output, /, *, key: str, accept: str | None, min_score: int, yes: bool, as_name: str | None) -> None:
    """Looks for the counterpart of every BILL object that waits for a decision.

    A match is certain when two independent facts agree (such as the name and the tax id, or the name and the type of
    an account), none contradicts, and nothing else fits. With one fact, or with one against it, it is likely at most,
    with a score and all facts; two ledger objects that fit equally are ambiguous. What you decided is never changed.
    """
    warehouse, actor = opened(), acting(as_name)
    which = Accept(accept) if accept else None
    only = None
    if which is Accept.LIKELY and not yes:
        only = _confirmed(output, warehouse, key, min_score)
    matched = suggest_and_accept(warehouse, key, which, actor, min_score=min_score, only=only)
    document = {
        "integration": key,
        "kinds": [{**asdict(one), "accepted": matched.accepted_of(one.kind)} for one in matched.suggested],
        "coverage": [asdict(one) for one in matched.coverage],
        "next_step": matched.next_step,
    }

    def render(console: Console) -> None:
        columns = ("Kind", "Certain", "Likely", "Ambiguous", "No match", "Decided", "Accepted")
        rows = [
            (
                *(words(one.kind), one.exact, one.likely, one.ambiguous, one.without, one.decided),
                matched.accepted_of(one.kind),
            )
            for one in matched.suggested
        ]
        console.print(table(columns, rows, optional=("Ambiguous", "No match", "Decided", "Accepted")))
        console.print(f"Next: {matched.next_step}", soft_wrap=True)
        if matched.may_sync and matched.next_step != (sync := f"billcom sync {key}"):
            console.print(f"Syncing may run already: {sync}", soft_wrap=True)

    output.result(document, render)


def _confirmed(output: Output, warehouse: Warehouse, key: str, min_score: int) -> list[Acceptance]:
    """What is to be accepted, after it was shown and confirmed.

    Raises:
        CommandFailed: nobody can be asked, or the answer was no.
    """
    with warehouse.write() as connection:
        suggestions.suggest(connection, key, utc_now())
    with warehouse.read() as connection:
        wanted = suggestions.acceptances(Overviews(connection, key), Accept.LIKELY, min_score=min_score)
    if not wanted:
        return []
    nobody = CommandFailed(
        f"{counted(len(wanted), 'match', 'matches')} would be accepted, and nobody can be asked. Add --yes, or see "
        f"them first with: billcom mappings show {key}",
        ExitCode.WRONG_USE,
    )
    if output.as_json:
        raise nobody
    columns = ("Kind", "In BILL", "In the ledger", "Score", "Why")
    rows = [(words(one.kind), one.bill_name, one.ledger_name, one.score, one.reason) for one in wanted]
    output.out.print(table(columns, rows, wrap=("Why",)))
    try:
        is_wanted = click.confirm(f"Map these {len(wanted):,}?", err=True)
    except click.Abort:
        raise nobody from None
    if not is_wanted:
        raise CommandFailed("Nothing was mapped.")
    return wanted


@mappings.command(examples=(f"billcom mappings export acme-us --output {REVIEW_FILE}",))
@key_argument
@_kinds_option
@output_options
@pass_output
def export(output: Output, key: str, kinds: tuple[str, ...], path: str | None, force: bool) -> None:
    """Writes all mappings as a CSV file for a spreadsheet, with the suggestions beside each row that is not decided.

    To decide a row write the ledger's id, number or name into its column ledger_id, or none to leave it unmapped for
    good, or undecided to take a decision back; then give the file to: billcom mappings import
    """
    warehouse = opened()
    if path is not None and force:
        _refuse_to_lose_decisions(warehouse, key, path)
    with warehouse.write() as connection:
        suggestions.suggest(connection, key, utc_now(), kinds or tuple(KINDS))
        text = review_file.export_csv(Overviews(connection, key, kinds or tuple(KINDS)))
    command = f"billcom mappings import {key} {path}"
    written(
        output, warehouse, text, path, {"integration": key, "next_step": command}, what="The mappings were", force=force
    )
    if path is not None:
        output.note(f"Decide in its column ledger_id. Next: {command}")


def _refuse_to_lose_decisions(warehouse: Warehouse, key: str, path: str) -> None:
    """A file whose decisions were not imported is not written over, even when that is forced."""
    if not Path(path).is_file():
        return
    try:
        with warehouse.read() as connection:
            report = review_import.import_csv(
                connection, key, path, actor=acting(), now=utc_now(), confirmed=True, dry_run=True
            )
    except FileRefused:
        # Whatever it is, the user has said that it may go; but decisions with a slip among them may not.
        is_theirs = "ledger_id" in Path(path).read_bytes()[:_HEAD].decode("utf-8", "replace")
        pending = "decisions that cannot be read as they are" if is_theirs else ""
    else:
        waiting = counted(len(report.changes), "decision that was not imported", "decisions that were not imported")
        pending = waiting if report.changes else ""
    if pending:
        raise CommandFailed(
            f"{path} holds {pending} and was left as it is. Import it first: billcom mappings import {key} {path}, "
            "or delete it yourself.",
            ExitCode.WRONG_USE,
        )


@mappings.command(
    "import",
    examples=(
        f"billcom mappings import acme-us {REVIEW_FILE} --dry-run",
        f"billcom mappings import acme-us {REVIEW_FILE}",
    ),
)
@key_argument
@click.argument("file", metavar="FILE")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.option("--confirm-types", is_flag=True, help="Let accounts go onto accounts of types that do not go together.")
@as_option
@pass_output
def import_(output: Output, /, *, key: str, file: str, dry_run: bool, confirm_types: bool, as_name: str | None) -> None:
    """Takes the decisions that were written into an exported file: all of them, or none when a line is wrong."""
    actor = acting(as_name, How.IMPORT)
    with opened().write() as connection:
        report = review_import.import_csv(
            connection, key, file, actor=actor, now=utc_now(), confirmed=confirm_types, dry_run=dry_run
        )
        step = next_command(gate(connection, key), Overviews(connection, key))
    if dry_run:
        step = f"billcom mappings import {key} {file}"

    def render(console: Console) -> None:
        _render_changes(console, report.changes, everything=dry_run)
        would = "would be " if dry_run else ""
        console.print(
            f"{report.mapped:,} {would}newly mapped, {report.unmapped:,} left unmapped by hand, "
            f"{report.taken_back:,} taken back, {report.unchanged:,} unchanged, {report.undecided:,} not decided.",
            soft_wrap=True,
        )
        for note in report.notes:
            console.print(f"Note: {note}.", soft_wrap=True)
        console.print(f"Next: {step}", soft_wrap=True)

    output.result({**asdict(report), "dry_run": dry_run, "next_step": step}, render)


def _render_changes(console: Console, changes: Sequence[review_import.Change], *, everything: bool) -> None:
    shown = changes if everything else changes[:_SHOWN_OF_A_KIND]
    if shown:
        rows = [(words(one.kind), one.bill_name or one.bill_id, one.old, one.new) for one in shown]
        console.print(table(("Kind", "In BILL", "Before", "After"), rows))
    if len(shown) < len(changes):
        console.print(f"... and {len(changes) - len(shown):,} more.")
