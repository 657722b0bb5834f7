"""Archiving and restoring, alike for every kind of object that has it."""

from __future__ import annotations

from collections.abc import Iterator

from billcom_assets.sandbox.books import accounts, bills, receivables
from billcom_assets.sandbox.books.objects import set_archived
from billcom_assets.sandbox.gateway import Call, Handler, Operation
from billcom_assets.sandbox.kinds import ACCOUNTS, BILLS, INVOICES, Kind
from billcom_assets.sandbox.organization import Organization
from billcom_assets.sandbox.responses import ApiResponse
from billcom_assets.sandbox.table import Row
from billcom_assets.sandbox.v3.common import find, served


def archive_or_restore(organization: Organization, kind: Kind, object_id: str, *, archived: bool) -> Row:
    """Archive or restore an object; an account takes what is below it along when it is archived."""
    if kind is BILLS:
        return bills.set_bill_archived(organization, object_id, archived=archived)
    if kind is INVOICES:
        return receivables.set_invoice_archived(organization, object_id, archived=archived)
    if kind is ACCOUNTS and archived:
        return accounts.archive_account(organization, object_id)[0]
    return set_archived(organization, kind, object_id, archived=archived)


def _handler(kind: Kind, *, archived: bool) -> Handler:
    def handler(call: Call) -> ApiResponse:
        row = find(call, kind, call.params["id"])
        return served(call, kind, archive_or_restore(call.organization, kind, row.id, archived=archived))

    return handler


def archiving(kind: Kind, *, final: bool = False) -> Iterator[Operation]:
    """The operations that archive and restore one object; no restoring where archiving is final."""
    yield Operation("POST", f"{kind.path}/{{id}}/archive", _handler(kind, archived=True))
    if not final:
        yield Operation("POST", f"{kind.path}/{{id}}/restore", _handler(kind, archived=False))
