"""What is not right with the data but stops nothing: findings for checks that do not block.

Samples are ids, or what BILL sends beyond the catalog: bounded, on one line and without tax ids or bank data. They are
text to be shown as text; descriptions and fixes are words of ours alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, or_, select

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.model import Entity
from billcom_assets.ledger.hierarchy import same
from billcom_assets.ledger.kinds import KINDS, mirror
from billcom_assets.ledger.mappings import mapped
from billcom_assets.ledger.names import name_of
from billcom_assets.ledger.uses import Reference, in_use, references, referring
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.warehouse.mirror import Mirror
from billcom_assets.warehouse.tables import contract_findings, integrations, sync_runs, sync_state

_SAMPLE = 10
STALE_AFTER = timedelta(hours=3)
"""Age of the last pull from which the data counts as old: syncs run hourly, and two may be missed."""


class Severity(StrEnum):
    """How bad a finding is; the names are Dagster's."""

    WARN = "WARN"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class Quality:
    """The result of one check."""

    name: str
    passed: bool
    severity: Severity
    description: str
    """What was found, in one sentence."""
    count: int
    """Objects, groups or entities concerned."""
    sample: tuple[str, ...]
    """The first of them by id; text of BILL's, fit to be shown as text."""
    fix: str
    """What to do; empty when it passed."""


def _quality(name: str, found: Sequence[str], *, bad: str, good: str, fix: str) -> Quality:
    """A warning about each of ``found``; ``bad`` follows their count."""
    return Quality(
        name=name,
        passed=not found,
        severity=Severity.WARN,
        description=f"{len(found)} {bad}" if found else good,
        count=len(found),
        sample=tuple(excerpt(one) for one in found[:_SAMPLE]),
        fix=fix if found else "",
    )


def unmapped_funding_accounts(conn: Connection, integration: str) -> Quality:
    """Live bank accounts of BILL without a ledger account: payments from them cannot be booked."""
    t = mirror().table("funding_accounts").c
    live = conn.scalars(
        select(t.id).where(t.integration == integration, t.archived.is_not(True), t.deleted_at.is_(None))
    )
    unmapped = sorted(set(live) - mapped(conn, integration, "funding_accounts").keys())
    return _quality(
        "funding_accounts_mapped",
        unmapped,
        bad="funding accounts of BILL are not mapped to a bank or credit card account of the ledger",
        good="every funding account of BILL is mapped",
        fix=f"billcom mappings suggest {integration} --accept exact, then billcom mappings export {integration}",
    )


def unmapped_in_use(conn: Connection, integration: str, kind: str) -> Quality:
    """Objects of one kind that bills refer to and that have no ledger counterpart: such bills will be held."""
    used = in_use(conn, integration, kind, by=("bills",))
    unmapped = sorted(used - mapped(conn, integration, kind).keys())
    what = kind.replace("_", " ")
    return _quality(
        f"{kind}_in_use_mapped",
        unmapped,
        bad=f"{what} that bills refer to are not mapped",
        good=f"all {what} that bills refer to are mapped",
        fix=f"billcom mappings suggest {integration} --accept exact, then billcom mappings export {integration}",
    )


def duplicate_vendor_names(conn: Connection, integration: str) -> Quality:
    """Live vendors whose names are the same but for case, accents, punctuation and legal form."""
    t = mirror().table("vendors").c
    rows = conn.execute(
        select(t.id, t.name).where(t.integration == integration, t.archived.is_not(True), t.deleted_at.is_(None))
    )
    doubled = _doubled((name_of(row.name).core, row.id) for row in rows)
    return _quality(
        "vendor_names_unique",
        doubled,
        bad="vendors of BILL share their name with another",
        good="no two vendors of BILL have the same name",
        fix="merge them in BILL, or archive those that are not used",
    )


def duplicate_account_numbers(conn: Connection, integration: str) -> Quality:
    """Live accounts that share their number with another."""
    t = mirror().table("accounts").c
    rows = conn.execute(
        select(t.id, t.account_number).where(
            t.integration == integration, t.archived.is_not(True), t.deleted_at.is_(None)
        )
    )
    doubled = _doubled((same(row.account_number or ""), row.id) for row in rows)
    return _quality(
        "account_numbers_unique",
        doubled,
        bad="accounts of BILL share their number with another",
        good="no two accounts of BILL have the same number",
        fix="merge or renumber them in BILL: the ledger account cannot be told by number",
    )


def _doubled(keyed: Iterable[tuple[str, str]]) -> list[str]:
    groups: dict[str, list[str]] = defaultdict(list)
    for key, id_ in keyed:
        if key:
            groups[key].append(id_)
    return sorted(id_ for ids in groups.values() if len(ids) > 1 for id_ in ids)


