"""Taking the decisions that a user wrote into an exported CSV of mappings.

The decision is the cell ``ledger_id``: an id maps the BILL object to it, ``none`` leaves it unmapped for good, an empty
cell changes nothing.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select

from billcom_assets.ledger.csv_files import CsvRow, CsvTable, Field, Layout, read_csv
from billcom_assets.ledger.hierarchy import same
from billcom_assets.ledger.problems import FileProblems, quoted
from billcom_assets.mapping.kinds import KINDS
from billcom_assets.mapping.links import Link, Links, LinkState
from billcom_assets.mapping.matching import Method
from billcom_assets.mapping.overview import Overview, overview
from billcom_assets.mapping.review_file import NONE
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.audit import Actor, Decision, What
from billcom_assets.warehouse.catalog_mirror import catalog_mirror
from billcom_assets.warehouse.known_integrations import require_integration

_LOOKED_UP_ELSEWHERE = 500

LAYOUT = Layout(
    "mappings",
    (
        Field("integration", ("integration",)),
        Field("kind", ("kind",), required=True),
        Field("bill id", ("bill_id", "BILL id"), required=True),
        Field("ledger id", ("ledger_id", "ledger id"), required=True),
    ),
)


@dataclass(frozen=True, slots=True)
class MappingImportReport:
    """What :func:`import_csv` did, in rows of the file."""

    integration: str
    mapped: int
    """Newly mapped, or mapped to another ledger object than before."""
    unmapped: int
    """Left unmapped by hand from now on."""
    unchanged: int
    undecided: int
    """With an empty ledger id: left as they were."""
    notes: tuple[str, ...]
    """What was done as asked, but may not be meant."""


def import_csv(
    conn: Connection, integration: str, path: str | os.PathLike[str], *, actor: Actor, now: datetime
) -> MappingImportReport:
    """Takes the decisions of a CSV file, all or none; BILL objects that are not in it keep theirs.

    Args:
        conn: Connection in a transaction of the caller's.
        integration: Integration key.
        path: A file as :func:`export_csv` writes it; the columns kind, bill_id and ledger_id suffice.
        actor: Who decides.
        now: When.

    Raises:
        FileRefused: the file is unusable, or a row names an unknown kind, an object of another integration, an unknown
            or deactivated ledger object, or an object twice; nothing was changed.
        UnknownIntegration: there is no such integration.
    """
    require_integration(conn, integration)
    problems = FileProblems()
    table = read_csv(path, LAYOUT, problems)
    readers = [] if table is None else _read(conn, integration, table, problems)
    problems.refuse_if_any("No mapping was changed;")
    decisions = [
        decision
        for reader in readers
        for decision in _store(Links(conn, integration, reader.view.kind.name), reader, actor.name, now)
    ]
    made = [ledger_id for reader in readers for ledger_id in reader.decisions.values()]
    report = MappingImportReport(
        integration,
        mapped=len(made) - made.count(None),
        unmapped=made.count(None),
        unchanged=sum(reader.unchanged for reader in readers),
        undecided=sum(reader.undecided for reader in readers),
        notes=tuple(note for reader in readers for note in _notes(reader)),
    )
    if table is not None:
        counts = {name: getattr(report, name) for name in ("mapped", "unmapped", "unchanged", "undecided")}
        imported = Decision(What.MAPPINGS_IMPORTED, "mappings", integration, after={"file": table.origin, **counts})
        audit.record_all(conn, actor, [imported, *decisions], now)
    return report


def _read(conn: Connection, integration: str, table: CsvTable, problems: FileProblems) -> list[_Reader]:
    readers = []
    for kind, rows in _by_kind(integration, table, problems).items():
        view = overview(conn, integration, KINDS[kind])
        reader = _Reader(integration, table.file, problems, view, _owners_elsewhere(conn, integration, view, rows))
        for row in rows:
            reader.read(row)
        readers.append(reader)
    return readers


def _by_kind(integration: str, table: CsvTable, problems: FileProblems) -> dict[str, list[CsvRow]]:
    by_kind: dict[str, list[CsvRow]] = defaultdict(list)
    for row in table.rows:
        stated = row["integration"]
        kind = same(row["kind"]).replace(" ", "_")
        if stated and stated != integration:
            message = f"the row belongs to the integration {quoted(stated)}, not to {integration}"
            problems.add(table.file, row.line, message)
        elif kind not in KINDS:
            message = f"{quoted(row['kind'])} is no kind of object; known are {', '.join(KINDS)}"
            problems.add(table.file, row.line, message)
        else:
            by_kind[kind].append(row)
    return by_kind


@dataclass(slots=True)
class _Reader:
    """Takes the decisions of one kind from the rows of a file."""

    integration: str
    file: str
    problems: FileProblems
    view: Overview
    foreign: Mapping[str, str]
    """Other integrations by the id of BILL objects that this one does not have."""
    directory: _Directory = field(init=False)
    decisions: dict[str, str | None] = field(default_factory=dict)
    """Ledger ids by BILL id, where they differ from what is stored; None leaves an object unmapped."""
    lines: dict[str, int] = field(default_factory=dict)
    unchanged: int = 0
    undecided: int = 0
    left_empty: int = 0
    """Rows with an empty cell although the object is mapped."""

    def __post_init__(self) -> None:
        self.directory = _Directory(self.view)

    def read(self, row: CsvRow) -> None:
        """Takes one row's decision, or notes what is wrong with it."""
        bill_id, wanted = row["bill id"], row["ledger id"]
        problem = self._identify(bill_id, row.line)
        link = self.view.links.get(bill_id)
        current = link.ledger_id or NONE if link is not None and link.is_decided else ""
        ledger_id = self.directory.find(wanted)
        if problem is not None:
            self._refuse(row, problem)
        elif not wanted:
            self.undecided += 1
            self.left_empty += bool(current)
        elif current in (wanted, ledger_id):
            self.unchanged += 1
        elif same(wanted) == NONE:
            self.decisions[bill_id] = None
        elif ledger_id is None:
            self._refuse(row, self.directory.unknown(wanted))
        else:
            self._map(row, bill_id, ledger_id)

    def _identify(self, bill_id: str, line: int) -> str | None:
        """What is wrong with the BILL object that a row names, or None."""
        title = self.view.kind.title
        first = self.lines.setdefault(bill_id, line)
        if first != line:
            return f"{title} {quoted(bill_id)} is on line {first} already"
        if bill_id not in self.view.bill and bill_id not in self.view.links:
            elsewhere = f" but of {self.foreign[bill_id]}" if bill_id in self.foreign else ""
            return f"{quoted(bill_id)} is no {title} of {self.integration}{elsewhere}"
        return None

    def _map(self, row: CsvRow, bill_id: str, ledger_id: str) -> None:
        found = self.view.bill.get(bill_id)
        if not self.view.ledger[ledger_id].active:
            self._refuse(row, f"the ledger's {quoted(ledger_id)} is deactivated; choose one that is in use")
        elif found is None or found.deleted:
            self._refuse(row, f"{self.view.kind.title} {quoted(bill_id)} is no longer in BILL")
        else:
            self.decisions[bill_id] = ledger_id

    def _refuse(self, row: CsvRow, message: str) -> None:
        self.problems.add(self.file, row.line, message)


