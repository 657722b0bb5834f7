"""What is not right with the data but stops nothing.

Samples are ids, or what BILL sends beyond the catalog: bounded, on one line and without tax ids or bank data. They are
text to be shown as text; descriptions and fixes are words of ours alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, select

from billcom_assets.ledger.hierarchy import same
from billcom_assets.mapping.blocked import blocked, told
from billcom_assets.mapping.coverage import mapped
from billcom_assets.mapping.kinds import KINDS
from billcom_assets.mapping.names import name_of
from billcom_assets.mapping.uses import in_use_among, in_use_by
from billcom_assets.redaction.counted import counted, singular
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.sync.report import WHOLE
from billcom_assets.warehouse.catalog_mirror import catalog_mirror, is_live
from billcom_assets.warehouse.tables import contract_findings, sync_runs

_SAMPLE = 10


class Severity(StrEnum):
    """How bad a finding is; the names are Dagster's."""

    WARN = "WARN"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class Quality:
    """The result of one check."""

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
    found: tuple[str, ...] = ()
    """All that the sample is taken from."""
    is_measured: bool = True
    """False while there is nothing to measure, which is no pass."""


def warning(found: Iterable[str], *, one: str, many: str, good: str, fix: str) -> Quality:
    """A warning about each of ``found``; ``one`` or ``many`` follows their count."""
    found = tuple(sorted(found))
    return Quality(
        passed=not found,
        severity=Severity.WARN,
        description=counted(len(found), one, many) if found else good,
        count=len(found),
        sample=tuple(map(excerpt, found[:_SAMPLE])),
        fix=fix if found else "",
        found=found,
    )


def not_measured(why: str) -> Quality:
    """The result while there is nothing to measure; ``why`` says what is not there."""
    return Quality(False, Severity.WARN, f"not measured yet: {why}", 0, (), "", is_measured=False)


def _to_map(integration: str) -> str:
    return f"billcom mappings show {integration}"


def unmapped_funding_accounts(conn: Connection, integration: str) -> Quality:
    """Live bank accounts, cards and balances of BILL without a ledger account: payments from them cannot be booked."""
    t = catalog_mirror().table("funding_accounts")
    live = conn.scalars(select(t.c.id).where(is_live(t, integration)))
    unmapped = sorted(set(live) - mapped(conn, integration, "funding_accounts").keys())
    return warning(
        unmapped,
        one="funding account of BILL is not mapped to a bank or credit card account of the ledger",
        many="funding accounts of BILL are not mapped to a bank or credit card account of the ledger",
        good="every funding account of BILL is mapped",
        fix=_to_map(integration),
    )


def unmapped_in_use(
    conn: Connection,
    integration: str,
    kind: str,
    *,
    changed: Collection[str] | None = None,
    known: Collection[str] = (),
) -> Quality:
    """Objects of one kind that bills refer to and that have no ledger counterpart: such bills will be held.

    Args:
        conn: A reading one.
        integration: Whose.
        kind: Which objects.
        changed: Look only at these bills.
        known: What was found before; with ``changed`` it is still in use.
    """
    t = catalog_mirror().table(kind).c
    every = set(conn.scalars(select(t.id).where(t.integration == integration)))
    without = every - mapped(conn, integration, kind).keys()
    if changed is None:
        unmapped = in_use_among(conn, integration, kind, without, by="bills")
    else:
        unmapped = without & (in_use_by(conn, integration, kind, changed, by="bills") | set(known))
    what = kind.replace("_", " ")
    held = blocked(conn, integration, {kind: unmapped})
    of_it, of_them = (f": {told(held)} cannot be posted because of {them}" if held else "" for them in ("it", "them"))
    return warning(
        unmapped,
        one=f"{singular(what)} that bills refer to is not mapped{of_it}",
        many=f"{what} that bills refer to are not mapped{of_them}",
        good=f"all {what} that bills refer to are mapped",
        fix=_to_map(integration),
    )


def duplicate_vendor_names(conn: Connection, integration: str, known: Collection[str] | None = None) -> Quality:
    """Live vendors whose names are the same but for case, accents, punctuation and legal form.

    Args:
        conn: A reading one.
        integration: Whose.
        known: What was found before, if no vendor has changed since.
    """
    return warning(
        _vendors_doubled(conn, integration) if known is None else known,
        one="vendor of BILL shares its name with another",
        many="vendors of BILL share their name with another",
        good="no two vendors of BILL have the same name",
        fix="merge them in BILL, or archive those that are not used",
    )


def _vendors_doubled(conn: Connection, integration: str) -> list[str]:
    t = catalog_mirror().table("vendors")
    rows = conn.execute(select(t.c.id, t.c.name).where(is_live(t, integration)))
    return _doubled((name_of(row.name).core, row.id) for row in rows)


def duplicate_account_numbers(conn: Connection, integration: str) -> Quality:
    """Live accounts that share their number with another."""
    t = catalog_mirror().table("accounts")
    rows = conn.execute(select(t.c.id, t.c.account_number).where(is_live(t, integration)))
    doubled = _doubled((same(row.account_number or ""), row.id) for row in rows)
    return warning(
        doubled,
        one="account of BILL shares its number with another",
        many="accounts of BILL share their number with another",
        good="no two accounts of BILL have the same number",
        fix="merge or renumber them in BILL: the ledger account cannot be told by number",
    )


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
        found,
        one=f"field or value of {title} is unknown to the catalog",
        many=f"fields or values of {title} are unknown to the catalog",
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
    title = entity.replace("_", " ")
    if last is None:
        return Quality(True, Severity.ERROR, f"{title} have not been pulled yet", 0, (), "")
    kept = last.inserted + last.updated + last.unchanged + last.skipped_by_cutoff + last.rejected
    sums = (
        f"{last.fetched} {title} fetched: {last.inserted} inserted, {last.updated} updated, "
        f"{last.unchanged} unchanged, {last.skipped_by_cutoff} before the cutoff, {last.rejected} rejected"
    )
    passed = last.fetched == kept
    fix = (
        "" if passed else f"billcom sync {integration} --only {entity} --full-refresh, and report it: this is a defect"
    )
    return Quality(passed, Severity.ERROR, sums, abs(last.fetched - kept), () if passed else (last.id,), fix)


def skipped_by_cutoff(conn: Connection, integration: str, entity: str) -> int:
    """How many objects the last complete walk through the entity's list left out because of the cutoff."""
    t = sync_runs.c
    mine = (t.integration == integration, t.entity == entity, t.status == "complete", t.kind.in_(WHOLE))
    query = select(t.skipped_by_cutoff).where(*mine).order_by(t.started_at.desc(), t.id.desc())
    return conn.scalar(query.limit(1)) or 0


IN_USE_KINDS = tuple(kind for kind in KINDS if kind != "funding_accounts")
"""Kinds that :func:`unmapped_in_use` applies to: bills name no funding account."""
