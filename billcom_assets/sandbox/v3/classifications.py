"""Writing the chart of accounts and the other classifications."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from billcom_assets.sandbox.answers import Answer
from billcom_assets.sandbox.books import accounts
from billcom_assets.sandbox.books.fields import require
from billcom_assets.sandbox.books.objects import set_archived
from billcom_assets.sandbox.codec import decode
from billcom_assets.sandbox.errors import Refusal, invalid, missing
from billcom_assets.sandbox.gateway import Call, Handler, Operation
from billcom_assets.sandbox.kinds import (
    ACCOUNTING_CLASSES,
    ACCOUNTS,
    DEPARTMENTS,
    EMPLOYEES,
    ITEMS,
    JOBS,
    LOCATIONS,
    Kind,
)
from billcom_assets.sandbox.table import Row
from billcom_assets.sandbox.v3.common import find, object_in, served
from billcom_assets.sandbox.world import Organization

_BULK_LIMIT = 50
_BULK_KEYS: dict[Kind, str] = {
    ACCOUNTS: "chartOfAccounts",
    ACCOUNTING_CLASSES: "accountingClasses",
    DEPARTMENTS: "departments",
    EMPLOYEES: "employees",
    ITEMS: "items",
    JOBS: "jobs",
    LOCATIONS: "locations",
}
"""Key that a bulk response of each classification is wrapped under."""


def _set_archived(organization: Organization, kind: Kind, object_id: str, *, archived: bool) -> Row:
    """Archive or restore; an account takes what is below it along when it is archived."""
    if kind is ACCOUNTS and archived:
        return accounts.archive_account(organization, object_id)[0]
    return set_archived(organization, kind, object_id, archived=archived)


def _in_bulk(call: Call, kind: Kind, elements: list[Any], one: Callable[[Any], Row]) -> list[Row]:
    """Do it for every element, or for none.

    Raises:
        Refusal: 400 nothing or more than 50 elements, or what the first refused element is refused for.
    """
    if not 1 <= len(elements) <= _BULK_LIMIT:
        raise invalid(f"size must be between 1 and {_BULK_LIMIT}")
    table = call.organization.table(kind)
    before = table.snapshot()
    try:
        return [one(element) for element in elements]
    except Refusal:
        table.restore(before)
        raise


def _bulk_answer(call: Call, kind: Kind, rows: list[Row], status: int = 200) -> Answer:
    served = [decode(call.organization.decorator.body(kind, row)) for row in rows]
    return Answer.json({_BULK_KEYS[kind]: served}, status)


def _bulk_create(kind: Kind) -> Handler:
    def handler(call: Call) -> Answer:
        def one(body: Any) -> Row:
            return accounts.create_classification(call.organization, kind, object_in(body))

        return _bulk_answer(call, kind, _in_bulk(call, kind, call.json_array(), one), 201)

    return handler


def _bulk_update(kind: Kind) -> Handler:
    def handler(call: Call) -> Answer:
        def one(body: Any) -> Row:
            require(object_in(body), "id")
            return accounts.update_classification(call.organization, kind, body["id"], body)

        return _bulk_answer(call, kind, _in_bulk(call, kind, call.json_array(), one))

    return handler


def _bulk_archive(kind: Kind, *, archived: bool) -> Handler:
    def handler(call: Call) -> Answer:
        ids = [part.strip() for part in call.query.get("ids", "").split(",") if part.strip()]
        if not ids:
            raise missing("ids")

        def one(object_id: Any) -> Row:
            return _set_archived(call.organization, kind, object_id, archived=archived)

        return _bulk_answer(call, kind, _in_bulk(call, kind, ids, one))

    return handler


def _create(kind: Kind) -> Handler:
    def handler(call: Call) -> Answer:
        row = accounts.create_classification(call.organization, kind, call.json_object())
        return served(call, kind, row, 201)

    return handler


def _update(kind: Kind) -> Handler:
    def handler(call: Call) -> Answer:
        find(call, kind, call.params["id"])
        row = accounts.update_classification(call.organization, kind, call.params["id"], call.json_object())
        return served(call, kind, row)

    return handler


def _archive(kind: Kind, *, archived: bool) -> Handler:
    def handler(call: Call) -> Answer:
        find(call, kind, call.params["id"])
        row = _set_archived(call.organization, kind, call.params["id"], archived=archived)
        return served(call, kind, row)

    return handler


def operations() -> Iterator[Operation]:
    """Writing accounts, departments, items and so on, one by one and in bulk."""
    for kind in _BULK_KEYS:
        path = kind.path
        yield Operation("POST", path, _create(kind))
        yield Operation("POST", f"{path}/bulk", _bulk_create(kind))
        yield Operation("PATCH", f"{path}/bulk", _bulk_update(kind))
        yield Operation("POST", f"{path}/bulk/archive", _bulk_archive(kind, archived=True))
        yield Operation("POST", f"{path}/bulk/restore", _bulk_archive(kind, archived=False))
        yield Operation("PATCH", f"{path}/{{id}}", _update(kind))
        yield Operation("POST", f"{path}/{{id}}/archive", _archive(kind, archived=True))
        yield Operation("POST", f"{path}/{{id}}/restore", _archive(kind, archived=False))
