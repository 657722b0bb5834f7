"""Taking the decisions that a user wrote into an exported CSV of mappings.

The decision is the cell ``ledger_id``: an id, a number or a unique name maps the BILL object to that ledger object,
``none`` leaves it unmapped for good, ``undecided`` takes a decision back, an empty cell changes nothing. Names that
the file holds beside the ids must be those of the ids: a column that has shifted is found that way.
"""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select

from billcom_assets.ledger.account_types import family, in_words
from billcom_assets.ledger.csv_files import read_csv
from billcom_assets.ledger.hierarchy import same
from billcom_assets.ledger.problems import FileProblems, quoted
from billcom_assets.ledger.tables import CsvRow, CsvTable, Field, Layout
from billcom_assets.mapping.directory import Directory
from billcom_assets.mapping.kinds import KINDS
from billcom_assets.mapping.links import Link, Links, LinkState, Method
from billcom_assets.mapping.overview import Overview, overview
from billcom_assets.mapping.proposals import Proposals
from billcom_assets.mapping.review_file import NONE
from billcom_assets.mapping.suggestions import suggest
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.audit import Actor, Decision, What
from billcom_assets.warehouse.catalog_mirror import catalog_mirror
from billcom_assets.warehouse.known_integrations import require_integration

UNDECIDED = "undecided"
"""In the cell ledger_id: the decision on this BILL object is taken back."""

_LOOKED_UP_ELSEWHERE = 500
_SCIENTIFIC = re.compile(r"\d(?:[.,]\d+)?e\+\d+", re.IGNORECASE)

LAYOUT = Layout(
    "mappings",
    (
        Field("integration", ("integration",)),
        Field("kind", ("kind",), required=True),
        Field("bill id", ("bill_id", "BILL id"), required=True),
        Field("bill name", ("bill_name", "BILL name")),
        Field("ledger id", ("ledger_id", "ledger id"), required=True),
        Field("ledger name", ("ledger_name", "ledger name")),
    ),
)


@dataclass(frozen=True, slots=True)
class Change:
    """A decision that an import makes, changes or takes back."""

    kind: str
    bill_id: str
    bill_name: str
    old: str
    """Name of the ledger object, ``none`` or ``undecided``."""
    new: str


@dataclass(frozen=True, slots=True)
class MappingImportReport:
    """What :func:`import_csv` did, or would do, in rows of the file."""

    integration: str
    mapped: int
    """Newly mapped, or mapped to another ledger object than before."""
    unmapped: int
    """Left unmapped by hand from now on."""
    taken_back: int
    """Decided before, and waiting for a decision again."""
    unchanged: int
    undecided: int
    """Without a decision in the file: left as they were."""
    notes: tuple[str, ...]
    """What was done as asked, but may not be meant."""
    changes: tuple[Change, ...]


def import_csv(
    conn: Connection,
    integration: str,
    path: str | os.PathLike[str],
    *,
    actor: Actor,
    now: datetime,
    confirmed: bool = False,
    dry_run: bool = False,
) -> MappingImportReport:
    """Takes the decisions of a CSV file, all or none; BILL objects that are not in it keep theirs.

    Args:
        conn: Connection in a transaction of the caller's.
        integration: Integration key.
        path: A file as :func:`export_csv` writes it; the columns kind, bill_id and ledger_id suffice.
        actor: Who decides.
        now: When.
        confirmed: Accounts may go onto accounts of types that do not go together.
        dry_run: Only say what would change.

    Raises:
        FileRefused: the file is unusable, or a row names an unknown kind, an object of another integration, an unknown
            or deactivated ledger object, an object twice, or a name that is not that of its id; nothing was changed.
        UnknownIntegration: there is no such integration.
    """
    require_integration(conn, integration)
    problems = FileProblems()
    table = read_csv(path, LAYOUT, problems)
    readers = [] if table is None else _read(conn, integration, table, problems, confirmed=confirmed)
    problems.refuse_if_any("No mapping was changed;")
    report = _report(integration, readers)
    if dry_run or table is None:
        return report
    decisions = [
        decision for reader in readers for decision in _store(conn, integration, reader, by=actor.name, now=now)
    ]
    names = ("mapped", "unmapped", "taken_back", "unchanged", "undecided")
    counts = {name: getattr(report, name) for name in names}
    imported = Decision(What.MAPPINGS_IMPORTED, "mappings", integration, after={"file": table.origin, **counts})
    audit.record_all(conn, actor, [imported, *decisions], now)
    if decisions:
        # A mapped account tells where items and bank accounts go; what was taken back waits again.
        suggest(conn, integration, now)
    return report


