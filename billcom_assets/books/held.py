"""The queue of held documents: one open error per document and reason, closed by itself when the cause is gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection, and_, exists, select, update

from billcom_assets.books import work
from billcom_assets.books.fills import batches
from billcom_assets.books.kinds import KINDS
from billcom_assets.books.run import Run
from billcom_assets.mapping.kinds import KINDS as MAPPED
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.warehouse.tables import integration_errors
from billcom_assets.warehouse.upsert import upsert

_SHOWN: Final = 3
"""Names in one message."""
_EXPORT: Final = "billcom mappings export {key} --kind {kind} --output {kind}-mappings.csv"
_POLICY: Final = "billcom policy {key} show"
_SYNC: Final = "billcom sync {key}"


@dataclass(frozen=True, slots=True)
class Reason:
    """What is said of documents held for a reason, and the command that is next."""

    cause: str
    """In words; ``{names}`` are what is to blame, and ``{title}`` is its kind."""
    command: str
    """Works when pasted, once what the cause asks for is done."""


REASONS: Final[Mapping[str, Reason]] = {
    "NOT_APPROVED": Reason("It is not approved in BILL. Approve it there; the next sync posts it.", _SYNC),
    "DENIED": Reason("Its approval was denied in BILL. Correct it or have it approved there.", _SYNC),
    "VENDOR_UNMAPPED": Reason("Vendor {names} is not mapped to a vendor of the ledger.", _EXPORT),
    "CUSTOMER_UNMAPPED": Reason("Customer {names} is not mapped to a customer of the ledger.", _EXPORT),
    "ACCOUNT_UNMAPPED": Reason("BILL's account {names} is not mapped to an account of the ledger.", _EXPORT),
    "ACCOUNT_MISSING": Reason("A line names no account, and neither does its item. Choose one in BILL.", _SYNC),
    "ACCOUNT_NOT_POSTABLE": Reason(
        "BILL's account {names} is mapped to an account that takes no lines of documents: a header, or a control or "
        "clearing account.",
        _EXPORT,
    ),
    "ITEM_UNMAPPED": Reason("Item {names} is not mapped to an item of the ledger.", _EXPORT),
    "CLASSIFICATION_UNMAPPED": Reason("The {title} {names} is not mapped to one of the ledger.", _EXPORT),
    "FUNDING_ACCOUNT_UNMAPPED": Reason(
        "Funding account {names}, which the money leaves or reaches, is not mapped to an account of the ledger.",
        _EXPORT,
    ),
    "PAYMENT_ACCOUNT_UNKNOWN": Reason(
        "BILL names no account that the money leaves or reaches. Choose one on the payment in BILL.", _SYNC
    ),
    "REFERENCE_BROKEN": Reason(
        "It names the {title} {names}, which BILL no longer has. Choose another one in BILL.", _SYNC
    ),
    "STATUS_UNKNOWN": Reason("BILL shows a status or type that is not known. Look at it in BILL.", _SYNC),
    "DATE_MISSING": Reason("It has no date. Enter one in BILL.", _SYNC),
    "AMOUNT_MISMATCH": Reason("Its lines or parts do not add up to its amount. Correct it in BILL.", _SYNC),
    "CURRENCY_WITHOUT_RATE": Reason(
        "It is in a foreign currency, and BILL gives no amount or rate in the home currency.", _SYNC
    ),
    "DUPLICATE_NUMBER": Reason(
        "Another bill of the same vendor with the same number is in the books. Correct the number in BILL, or set this "
        "one aside.",
        "billcom errors {key} --reason DUPLICATE_NUMBER",
    ),
    "PERIOD_CLOSED": Reason(
        "Its date is in the closed period, and the posting policy holds late documents.",
        "billcom policy {key} set late=next_open_day",
    ),
    "POLICY_MISSING": Reason("The posting policy lacks {names}.", _POLICY),
    "LEDGER_INACTIVE": Reason(
        "The {title} {names} stands for something in the ledger that is inactive or gone. Activate it there and import "
        "the list again, or choose another.",
        _EXPORT,
    ),
}
"""By code, in the order in which people are told."""
_SETTING_TITLE: Final = "setting"


def report_held(connection: Connection, run: Run) -> None:
    """Opens errors for the reasons that were found, and closes those whose causes are gone."""
    _close(connection, run)
    r, o, d = work.reasons.c, work.objects.c, work.documents.c
    query = (
        select(r.kind, r.id, r.code, r.subject_kind, r.subject, o.name, d.is_set_aside)
        .select_from(
            work.reasons.join(work.documents, and_(d.kind == r.kind, d.id == r.id)).outerjoin(
                work.objects, and_(o.kind == r.subject_kind, o.id == r.subject)
            )
        )
        .distinct()
    )
    for rows in batches(connection, query, "code", "subject_kind", "subject"):
        found = [_error(run, list(same)) for _, same in groupby(rows, key=lambda row: (row.kind, row.id, row.code))]
        keys = ("integration", "entity", "record_id", "code")
        upsert(connection, integration_errors, found, keys=keys, keep=("first_seen_at",), add=("occurrences",))


def _close(connection: Connection, run: Run) -> None:
    e, d, r = integration_errors.c, work.documents.c, work.reasons.c
    looked_at = exists().where(d.kind == e.entity, d.id == e.record_id, ~and_(d.is_set_aside, e.status == "ignored"))
    still = exists().where(r.kind == e.entity, r.id == e.record_id, r.code == e.code)
    mine = (
        e.integration == run.integration,
        e.entity.in_(list(KINDS)),
        e.code.in_(list(REASONS)),
        e.status != "resolved",
    )
    statement = update(integration_errors).where(*mine, looked_at, ~still)
    connection.execute(statement.values(status="resolved", last_seen_at=run.started_at))


def _error(run: Run, found: Sequence[Any]) -> dict[str, Any]:
    first = found[0]
    reason = REASONS[first.code]
    title = MAPPED[first.subject_kind].title if first.subject_kind in MAPPED else _SETTING_TITLE
    command = _POLICY if title == _SETTING_TITLE and reason.command == _EXPORT else reason.command
    return {
        "integration": run.integration,
        "entity": first.kind,
        "record_id": first.id,
        "code": first.code,
        "message": reason.cause.format(names=_names(found), title=title),
        "next_step": command.format(key=run.integration, kind=first.subject_kind),
        "status": "ignored" if first.is_set_aside else "open",
        "occurrences": 1,
        "first_seen_at": run.started_at,
        "last_seen_at": run.started_at,
    }


def _names(found: Sequence[Any]) -> str:
    named = [_name(one) for one in found if one.subject is not None]
    if not named:
        return "(none)"
    more = len(named) - _SHOWN
    return ", ".join(named[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _name(one: Any) -> str:
    if one.subject_kind not in MAPPED:
        return str(one.subject)
    return f"{excerpt(one.name, limit=60)} ({excerpt(one.subject, limit=40)})" if one.name else excerpt(one.subject)
