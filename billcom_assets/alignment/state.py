"""What an account of BILL's is, as far as alignment goes, and the writes that make it another."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any, Final, Self

from sqlalchemy import Connection, select

from billcom_assets.bill.chart_writes import AccountWrite, Verb
from billcom_assets.warehouse.mirror import Mirror

_NO_TYPE: Final = "UNSPECIFIED"


@dataclass(frozen=True, slots=True)
class AccountState:
    """One account as BILL has it, or as it is to be."""

    name: str
    number: str | None
    type: str | None
    description: str | None
    parent_id: str | None
    """BILL's id of the account above; None also where BILL hides it."""
    archived: bool

    @classmethod
    def of_document(cls, document: Mapping[str, Any], parent_id: str | None) -> Self:
        """As a plan keeps it, under the account with this id."""
        texts = {name: document.get(name) or None for name in ("number", "type", "description")}
        return cls(document["name"] or "", **texts, parent_id=parent_id, archived=bool(document.get("archived")))

    def differences(self, wanted: AccountState, *, sees_parents: bool) -> list[str]:
        """Names of the fields that are not as wanted; the parent only where BILL shows any account's."""
        return [
            one.name
            for one in fields(self)
            if getattr(self, one.name) != getattr(wanted, one.name) and (one.name != "parent_id" or sees_parents)
        ]

    def told(self, names: list[str]) -> str:
        """These fields with their values, in words."""
        return ", ".join(f"{name} {getattr(self, name)!r}" for name in names)

    def document(self) -> dict[str, Any]:
        """For the log of decisions."""
        return asdict(self)


Chart = dict[str, AccountState]
"""Accounts by BILL's id."""


def read_chart(
    connection: Connection,
    mirror: Mirror,
    integration: str,
    ids: Collection[str] | None = None,
    *,
    unchanged_since: datetime | None = None,
) -> Chart:
    """Every account that BILL has, archived ones included, as it was mirrored last.

    Args:
        connection: A reading one.
        mirror: Its tables.
        integration: The integration.
        ids: Only these.
        unchanged_since: Only those that have not changed since.
    """
    a = mirror.table("accounts").c
    columns = (a.id, a.name, a.account_number, a.account_type, a.description, a.parent_id, a.archived)
    query = select(*columns).where(a.integration == integration, a.deleted_at.is_(None))
    if ids is not None:
        query = query.where(a.id.in_(ids))
    if unchanged_since is not None:
        query = query.where(a.synced_at <= unchanged_since)
    return {
        row[0]: AccountState(row[1] or "", row[2] or None, row[3] or None, row[4] or None, row[5] or None, bool(row[6]))
        for row in connection.execute(query)
    }


def sees_parents(chart: Chart) -> bool:
    """Whether BILL shows what stands above an account; where it shows none, nobody can tell."""
    return any(one.parent_id for one in chart.values())


def below(chart: Chart, account_id: str) -> Iterator[str]:
    """Ids of what stands below an account, each after what it stands below."""
    children: dict[str, list[str]] = {}
    for one, state in chart.items():
        if state.parent_id:
            children.setdefault(state.parent_id, []).append(one)
    waiting, seen = sorted(children.get(account_id, ())), {account_id}
    while waiting:
        one = waiting.pop(0)
        if one not in seen:
            seen.add(one)
            yield one
            waiting += sorted(children.get(one, ()))


def writes(account_id: str | None, now: AccountState | None, wanted: AccountState) -> Iterator[AccountWrite]:
    """What makes an account what is wanted, in this order; nothing where it is that already."""
    if account_id is None or now is None:
        yield AccountWrite(Verb.CREATE, None, _whole(wanted))
        now = replace(wanted, archived=False)
    if now.archived and not wanted.archived:
        yield AccountWrite(Verb.RESTORE, account_id)
    if changed := _changed(now, wanted):
        yield AccountWrite(Verb.UPDATE, account_id, changed)
    if wanted.archived and not now.archived:
        yield AccountWrite(Verb.ARCHIVE, account_id)


def _whole(wanted: AccountState) -> dict[str, Any]:
    account = {"type": wanted.type or _NO_TYPE} | ({"number": wanted.number} if wanted.number else {})
    optional = {"description": wanted.description, "parentId": wanted.parent_id}
    return {"name": wanted.name, **{name: value for name, value in optional.items() if value}, "account": account}


def _changed(now: AccountState, wanted: AccountState) -> dict[str, Any]:
    """The fields that differ; BILL takes null for none."""
    changed: dict[str, Any] = {}
    for ours, theirs in (("name", "name"), ("description", "description"), ("parent_id", "parentId")):
        if getattr(now, ours) != getattr(wanted, ours):
            changed[theirs] = getattr(wanted, ours)
    if (now.number, now.type) != (wanted.number, wanted.type):
        changed["account"] = {"type": wanted.type or _NO_TYPE, "number": wanted.number}
    return changed