def _report(integration: str, readers: Iterable[_Reader]) -> MappingImportReport:
    readers = list(readers)
    made = Counter(decision.state for reader in readers for decision in reader.decisions.values())
    return MappingImportReport(
        integration,
        mapped=made[LinkState.MAPPED],
        unmapped=made[LinkState.UNMAPPED],
        taken_back=made[None],
        unchanged=sum(reader.unchanged for reader in readers),
        undecided=sum(reader.undecided for reader in readers),
        notes=tuple(note for reader in readers for note in _notes(reader)),
        changes=tuple(change for reader in readers for change in reader.changes()),
    )


def _read(
    conn: Connection, integration: str, table: CsvTable, problems: FileProblems, *, confirmed: bool
) -> list[_Reader]:
    readers = []
    for kind, rows in _by_kind(integration, table, problems).items():
        view = overview(conn, integration, KINDS[kind])
        foreign = _owners_elsewhere(conn, integration, view, rows)
        reader = _Reader(integration, table.file, problems, view, foreign, confirmed)
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


@dataclass(frozen=True, slots=True)
class _Decision:
    state: LinkState | None
    """None takes a decision back."""
    ledger_id: str | None = None


@dataclass(slots=True)
class _Reader:
    """Takes the decisions of one kind from the rows of a file."""

    integration: str
    file: str
    problems: FileProblems
    view: Overview
    foreign: Mapping[str, str]
    """Other integrations by the id of BILL objects that this one does not have."""
    confirmed: bool
    directory: Directory = field(init=False)
    decisions: dict[str, _Decision] = field(default_factory=dict)
    """By BILL id, where they differ from what is stored."""
    lines: dict[str, int] = field(default_factory=dict)
    unchanged: int = 0
    undecided: int = 0
    left_empty: int = 0
    """Rows with an empty cell although the object is mapped."""

    def __post_init__(self) -> None:
        self.directory = Directory(self.view)

    def read(self, row: CsvRow) -> None:
        """Takes one row's decision, or notes what is wrong with it."""
        bill_id = row["bill id"]
        problem = self._misnamed(row)
        if problem is not None:
            self._refuse(row, problem)
            return
        link = self.view.links.get(bill_id)
        current = None if link is None else _Decision(link.state, link.ledger_id)
        wanted = row["ledger id"] or self._named_instead(row, current)
        if not wanted:
            self.undecided += 1
            self.left_empty += current is not None
            return
        decision = self._decision(row, bill_id, wanted)
        if decision is None:
            return
        if decision == (current or _Decision(None)):
            self.unchanged += 1
        elif decision.ledger_id is None or self._may_be_mapped(row, bill_id, decision.ledger_id):
            self.decisions[bill_id] = decision

    def changes(self) -> Iterator[Change]:
        """What the decisions change, by name."""
        for bill_id, decision in self.decisions.items():
            link = self.view.links.get(bill_id)
            old = UNDECIDED if link is None else self._shown(link.state, link.ledger_id)
            new = self._shown(decision.state, decision.ledger_id)
            yield Change(self.view.kind.name, bill_id, self.view.bill_name(bill_id), old, new)

    def _shown(self, state: LinkState | None, ledger_id: str | None) -> str:
        if state is None:
            return UNDECIDED
        return NONE if ledger_id is None else self.view.ledger_name(ledger_id) or ledger_id

    def _misnamed(self, row: CsvRow) -> str | None:
        """What is wrong with the BILL object that a row names, or None."""
        bill_id, title = row["bill id"], self.view.kind.title
        first = self.lines.setdefault(bill_id, row.line)
        if first != row.line:
            return f"{title} {quoted(bill_id)} is on line {first} already"
        if bill_id not in self.view.bill and bill_id not in self.view.links:
            elsewhere = f" but of {self.foreign[bill_id]}" if bill_id in self.foreign else ""
            return f"{quoted(bill_id)} is no {title} of {self.integration}{elsewhere}{_mangled(bill_id)}"
        stated, name = row["bill name"], self.view.bill_name(bill_id)
        if stated and name and same(stated) != same(name):
            return (
                f"{title} {quoted(bill_id)} is {quoted(name)} in BILL, but the row says {quoted(stated)}; "
                "the columns of the file have shifted, or BILL has renamed it. Export the mappings again"
            )
        return None

    def _named_instead(self, row: CsvRow, current: _Decision | None) -> str:
        """The ledger's name that was typed where no id was; empty when it only repeats what is decided."""
        return "" if current is not None else row["ledger name"]

    def _decision(self, row: CsvRow, bill_id: str, wanted: str) -> _Decision | None:
        """The decision of a row, or None after noting what is wrong with it."""
        if same(wanted) == UNDECIDED:
            return _Decision(None)
        link = self.view.links.get(bill_id)
        found = self.directory.find(wanted)
        is_none = same(wanted) == NONE
        is_kept = link is not None and link.ledger_id == wanted
        if not is_none and not is_kept and found.ledger_id is None:
            self._refuse(row, found.problem + _mangled(wanted))
            return None
        meant = None if is_none else found.ledger_id or wanted
        if self._is_misnamed(row, meant, link):
            self._refuse(row, _misnamed(wanted, self.view.ledger_name(meant), row["ledger name"]))
            return None
        return _Decision(LinkState.UNMAPPED if meant is None else LinkState.MAPPED, meant)

    def _is_misnamed(self, row: CsvRow, ledger_id: str | None, link: Link | None) -> bool:
        """The name beside the id is that of something else."""
        stated, name = row["ledger name"], self.view.ledger_name(ledger_id)
        if not stated or (ledger_id is not None and not name):
            return False
        if ledger_id is None:
            return link is not None and link.state is LinkState.MAPPED
        return same(stated) != same(name) and self.directory.find(stated).ledger_id != ledger_id

    def _may_be_mapped(self, row: CsvRow, bill_id: str, ledger_id: str) -> bool:
        found, counterpart = self.view.bill.get(bill_id), self.view.ledger[ledger_id]
        ours = found.candidate.type if found is not None else None
        theirs = counterpart.candidate.type
        if not counterpart.active:
            self._refuse(row, f"the ledger's {quoted(counterpart.label)} is deactivated; choose one that is in use")
        elif found is None or found.deleted:
            self._refuse(row, f"{self.view.kind.title} {quoted(bill_id)} is no longer in BILL")
        elif not self.confirmed and ours and theirs and family(ours) != family(theirs):
            self._refuse(
                row,
                f"{quoted(found.candidate.label)} is of type {in_words(ours)} in BILL, {quoted(counterpart.label)} of "
                f"type {in_words(theirs)} in the ledger; if that is meant, repeat the command with --confirm-types",
            )
        else:
            return True
        return False

    def _refuse(self, row: CsvRow, message: str) -> None:
        self.problems.add(self.file, row.line, message)


