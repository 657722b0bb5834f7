"""What is not right with the data but stops nothing: findings for checks that do not block.

After a pull that read only what had changed, checks of references and of names look only at that, as far as they are
given it: a finding is then told, and what has passed says nothing about the rest (``Quality.is_partial``).

Samples are ids, or what BILL sends beyond the catalog: bounded, on one line and without tax ids or bank data. They are
text to be shown as text; descriptions and fixes are words of ours alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, select

from billcom_assets.ledger.hierarchy import same
from billcom_assets.ledger.kinds import KINDS, mirror
from billcom_assets.ledger.mappings import mapped
from billcom_assets.ledger.names import name_of
from billcom_assets.ledger.uses import in_use
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.warehouse.tables import contract_findings, sync_runs, sync_state

Changes = Mapping[str, Collection[str] | None]
"""Ids of what a run has written by entity, None for a whole list; entities that it did not pull are left out."""
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
    is_partial: bool = False
    """Only what has just changed was looked at."""


def warning(name: str, found: Sequence[str], *, bad: str, good: str, fix: str, is_partial: bool = False) -> Quality:
    """A warning about each of ``found``; ``bad`` follows their count."""
    only = "; only what has just changed was looked at, the nightly sync looks at everything" if is_partial else ""
    return Quality(
        name=name,
        passed=not found,
        severity=Severity.WARN,
        description=f"{len(found)} {bad}{only}" if found else f"{good}{only}",
        is_partial=is_partial,
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
    return warning(
        "funding_accounts_mapped",
        unmapped,
        bad="funding accounts of BILL are not mapped to a bank or credit card account of the ledger",
        good="every funding account of BILL is mapped",
        fix=f"billcom mappings suggest {integration} --accept exact, then billcom mappings export {integration}",
    )


def unmapped_in_use(conn: Connection, integration: str, kind: str) -> Quality:
    """Objects of one kind that bills refer to and that have no ledger counterpart: such bills will be held."""
    t = mirror().table(kind).c
    known = set(conn.scalars(select(t.id).where(t.integration == integration)))
    without = known - mapped(conn, integration, kind).keys()
    unmapped = sorted(in_use(conn, integration, kind, by=("bills",), among=without))
    what = kind.replace("_", " ")
    return warning(
        f"{kind}_in_use_mapped",
        unmapped,
        bad=f"{what} that bills refer to are not mapped",
        good=f"all {what} that bills refer to are mapped",
        fix=f"billcom mappings suggest {integration} --accept exact, then billcom mappings export {integration}",
    )


def duplicate_vendor_names(conn: Connection, integration: str, changes: Changes | None = None) -> Quality:
    """Live vendors whose names are the same but for case, accents, punctuation and legal form."""
    if not _has_changed("vendors", changes):
        return _unchanged("vendor_names_unique")
    t = mirror().table("vendors").c
    rows = conn.execute(
        select(t.id, t.name).where(t.integration == integration, t.archived.is_not(True), t.deleted_at.is_(None))
    )
    doubled = _doubled((name_of(row.name).core, row.id) for row in rows)
    return warning(
        "vendor_names_unique",
        doubled,
        bad="vendors of BILL share their name with another",
        good="no two vendors of BILL have the same name",
        fix="merge them in BILL, or archive those that are not used",
    )


def duplicate_account_numbers(conn: Connection, integration: str, changes: Changes | None = None) -> Quality:
    """Live accounts that share their number with another."""
    if not _has_changed("accounts", changes):
        return _unchanged("account_numbers_unique")
    t = mirror().table("accounts").c
    rows = conn.execute(
        select(t.id, t.account_number).where(
            t.integration == integration, t.archived.is_not(True), t.deleted_at.is_(None)
        )
    )
    doubled = _doubled((same(row.account_number or ""), row.id) for row in rows)
    return warning(
        "account_numbers_unique",
        doubled,
        bad="accounts of BILL share their number with another",
        good="no two accounts of BILL have the same number",
        fix="merge or renumber them in BILL: the ledger account cannot be told by number",
    )


def _has_changed(entity: str, changes: Changes | None) -> bool:
    return changes is None or changes.get(entity, ()) is None or bool(changes.get(entity))


def _unchanged(name: str) -> Quality:
    return warning(name, [], bad="", good="nothing has changed", fix="", is_partial=True)


def _doubled(keyed: Iterable[tuple[str, str]]) -> list[str]:
    groups: dict[str, list[str]] = defaultdict(list)
    for key, id_ in keyed:
        if key:
            groups[key].append(id_)
    return sorted(id_ for ids in groups.values() if len(ids) > 1 for id_ in ids)


def contract(conn: Connection, integration: str, entity: str) -> Quality:
    """Fields and enum values that BILL sends and the catalog does not know; they are kept."""
    t = contract_findings.c
    rows = conn.execute(
        select(t.place, t.value).where(t.integration == integration, t.entity == entity).order_by(t.place, t.value)
    )
    found = [row.place if not row.value else f"{row.place} = {row.value}" for row in rows]
    title = entity.replace("_", " ")
    return warning(
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
