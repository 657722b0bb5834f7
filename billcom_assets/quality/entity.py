"""Everything that is measured of one entity, with what each measure looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from sqlalchemy import Connection, select

from billcom_assets.documents.sources import WITH_FILES
from billcom_assets.entities.model import Entity
from billcom_assets.mapping.coverage import mapped
from billcom_assets.quality import ledger_facts, measures
from billcom_assets.quality.completeness import completeness
from billcom_assets.quality.documents import missing_files
from billcom_assets.quality.findings import Changes, MeasureFindings
from billcom_assets.quality.measures import IN_USE_KINDS, Quality
from billcom_assets.quality.references import broken_references
from billcom_assets.quality.v2 import waits_for_v2
from billcom_assets.sync.state import EntityState
from billcom_assets.warehouse.catalog_mirror import catalog_mirror, is_live
from billcom_assets.warehouse.tables import sync_state


@dataclass(frozen=True)
class Look:
    """One look at an entity of one integration, after a pull of it."""

    connection: Connection
    """A reading one."""
    integration: str
    entity: Entity
    changes: Changes
    """What the run has written so far."""
    now: datetime
    states: Mapping[str, EntityState]
    """How far the integration's entities are; those that were never begun are left out."""
    limits: tuple[date | None, ...]
    """Cutoff and start of history, which keep objects of BILL out."""

    @property
    def has_changed(self) -> bool:
        """True unless every object is as it was at the look before."""
        return self.is_whole or bool(self.changes.get(self.entity.name))

    @cached_property
    def is_whole(self) -> bool:
        """True when a list was read whole, or was never looked at whole: else the changes are all that is new."""
        s = sync_state.c
        mine = (s.integration == self.integration, s.entity == self.entity.name)
        return (
            self.changes.get(self.entity.name, ()) is None
            or self.connection.scalar(select(s.checked_at).where(*mine)) is None
        )

    def is_worth_keeping(self, taken: Sequence[tuple[Measure, Quality]]) -> bool:
        """False when what was found is known already."""
        return self.is_whole or any(one.is_kept and set(found.found) != self.known(one.name) for one, found in taken)

    def known(self, measure: str) -> set[str]:
        """What the measure has found before."""
        return self.findings(measure).known(self.connection)

    def findings(self, measure: str) -> MeasureFindings:
        """Where it keeps them."""
        return MeasureFindings(self.integration, self.entity.name, measure)


@dataclass(frozen=True)
class Measure:
    """One thing that should hold for an entity."""

    name: str
    description: str
    take: Callable[[Look], Quality]
    is_kept: bool = False
    """What it finds is kept, so that the next look goes on from there."""
    lacks: Callable[[Look], str] = lambda _look: ""
    """What is not there yet that it measures; empty when there is something."""

    def result(self, look: Look) -> Quality:
        """What was found, unless there is nothing to measure."""
        lacking = self.lacks(look)
        return measures.not_measured(lacking) if lacking else self.take(look)


def measures_of(entity: Entity) -> Iterator[Measure]:
    """What is measured of the entity."""
    yield Measure(
        "conservation",
        "Everything that BILL returned was inserted, updated, unchanged, skipped by the cutoff or rejected.",
        lambda look: measures.conservation(look.connection, look.integration, look.entity.name),
    )
    yield Measure(
        "completeness",
        "Every object that BILL sends can be read, none is missing in doubt, and no nightly sweep is overdue.",
        lambda look: completeness(
            look.connection, look.integration, look.entity, look.states.get(look.entity.name), look.now
        ),
    )
    yield Measure(
        "known fields and values",
        "BILL sends no field and no enum value that the catalog does not know; such data is kept in the payload.",
        lambda look: measures.contract(look.connection, look.integration, look.entity.name),
    )
    columns = [*entity.columns, *(column for child in entity.children for column in child.columns)]
    if any(column.references for column in columns):
        yield Measure(
            "references",
            "Live objects refer to objects that are in the mirror and neither deleted nor archived.",
            _references,
            is_kept=True,
            lacks=_no_objects,
        )
    if entity.v2 is not None and not entity.v2.is_short:
        yield Measure(
            "v2",
            "What only BILL's v2 API knows of the objects is there, such as approvals, posting dates and mergers.",
            lambda look: waits_for_v2(look.connection, look.integration, look.entity.name),
            lacks=_no_objects,
        )
    if entity.name in WITH_FILES:
        yield Measure(
            "files",
            "Files attached in BILL are kept, where they are wanted.",
            lambda look: missing_files(look.connection, look.integration, look.entity.name),
            lacks=_no_objects,
        )
    yield from _OF_ENTITIES.get(entity.name, ())


