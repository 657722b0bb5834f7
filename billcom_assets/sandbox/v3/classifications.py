"""Writing the chart of accounts and the other classifications."""

from __future__ import annotations

from collections.abc import Iterator

from billcom_assets.sandbox.books import accounts
from billcom_assets.sandbox.codec import decode
from billcom_assets.sandbox.errors import invalid, missing
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
from billcom_assets.sandbox.responses import ApiResponse
from billcom_assets.sandbox.schema import Changes, array, reference
from billcom_assets.sandbox.table import Row
from billcom_assets.sandbox.v3 import bodies
from billcom_assets.sandbox.v3.archiving import archive_or_restore, archiving
from billcom_assets.sandbox.v3.common import find, served

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


def _bulk_response(call: Call, kind: Kind, rows: list[Row], status: int = 200) -> ApiResponse:
    served = [decode(call.organization.decorator.body(kind, row)) for row in rows]
    return ApiResponse.json({_BULK_KEYS[kind]: served}, status)


def _bulk_create(kind: Kind) -> Handler:
    def handler(call: Call) -> ApiResponse:
        rows = [accounts.create_classification(call.organization, kind, body) for body in call.content]
        return _bulk_response(call, kind, rows, 201)

    return handler


def _bulk_update(kind: Kind) -> Handler:
    def handler(call: Call) -> ApiResponse:
        rows = [accounts.update_classification(call.organization, kind, body["id"], body) for body in call.content]
        return _bulk_response(call, kind, rows)

    return handler


def _bulk_archive(kind: Kind, *, archived: bool) -> Handler:
    def handler(call: Call) -> ApiResponse:
        ids = [part.strip() for part in call.query.get("ids", "").split(",") if part.strip()]
        if not ids:
            raise missing("ids")
        if len(ids) > _BULK_LIMIT:
            raise invalid(f"ids: size must be between 1 and {_BULK_LIMIT}")
        rows = [archive_or_restore(call.organization, kind, object_id, archived=archived) for object_id in ids]
        return _bulk_response(call, kind, rows)

    return handler


def _create(kind: Kind) -> Handler:
    def handler(call: Call) -> ApiResponse:
        row = accounts.create_classification(call.organization, kind, call.content)
        return served(call, kind, row, 201)

    return handler


def _update(kind: Kind) -> Handler:
    def handler(call: Call) -> ApiResponse:
        find(call, kind, call.params["id"])
        row = accounts.update_classification(call.organization, kind, call.params["id"], call.content)
        return served(call, kind, row)

    return handler


def operations() -> Iterator[Operation]:
    """Writing accounts, departments, items and so on, one by one and in bulk."""
    for kind, path in ((kind, kind.path) for kind in _BULK_KEYS):
        new, changes = bodies.CLASSIFICATIONS[kind], bodies.CLASSIFICATION_CHANGES[kind]
        yield Operation("POST", path, _create(kind), body=new)
        yield Operation("POST", f"{path}/bulk", _bulk_create(kind), body=array(new, _BULK_LIMIT))
        named = array(Changes(changes, always="id", lasting="id", id=reference), _BULK_LIMIT)
        yield Operation("PATCH", f"{path}/bulk", _bulk_update(kind), body=named)
        yield Operation("POST", f"{path}/bulk/archive", _bulk_archive(kind, archived=True))
        yield Operation("POST", f"{path}/bulk/restore", _bulk_archive(kind, archived=False))
        yield Operation("PATCH", f"{path}/{{id}}", _update(kind), body=changes)
        yield from archiving(kind)
