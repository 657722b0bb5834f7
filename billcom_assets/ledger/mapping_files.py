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
from billcom_assets.ledger.integrations import require_integration
from billcom_assets.ledger.kinds import KINDS, mirror
from billcom_assets.ledger.links import Link, Links, State
from billcom_assets.ledger.mapping_rows import NONE
from billcom_assets.ledger.matching import Method
from billcom_assets.ledger.overview import Overview, overview
from billcom_assets.ledger.problems import Problems, quoted
from billcom_assets.ledger.spreadsheets import unprotected

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


@dataclass(slots=True)
class _Decisions:
    """Decisions of one kind that differ from what is stored."""

    view: Overview
    left_empty: int = 0
    """Rows with an empty cell although the object is mapped."""
    ledger_ids: dict[str, str | None] = field(default_factory=dict)


@dataclass(slots=True)
class _Reading:
    """A file on its way to becoming decisions."""

    integration: str
    file: str
    problems: Problems
    decisions: dict[str, _Decisions] = field(default_factory=dict)
    lines: dict[tuple[str, str], int] = field(default_factory=dict)
    unchanged: int = 0
    undecided: int = 0

    def refuse(self, row: CsvRow, message: str) -> None:
        """Notes a problem of the row."""
        self.problems.add(self.file, row.line, message)


def import_csv(
    conn: Connection, integration: str, path: str | os.PathLike[str], *, by: str, now: datetime
) -> MappingImportReport:
    """Takes the decisions of a CSV file, all or none; BILL objects that are not in it keep theirs.

    Args:
        conn: Connection in a transaction of the caller's.
        integration: Integration key.
        path: A file as :func:`export_csv` writes it; the columns kind, bill_id and ledger_id suffice.
        by: Who decides.
        now: When.

    Raises:
        FileRefused: the file is unusable, or a row names an unknown kind, an object of another integration, an unknown
            or deactivated ledger object, or an object twice; nothing was changed.
        UnknownIntegration: there is no such integration.
    """
    require_integration(conn, integration)
    problems = Problems()
    table = read_csv(path, LAYOUT, problems)
    reading = _Reading(integration, os.fspath(path), problems)
    if table is not None:
        _read_decisions(conn, reading, table)
    problems.refuse_if_any("No mapping was changed;")
    for kind, decisions in reading.decisions.items():
        _store(Links(conn, integration, kind), decisions, by, now)
    made = [ledger_id for decisions in reading.decisions.values() for ledger_id in decisions.ledger_ids.values()]
    return MappingImportReport(
        integration,
        mapped=len(made) - made.count(None),
        unmapped=made.count(None),
        unchanged=reading.unchanged,
        undecided=reading.undecided,
        notes=tuple(note for decisions in reading.decisions.values() for note in _notes(decisions)),
    )


def _read_decisions(conn: Connection, reading: _Reading, table: CsvTable) -> None:
    by_kind: dict[str, list[CsvRow]] = defaultdict(list)
    for row in table.rows:
        stated = unprotected(row["integration"])
        if stated and stated != reading.integration:
            reading.refuse(row, f"the row belongs to the integration {quoted(stated)}, not to {reading.integration}")
        elif (kind := same(row["kind"]).replace(" ", "_")) not in KINDS:
            reading.refuse(row, f"{quoted(row['kind'])} is no kind of object; known are {', '.join(KINDS)}")
        else:
            by_kind[kind].append(row)
    for kind, rows in by_kind.items():
        view = overview(conn, reading.integration, KINDS[kind])
        decisions = reading.decisions[kind] = _Decisions(view)
        foreign = _owners_elsewhere(conn, reading.integration, view, rows)
        directory = _Directory(view)
        for row in rows:
            _read_row(reading, decisions, directory, foreign, row)