def look_at(look: Look) -> list[tuple[Measure, Quality]]:
    """Takes every measure of the entity."""
    return [(measure, measure.result(look)) for measure in measures_of(look.entity)]


def keep(connection: Connection, look: Look, taken: Sequence[tuple[Measure, Quality]]) -> None:
    """Keeps what the look has found, on a writing connection."""
    for measure, quality in taken:
        if measure.is_kept:
            look.findings(measure.name).keep(connection, quality.found, look.now)
    if look.is_whole:
        s = sync_state.c
        mine = (s.integration == look.integration, s.entity == look.entity.name)
        connection.execute(sync_state.update().where(*mine).values(checked_at=look.now))


def _no_objects(look: Look) -> str:
    t = catalog_mirror().table(look.entity.name)
    there = look.connection.scalar(select(t.c.id).where(is_live(t, look.integration)).limit(1))
    return "" if there is not None else f"there are no {look.entity.name.replace('_', ' ')}"


def _no_objects_or_none_mapped(kind: str) -> Callable[[Look], str]:
    def lacks(look: Look) -> str:
        nothing = "" if mapped(look.connection, look.integration, kind) else f"no {kind} are mapped"
        return _no_objects(look) or nothing

    return lacks


def _references(look: Look) -> Quality:
    return broken_references(
        look.connection,
        look.integration,
        look.entity,
        states=look.states,
        limits=look.limits,
        changes=None if look.is_whole else look.changes,
        known=() if look.is_whole else look.known("references"),
    )


def _unique_names(look: Look) -> Quality:
    known = None if look.has_changed else look.known("unique names")
    return measures.duplicate_vendor_names(look.connection, look.integration, known)


def _used(kind: str) -> Measure:
    title = kind.replace("_", " ")
    name = f"{title} mapped"

    def take(look: Look) -> Quality:
        changed = None if look.is_whole else look.changes.get("bills", ())
        return measures.unmapped_in_use(
            look.connection, look.integration, kind, changed=changed, known=look.known(name)
        )

    description = f"Every one of the {title} that bills refer to is mapped to its ledger counterpart."
    return Measure(name, description, take, is_kept=True, lacks=_no_objects)


_OF_ENTITIES = {
    "vendors": (
        Measure(
            "unique names",
            "No two live vendors have the same name but for case, accents, punctuation and legal form.",
            _unique_names,
            is_kept=True,
            lacks=_no_objects,
        ),
        Measure(
            "currency",
            "Every mapped vendor has the currency of its ledger vendor.",
            lambda look: ledger_facts.vendors_of_another_currency(look.connection, look.integration),
            lacks=_no_objects_or_none_mapped("vendors"),
        ),
    ),
    "accounts": (
        Measure(
            "unique numbers",
            "No two live accounts share a number.",
            lambda look: measures.duplicate_account_numbers(look.connection, look.integration),
            lacks=_no_objects,
        ),
    ),
    "funding_accounts": (
        Measure(
            "all mapped",
            "Every live funding account of BILL is mapped to a bank or credit card account of the ledger.",
            lambda look: measures.unmapped_funding_accounts(look.connection, look.integration),
            lacks=_no_objects,
        ),
    ),
    "bills": (
        *(_used(kind) for kind in IN_USE_KINDS),
        Measure(
            "accounts postable",
            "Every account that bills refer to is mapped onto one that may be posted to, no header or control account.",
            lambda look: ledger_facts.accounts_not_to_be_posted_to(look.connection, look.integration),
            lacks=_no_objects_or_none_mapped("accounts"),
        ),
        Measure(
            "vendors not on hold",
            "No vendor on bills is on hold in the ledger.",
            lambda look: ledger_facts.vendors_on_hold(look.connection, look.integration),
            lacks=_no_objects_or_none_mapped("vendors"),
        ),
    ),
}