class _Directory:
    """Finds ledger ids as spreadsheets leave them: other case, or leading zeros and ".0" lost or added."""

    def __init__(self, view: Overview) -> None:
        self.view = view
        self.by_spelling: dict[str, list[str]] = defaultdict(list)
        for id_ in view.ledger:
            self.by_spelling[_spelling(id_)].append(id_)

    def find(self, wanted: str) -> str | None:
        """The ledger id meant, or None when there is none or more than one."""
        if wanted in self.view.ledger:
            return wanted
        found = self.by_spelling.get(_spelling(wanted), [])
        return found[0] if len(found) == 1 else None

    def unknown(self, wanted: str) -> str:
        """Says what is wrong with an id that was not found."""
        if len(self.by_spelling.get(_spelling(wanted), [])) > 1:
            return f"{quoted(wanted)} may mean several ledger objects; write the id exactly"
        needed = " of type " + " or ".join(sorted(self.view.kind.ledger_types)) if self.view.kind.ledger_types else ""
        noun = self.view.kind.table.name.removeprefix("ledger_").removesuffix("s")
        return f"the ledger has no {noun}{needed} with the id {quoted(wanted)}"


def _spelling(id_: str) -> str:
    plain = same(id_).removesuffix(".0")
    return plain.lstrip("0") or plain if plain.isdigit() else plain


def _owners_elsewhere(conn: Connection, integration: str, view: Overview, rows: Iterable[CsvRow]) -> dict[str, str]:
    """Other integrations by the id of those BILL objects of the rows that are unknown to this one."""
    unknown = sorted({row["bill id"] for row in rows} - view.bill.keys())
    if not unknown:
        return {}
    t = catalog_mirror().table(view.kind.name).c
    others = conn.execute(
        select(t.id, t.integration).where(t.integration != integration, t.id.in_(unknown[:_LOOKED_UP_ELSEWHERE]))
    )
    return {row.id: row.integration for row in others}


def _store(links: Links, reader: _Reader, by: str, now: datetime) -> list[Decision]:
    """Keeps the decisions in place of earlier ones; returns them for the audit log."""
    before = reader.view.links
    decided = [
        Link(
            bill_id=bill_id,
            ledger_id=ledger_id,
            state=LinkState.UNMAPPED if ledger_id is None else LinkState.MAPPED,
            method=Method.MANUAL,
            score=None,
            reason="decided by hand",
            decided_by=by,
            decided_at=now,
        )
        for bill_id, ledger_id in reader.decisions.items()
    ]
    links.remove(reader.decisions.keys() & before.keys())
    links.add(decided)
    return [links.decision(before.get(link.bill_id), link) for link in decided]


def _notes(reader: _Reader) -> Iterator[str]:
    view = reader.view
    what = view.kind.name.replace("_", " ")
    if reader.left_empty:
        yield (
            f"{reader.left_empty} {what} have an empty ledger_id although they are mapped, and stay mapped; "
            f'write "{NONE}" to undo a mapping'
        )
    owners: dict[str, list[str]] = defaultdict(list)
    before = {link.bill_id: link.ledger_id for link in view.of_state(LinkState.MAPPED)}
    for bill_id, ledger_id in (before | reader.decisions).items():
        if ledger_id is not None and bill_id in view.relevant:
            owners[ledger_id].append(bill_id)
    for ledger_id in sorted({id_ for id_ in reader.decisions.values() if id_ is not None}):
        if len(owners[ledger_id]) > 1:
            shown = ", ".join(sorted(owners[ledger_id])[:5])
            yield f"{len(owners[ledger_id])} {what} of BILL are mapped to {quoted(ledger_id)}: {shown}"