def broken_references(
    conn: Connection, integration: str, entity: Entity, *, entities: Sequence[Entity] = CATALOG.entities
) -> Quality:
    """Ids that live objects of ``entity`` refer to and that are not in the mirror, deleted or archived.

    Left out is what may rightly be absent: objects of lists that were never pulled, objects before the cutoff or the
    history start, and ids of another kind of object (a payment may come from a card that has no list).
    """
    tables = mirror() if tuple(entities) == CATALOG.entities else Mirror.of(tuple(entities))
    known = {other.name: other for other in entities}
    pulled = set(
        conn.scalars(
            select(sync_state.c.entity).where(
                sync_state.c.integration == integration, sync_state.c.first_pulled_at.is_not(None)
            )
        )
    )
    i = integrations.c
    is_cut = conn.scalar(
        select(i.key).where(i.key == integration, i.cutoff.is_not(None) | i.history_start.is_not(None))
    )
    broken: set[str] = set()
    for reference in references((entity,)):
        target = known[reference.target]
        if target.name not in pulled:
            continue
        may_be_cut = is_cut is not None and target.cutoff is not None
        broken |= set(conn.scalars(_broken(tables, reference, target, integration, absent_counts=not may_be_cut)))
    title = entity.name.replace("_", " ")
    return _quality(
        f"{entity.name}_references",
        sorted(broken),
        bad=f"objects that {title} refer to are missing, deleted or archived",
        good=f"everything that {title} refer to is there",
        fix=f"billcom sync {integration} --full-refresh brings in what is missing; restore in BILL what is archived, "
        "or move its documents to another",
    )


def _broken(
    tables: Mirror, reference: Reference, target: Entity, integration: str, *, absent_counts: bool
) -> Select[Any]:
    theirs = tables.table(target.name)
    # Each id is looked up once, however many lines name it.
    referred = referring(tables, reference, integration).distinct().subquery().c[0]
    found = and_(theirs.c.integration == integration, theirs.c.id == referred)
    gone = theirs.c.deleted_at.is_not(None) | theirs.c.archived.is_(True)
    broken: list[ColumnElement[bool]] = [exists().where(found, gone)]
    if absent_counts:
        broken.append(~exists().where(found) & referred.like(f"{target.id_prefix}%"))
    return select(referred).where(or_(*broken))


def contract(conn: Connection, integration: str, entity: str) -> Quality:
    """Fields and enum values that BILL sends and the catalog does not know; they are kept."""
    t = contract_findings.c
    rows = conn.execute(
        select(t.place, t.value).where(t.integration == integration, t.entity == entity).order_by(t.place, t.value)
    )
    found = [row.place if not row.value else f"{row.place} = {row.value}" for row in rows]
    title = entity.replace("_", " ")
    return _quality(
        f"{entity}_contract",
        found,
        bad=f"fields or values of {title} are unknown to the catalog",
        good=f"the catalog knows every field and value of {title}",
        fix="nothing is lost: the payload keeps them; upgrade billcom-assets, or report them to its maintainers",
    )


def conservation(conn: Connection, integration: str, entity: str) -> Quality:
    """Whether the last complete pull accounts for every object that BILL returned."""
    t = sync_runs.c
    last = conn.execute(
        select(sync_runs)
        .where(t.integration == integration, t.entity == entity, t.status == "complete")
        .order_by(t.started_at.desc(), t.id.desc())
        .limit(1)
    ).first()
    name, title = f"{entity}_conservation", entity.replace("_", " ")
    if last is None:
        return Quality(name, True, Severity.ERROR, f"{title} have not been pulled yet", 0, (), "")
    kept = last.inserted + last.updated + last.unchanged + last.skipped_by_cutoff + last.rejected
    sums = (
        f"{last.fetched} {title} fetched: {last.inserted} inserted, {last.updated} updated, "
        f"{last.unchanged} unchanged, {last.skipped_by_cutoff} before the cutoff, {last.rejected} rejected"
    )
    passed = last.fetched == kept
    fix = (
        "" if passed else f"billcom sync {integration} --only {entity} --full-refresh, and report it: this is a defect"
    )
    return Quality(name, passed, Severity.ERROR, sums, abs(last.fetched - kept), () if passed else (last.id,), fix)


def freshness(conn: Connection, integration: str, now: datetime, *, stale_after: timedelta = STALE_AFTER) -> Quality:
    """Whether the last complete pull of every entity that was ever pulled is recent; the late ones oldest first."""
    s = sync_state.c
    pulled = conn.execute(
        select(s.entity, s.synced_at)
        .where(s.integration == integration, s.synced_at.is_not(None))
        .order_by(s.synced_at, s.entity)
    ).all()
    name = "freshness"
    if not pulled:
        fix = f"billcom sync {integration}"
        return Quality(name, False, Severity.WARN, "nothing has ever been pulled", 1, (), fix)
    ages = {row.entity: now - row.synced_at for row in pulled}
    late = [f"{entity.replace('_', ' ')} {_hours(age)} ago" for entity, age in ages.items() if age > stale_after]
    if not late:
        oldest = _hours(next(iter(ages.values())))
        return Quality(name, True, Severity.WARN, f"all {len(ages)} lists were pulled within {oldest}", 0, (), "")
    more = f" and {len(late) - _SAMPLE} more" if len(late) > _SAMPLE else ""
    described = f"{len(late)} of {len(ages)} lists are late, last pulled: {', '.join(late[:_SAMPLE])}{more}"
    fix = f"billcom status {integration} shows why; billcom sync {integration} pulls now"
    return Quality(name, False, Severity.WARN, described, len(late), (), fix)


def _hours(age: timedelta) -> str:
    minutes = max(0, int(age.total_seconds() // 60))
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"


IN_USE_KINDS = tuple(kind for kind in KINDS if kind != "funding_accounts")
"""Kinds that :func:`unmapped_in_use` applies to: bills name no funding account."""
