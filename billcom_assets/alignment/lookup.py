"""Finding out what has become of a write whose response was lost."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from billcom_assets.bill.chart_writes import CHART, AccountWrite, Verb
from billcom_assets.bill.client import BillClient
from billcom_assets.bill.errors import QueryRefused
from billcom_assets.bill.query import Filter, Op
from billcom_assets.entities.rows import RowMaker
from billcom_assets.sync.lists import ListWalk, page_reader

_PLAIN = re.compile(r"[\w &/().-]+")
"""Names that can stand in a filter; how BILL wants quotes and commas within one is not documented."""


def created_by(
    client: BillClient, maker: RowMaker, fields: Mapping[str, Any], known: Collection[str]
) -> list[dict[str, Any]]:
    """The accounts in BILL that a create with these fields may have made, archived ones included.

    Args:
        client: Who asks.
        maker: What reads accounts.
        fields: What was sent.
        known: Accounts that were there before it was sent.

    Raises:
        BillError: BILL cannot say.
    """
    named = {one["id"]: one for one in _named(client, maker, fields["name"])}
    return [one for account_id, one in named.items() if account_id not in known and _is_made_of(one, fields)]


def now_in_bill(client: BillClient, account_id: str) -> dict[str, Any]:
    """The account as BILL has it now.

    Raises:
        BillError: BILL cannot say.
    """
    found: dict[str, Any] = client.item(CHART, account_id)
    return found


def is_done(write: AccountWrite, account: Mapping[str, Any]) -> bool:
    """Whether an account, as BILL has it now, is what a change of it was to make of it."""
    if write.verb is not Verb.UPDATE:
        return bool(account.get("archived")) == (write.verb is Verb.ARCHIVE)
    # Where v3 shows no parent, sending the same values once more is the way to be sure of it.
    return all(_shows(account, name, value) for name, value in write.fields.items())


def _named(client: BillClient, maker: RowMaker, name: str) -> list[dict[str, Any]]:
    """Every account of this name in BILL, and perhaps others."""
    filters = [Filter("name", Op.EQ, name)] if _PLAIN.fullmatch(name) else []
    try:
        return list(_listed(client, maker, filters))
    except QueryRefused:
        if not filters:
            raise
        return list(_listed(client, maker, []))


def _listed(client: BillClient, maker: RowMaker, filters: Sequence[Filter]) -> Iterator[dict[str, Any]]:
    walk = ListWalk(client, CHART, None, lambda _position: filters, None)
    for step in walk.pages(None, None, page_reader(maker)):
        yield from (row.obj for row in step.batch.rows)


def _is_made_of(account: Mapping[str, Any], fields: Mapping[str, Any]) -> bool:
    parent = account.get("parentId")
    kind = account.get("account") or {}
    return (
        _same(account.get("name"), fields["name"])
        and _same(kind.get("number"), fields["account"].get("number"))
        and kind.get("type") == fields["account"]["type"]
        and parent in {None, fields.get("parentId")}
    )


def _shows(account: Mapping[str, Any], name: str, value: Any) -> bool:
    if isinstance(value, Mapping):
        shown = account.get(name) or {}
        return all(_same(shown.get(key), one) for key, one in value.items())
    return _same(account.get(name), value)


def _same(shown: Any, wanted: Any) -> bool:
    """BILL may leave out what is not set, and put spaces right."""
    return " ".join(str(shown or "").split()) == " ".join(str(wanted or "").split())