def _misnamed(wanted: str, meant: str, stated: str) -> str:
    means = quoted(meant) if meant else "nothing"
    return (
        f"{quoted(wanted)} means {means} in the ledger, but the row says {quoted(stated)}; the columns of the file "
        "have shifted, or only the id was changed. Write the name that belongs to the id into ledger_name, or empty it"
    )


def _mangled(text: str) -> str:
    """Advice on a code that a spreadsheet has made a number of."""
    if not _SCIENTIFIC.fullmatch(text):
        return ""
    return (
        "; a spreadsheet has made a number of it. Format the column as text before you open the file, "
        "and export the mappings again"
    )


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


def _store(conn: Connection, integration: str, reader: _Reader, *, by: str, now: datetime) -> list[Decision]:
    """Keeps the decisions in place of earlier ones; returns them for the audit log."""
    before, kind = reader.view.links, reader.view.kind.name
    links = Links(conn, integration, kind)
    decided = {
        bill_id: None if decision.state is None else _link(bill_id, decision.state, decision.ledger_id, by, now)
        for bill_id, decision in reader.decisions.items()
    }
    links.remove(decided.keys() & before.keys())
    links.add(link for link in decided.values() if link is not None)
    Proposals(conn, integration, kind).remove(bill_id for bill_id, link in decided.items() if link is not None)
    return [links.decision(bill_id, before.get(bill_id), link) for bill_id, link in decided.items()]


def _link(bill_id: str, state: LinkState, ledger_id: str | None, by: str, now: datetime) -> Link:
    return Link(bill_id, ledger_id, state, Method.MANUAL, None, "decided by hand", by, now)


def _notes(reader: _Reader) -> Iterator[str]:
    view = reader.view
    what = view.kind.name.replace("_", " ")
    if reader.left_empty:
        yield (
            f"{reader.left_empty} {what} have an empty ledger_id although they are decided, and stay so; "
            f'write "{UNDECIDED}" to take a decision back, "{NONE}" to leave an object unmapped'
        )
    owners: dict[str, list[str]] = defaultdict(list)
    after = {id_: link.ledger_id for id_, link in view.links.items()}
    after |= {id_: decision.ledger_id for id_, decision in reader.decisions.items()}
    for bill_id, ledger_id in after.items():
        if ledger_id is not None and bill_id in view.relevant:
            owners[ledger_id].append(view.bill_name(bill_id))
    for ledger_id in sorted({one.ledger_id for one in reader.decisions.values() if one.ledger_id is not None}):
        if len(owners[ledger_id]) > 1:
            shown = ", ".join(map(quoted, sorted(owners[ledger_id])[:5]))
            name = quoted(view.ledger_name(ledger_id))
            yield f"{len(owners[ledger_id])} {what} of BILL are mapped to {name}: {shown}"
