"""``billcom mappings``: which ledger object each BILL object stands for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import click
from rich.console import Console

from billcom_assets.cli.app import BillcomGroup
from billcom_assets.cli.database import opened
from billcom_assets.cli.files import output_options, written
from billcom_assets.cli.options import acting, as_option, key_argument
from billcom_assets.cli.output import Output, pass_output, table, words
from billcom_assets.cli.status import coverage_table
from billcom_assets.clock import utc_now
from billcom_assets.mapping import review_file, review_import, suggestions
from billcom_assets.mapping.coverage import Coverage, StaleLink, mapping_coverage, stale_links
from billcom_assets.mapping.kinds import KINDS
from billcom_assets.mapping.review_file import MappingRow
from billcom_assets.mapping.suggestions import Accept, KindAccepted, KindSuggestions
from billcom_assets.setup.prerequisites import Finding, next_step
from billcom_assets.status.readiness import gate
from billcom_assets.warehouse.audit import Actor, How
from billcom_assets.warehouse.engine import Warehouse

_SHOWN_OF_A_KIND = 20

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
    """Shows how far each kind is mapped, what waits for a decision, and links whose one end has gone."""
    chosen = kinds or tuple(KINDS)
    with opened().read() as connection:
        rows = review_file.show(connection, key, chosen)
        coverage = [one for one in mapping_coverage(connection, key) if one.kind in chosen]
        stale = [one for one in stale_links(connection, key) if one.kind in chosen]
    document = {
        "integration": key,
        "coverage": [asdict(one) for one in coverage],
        "rows": [asdict(row) for row in rows],
        "stale": [asdict(one) for one in stale],
    }

    def render(console: Console) -> None:
        console.print(coverage_table(coverage))
        _render_rows(console, rows, everything=everything)
        _render_stale(console, stale)
        if any(one.suggested + one.unmapped for one in coverage):
            console.print(f"Next: billcom mappings suggest {key} --accept exact, then decide by hand what is left with")
            console.print(f"      billcom mappings export {key} --output mappings.csv")

    output.result(document, render)


def _render_rows(console: Console, rows: Sequence[MappingRow], *, everything: bool) -> None:
    wanted = [row for row in rows if everything or row.state in {"", "suggested"}]
    seen: Counter[str] = Counter()
    printed = []
    for row in wanted:
        seen[row.kind] += 1
        if everything or seen[row.kind] <= _SHOWN_OF_A_KIND:
            printed.append(
                (
                    words(row.kind),
                    row.bill_number,
                    row.bill_name,
                    row.in_use,
                    row.state or "open",
                    row.ledger_name or row.suggested_ledger_name,
                    row.reason,
                )
            )
    if printed:
        console.print()
        columns = ("Kind", "Number", "In BILL", "In use", "State", "In the ledger", "Why")
        console.print(table(columns, printed, wrap=("Why",)))
    if len(printed) < len(wanted):
        console.print(f"... and {len(wanted) - len(printed):,} more; --all shows them.")


def _render_stale(console: Console, stale: Sequence[StaleLink]) -> None:
    if not stale:
        return
    console.print()
    wrong = "What is wrong with the link"
    columns = ("Kind", "BILL id", "Ledger id", wrong)
    rows = [(words(one.kind), one.bill_id, one.ledger_id, "; ".join(one.reasons)) for one in stale]
    console.print(table(columns, rows, wrap=(wrong,)))


@dataclass(frozen=True)
class Matched:
    """What a search for counterparts found and did."""

    integration: str
    suggested: list[KindSuggestions]
    accepted: list[KindAccepted] | None
    coverage: list[Coverage]
    """Where the mapping stands then."""
    missing: list[Finding]
    """Prerequisites of a full sync that do not hold then."""

    def accepted_of(self, kind: str) -> int:
        """How many were accepted now."""
        return sum(one.accepted for one in self.accepted if one.kind == kind) if self.accepted else 0

    @property
    def accepted_total(self) -> int:
        """How many of all kinds were accepted now."""
        return sum(one.accepted for one in self.accepted) if self.accepted else 0

    @property
    def is_complete(self) -> bool:
        """True when nothing is left to decide."""
        return not any(one.suggested + one.unmapped for one in self.coverage)

    @property
    def next_step(self) -> str:
        """The command that brings the integration on."""
        if self.accepted is None and any(one.exact for one in self.suggested):
            return f"billcom mappings suggest {self.integration} --accept exact"
        return next_step(self.integration, self.missing)


def suggest_and_accept(warehouse: Warehouse, key: str, which: Accept | None, actor: Actor | None = None) -> Matched:
    """Proposes matches and accepts some of them, in one transaction.

    ``actor`` is whoever runs the process unless given.

    Raises:
        UnknownIntegration: there is no such integration.
    """
    now, actor = utc_now(), actor or acting()
    with warehouse.write() as connection:
        return Matched(
            integration=key,
            suggested=suggestions.suggest(connection, key, now),
            accepted=suggestions.accept(connection, key, which, actor=actor, now=now) if which else None,
            coverage=mapping_coverage(connection, key),
            missing=gate(connection, key),
        )


@mappings.command(examples=("billcom mappings suggest acme-us --accept exact",))
@key_argument
@click.option(
    "--accept",
    type=click.Choice([which.value for which in Accept]),
    help="Map the certain matches (exact), or the likely ones too (all).",
)
@as_option
@pass_output
def suggest(output: Output, key: str, accept: str | None, as_name: str | None) -> None:
    """Looks for the counterpart of every BILL object that has none yet.

    A match is certain when number and type, the whole name, the tax id or the e-mail address are the same and nothing
    else fits; otherwise it is likely, with a score and the reason. What you decided by hand is never changed.
    """
    matched = suggest_and_accept(opened(), key, Accept(accept) if accept else None, acting(as_name))
    document = {
        "integration": key,
        "kinds": [{**asdict(one), "accepted": matched.accepted_of(one.kind)} for one in matched.suggested],
        "coverage": [asdict(one) for one in matched.coverage],
        "next_step": matched.next_step,
    }

    def render(console: Console) -> None:
        columns = ("Kind", "Certain", "Likely", "Without a match", "Decided before", "Accepted now")
        rows = [
            (words(one.kind), one.exact, one.likely, one.without, one.decided, matched.accepted_of(one.kind))
            for one in matched.suggested
        ]
        console.print(table(columns, rows))
        if not matched.is_complete:
            console.print(f"What is left can be decided by hand: billcom mappings export {key} --output mappings.csv")
        console.print(f"Next: {matched.next_step}", soft_wrap=True)

    output.result(document, render)


@mappings.command(examples=("billcom mappings export acme-us --output mappings.csv",))
@key_argument
@_kinds_option
@output_options
@pass_output
def export(output: Output, key: str, kinds: tuple[str, ...], path: str | None, force: bool) -> None:
    """Writes all mappings as a CSV file for a spreadsheet, with the suggestion beside each row that is not decided.

    To decide a row write the ledger's id into its column ledger_id, or none to leave it unmapped for good; then give
    the file to: billcom mappings import
    """
    warehouse = opened()
    with warehouse.read() as connection:
        text = review_file.export_csv(connection, key, kinds or tuple(KINDS))
    written(output, warehouse, text, path, {"integration": key}, what="The mappings were", force=force)


@mappings.command("import", examples=("billcom mappings import acme-us mappings.csv",))
@key_argument
@click.argument("file", metavar="FILE")
@as_option
@pass_output
def import_(output: Output, key: str, file: str, as_name: str | None) -> None:
    """Takes the decisions that were written into an exported file: all of them, or none when a line is wrong."""
    actor = acting(as_name, How.IMPORT)
    with opened().write() as connection:
        report = review_import.import_csv(connection, key, file, actor=actor, now=utc_now())

    def render(console: Console) -> None:
        console.print(
            f"{report.mapped:,} newly mapped, {report.unmapped:,} left unmapped by hand, {report.unchanged:,} "
            f"unchanged, {report.undecided:,} not decided.",
            soft_wrap=True,
        )
        for note in report.notes:
            console.print(f"Note: {note}.", soft_wrap=True)
        console.print(f"Next: billcom status {key}")

    output.result({**asdict(report), "next_step": f"billcom status {key}"}, render)