def _read_row(
    reading: _Reading, decisions: _Decisions, directory: _Directory, foreign: Mapping[str, str], row: CsvRow
) -> None:
    view, bill_id, wanted = decisions.view, unprotected(row["bill id"]), unprotected(row["ledger id"])
    first = reading.lines.setdefault((view.kind.name, bill_id), row.line)
    if first != row.line:
        reading.refuse(row, f"{view.kind.title} {quoted(bill_id)} is on line {first} already")
        return
    if bill_id not in view.bill and bill_id not in view.links:
        elsewhere = f" but of {foreign[bill_id]}" if bill_id in foreign else ""
        reading.refuse(row, f"{quoted(bill_id)} is no {view.kind.title} of {reading.integration}{elsewhere}")
        return
    link = view.links.get(bill_id)
    current = link.ledger_id or NONE if link is not None and link.is_decided else ""
    if not wanted:
        reading.undecided += 1
        decisions.left_empty += bool(current)
    elif wanted == current:
        reading.unchanged += 1
    elif same(wanted) == NONE:
        decisions.ledger_ids[bill_id] = None
    else:
        _read_ledger_id(reading, decisions, directory, row, (bill_id, wanted, current))


def _read_ledger_id(
    reading: _Reading, decisions: _Decisions, directory: _Directory, row: CsvRow, cells: tuple[str, str, str]
) -> None:
    bill_id, wanted, current = cells
    ledger_id = directory.find(wanted)
    found = decisions.view.bill.get(bill_id)
    if ledger_id is None:
        reading.refuse(row, directory.unknown(wanted))
    elif ledger_id == current:
        reading.unchanged += 1
    elif not decisions.view.ledger[ledger_id].active:
        reading.refuse(row, f"the ledger's {quoted(ledger_id)} is deactivated; choose one that is in use")
    elif found is None or found.deleted:
        reading.refuse(row, f"{decisions.view.kind.title} {quoted(bill_id)} is no longer in BILL")
    else:
        decisions.ledger_ids[bill_id] = ledger_id


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
    unknown = sorted({unprotected(row["bill id"]) for row in rows} - view.bill.keys())
    if not unknown:
        return {}
    t = mirror().table(view.kind.name).c
    others = conn.execute(
        select(t.id, t.integration).where(t.integration != integration, t.id.in_(unknown[:_LOOKED_UP_ELSEWHERE]))
    )
    return {row.id: row.integration for row in others}


def _store(links: Links, decisions: _Decisions, by: str, now: datetime) -> None:
    links.remove(decisions.ledger_ids.keys() & decisions.view.links.keys())
    links.add(
        Link(
            bill_id=bill_id,
            ledger_id=ledger_id,
            state=State.UNMAPPED if ledger_id is None else State.MAPPED,
            method=Method.MANUAL,
            score=None,
            reason="decided by hand",
            decided_by=by,
            decided_at=now,
        )
        for bill_id, ledger_id in decisions.ledger_ids.items()
    )


def _notes(decisions: _Decisions) -> Iterator[str]:
    view = decisions.view
    what = view.kind.name.replace("_", " ")
    if decisions.left_empty:
        yield (
            f"{decisions.left_empty} {what} have an empty ledger_id although they are mapped, and stay mapped; "
            f'write "{NONE}" to undo a mapping'
        )
    owners: dict[str, list[str]] = defaultdict(list)
    before = {link.bill_id: link.ledger_id for link in view.of_state(State.MAPPED)}
    for bill_id, ledger_id in (before | decisions.ledger_ids).items():
        if ledger_id is not None and bill_id in view.relevant:
            owners[ledger_id].append(bill_id)
    for ledger_id in sorted({id_ for id_ in decisions.ledger_ids.values() if id_ is not None}):
        if len(owners[ledger_id]) > 1:
            shown = ", ".join(sorted(owners[ledger_id])[:5])
            yield f"{len(owners[ledger_id])} {what} of BILL are mapped to {quoted(ledger_id)}: {shown}"
