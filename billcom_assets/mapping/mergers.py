"""Mappings and objects that were merged in BILL: what was decided on one of the two counts for both.

Documents of before a merger go on naming the object that is no more. It goes by the survivor's mapping where it has
none of its own; and a survivor that has none gets that of what was merged into it. Where both are mapped, to different
records, nobody but a person can tell which is right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, select

from billcom_assets.mapping.kinds import KINDS
from billcom_assets.mapping.links import Link, Links, LinkState
from billcom_assets.redaction.counted import singular
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.audit import Actor
from billcom_assets.warehouse.catalog_mirror import catalog_mirror
from billcom_assets.warehouse.error_codes import MERGED_APART
from billcom_assets.warehouse.error_log import ErrorLog, Trouble
from billcom_assets.warehouse.merged import MERGED_INTO
from billcom_assets.warehouse.tables import integration_errors


def survivors(conn: Connection, integration: str, kind: str) -> dict[str, str]:
    """Of every merged object the one that is left after all mergers, by id; nothing for kinds that are never merged."""
    table = catalog_mirror().table(kind)
    if MERGED_INTO not in table.c:
        return {}
    into = table.c[MERGED_INTO]
    rows = conn.execute(select(table.c.id, into).where(table.c.integration == integration, into.is_not(None)))
    steps: dict[str, str] = {row[0]: row[1] for row in rows}
    found = {one: _end_of(steps, one) for one in steps}
    # A circle has no survivor.
    return {one: end for one, end in found.items() if end not in steps}


def _end_of(steps: Mapping[str, str], start: str) -> str:
    at, seen = start, {start}
    while at in steps and steps[at] not in seen:
        at = steps[at]
        seen.add(at)
    return at


def inherited(links: Mapping[str, Link], merged: Mapping[str, str]) -> dict[str, Link]:
    """The survivors' decisions, for the merged objects that have none of their own."""
    return {
        one: replace(links[survivor], bill_id=one)
        for one, survivor in merged.items()
        if one not in links and survivor in links
    }


def follow_mergers(conn: Connection, integration: str, kind: str, actor: Actor, now: datetime) -> int:
    """Gives survivors that have no mapping those of what was merged into them; reports mappings that differ.

    Args:
        conn: Connection in a transaction of the caller's.
        integration: Integration key.
        kind: Which objects.
        actor: Who the audit log says it was.
        now: When.

    Returns:
        How many survivors were mapped.
    """
    merged = survivors(conn, integration, kind)
    links = Links(conn, integration, kind)
    known = links.all() if merged else {}
    mapped = {one: link for one, link in known.items() if link.state is LinkState.MAPPED}
    new: dict[str, Link] = {}
    for one in sorted(merged.keys() & mapped.keys()):
        survivor = merged[one]
        if survivor not in known and survivor not in new:
            reason = f"{one} was mapped to it and has been merged into it in BILL"
            new[survivor] = replace(mapped[one], bill_id=survivor, reason=reason, decided_at=now)
    links.add(new.values())
    if new:
        audit.record_all(conn, actor, [links.decision(one, None, link) for one, link in new.items()], now)
    _report(conn, integration, kind, _apart(merged, mapped | new), now)
    return len(new)


def _apart(merged: Mapping[str, str], mapped: Mapping[str, Link]) -> dict[str, str]:
    """Merged objects that are mapped to another record than their survivor, with that one."""
    both = {one: survivor for one, survivor in merged.items() if one in mapped and survivor in mapped}
    return {one: survivor for one, survivor in both.items() if mapped[one].ledger_id != mapped[survivor].ledger_id}


def _report(conn: Connection, integration: str, kind: str, apart: Mapping[str, str], now: datetime) -> None:
    title = KINDS[kind].title
    step = (
        f"billcom mappings export {integration} --kind {kind} --output {kind}-mappings.csv, give both the same ledger "
        f"{singular(title)}, then billcom mappings import"
    )
    troubles = {
        one: Trouble(
            f"This {title} was merged into {survivor} in BILL, but the two are mapped to different records", step
        )
        for one, survivor in apart.items()
    }
    errors, e = ErrorLog(integration, kind), integration_errors.c
    mine = (e.integration == integration, e.entity == kind, e.code == MERGED_APART, e.status != "resolved")
    known = set(conn.scalars(select(e.record_id).where(*mine)))
    errors.resolve(conn, MERGED_APART, sorted(known - troubles.keys()), now)
    # One that is known is not counted once more with every sync.
    errors.report(conn, MERGED_APART, {one: said for one, said in troubles.items() if one not in known}, now)
