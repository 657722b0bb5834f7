"""Reading request bodies: required fields, texts with lengths, amounts, dates and line items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.errors import invalid, missing
from billcom_assets.sandbox.money import cents, times
from billcom_assets.sandbox.world import Organization


def require(body: Mapping[str, Any], *names: str) -> None:
    """Refuse a body that lacks one of ``names``, naming all that it lacks.

    Raises:
        Refusal: 400, one message per field.
    """
    absent = [name for name in names if body.get(name) in (None, "", [])]
    if absent:
        raise missing(*absent)


def check_lengths(body: Mapping[str, Any], lengths: Mapping[str, int]) -> None:
    """Refuse texts that are too long or no texts.

    Raises:
        Refusal: 400, one message per field.
    """
    problems = []
    for name, length in lengths.items():
        value = body.get(name)
        if value is not None and not isinstance(value, str):
            problems.append(f"{name}: must be a string")
        elif isinstance(value, str) and len(value) > length:
            problems.append(f"{name}: size must be between 0 and {length}")
    if problems:
        raise invalid(*problems)


def amount_of(body: Mapping[str, Any], name: str) -> int | None:
    """Cents of an amount in a body, None when absent; strings are accepted as BILL accepts them.

    Raises:
        Refusal: 400; it is no amount.
    """
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise invalid(f"{name}: must be a number")
    try:
        return cents(value)
    except ValueError:
        raise invalid(f"{name}: must be a number") from None


def day_in(body: Mapping[str, Any], name: str) -> str | None:
    """A calendar date of a body as text, None when absent.

    Raises:
        Refusal: 400; it is no date.
    """
    value = body.get(name)
    if value is None:
        return None
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise invalid(f"{name}: must be a date") from None


def changed(doc: Doc, body: Mapping[str, Any], names: Iterable[str]) -> Doc:
    """``doc`` with the fields of ``body`` that may change; null removes one; others are ignored."""
    updated = dict(doc)
    for name in names:
        if name not in body:
            continue
        if body[name] is None:
            updated.pop(name, None)
        else:
            updated[name] = body[name]
    return updated


LINE_CLASSIFICATIONS = (
    "chartOfAccountId",
    "accountingClassId",
    "departmentId",
    "employeeId",
    "jobId",
    "locationId",
    "itemId",
    "customerId",
)


def line_cents(line: Mapping[str, Any]) -> int:
    """The amount of a line item: its own, or quantity times price.

    Raises:
        Refusal: 400; neither is given.
    """
    amount = amount_of(line, "amount")
    if amount is not None:
        return amount
    price = amount_of(line, "price")
    if price is None:
        raise missing("billLineItems.amount")
    return times(price, quantity_of(line))


def quantity_of(line: Mapping[str, Any]) -> Decimal:
    """The quantity of a line item, 1 when absent.

    Raises:
        Refusal: 400; it is no number.
    """
    value = line.get("quantity", 1)
    try:
        number = Decimal(value) if not isinstance(value, bool) else Decimal("NaN")
    except (InvalidOperation, TypeError, ValueError):
        number = Decimal("NaN")
    if not number.is_finite():
        raise invalid("quantity: must be a number")
    return number


def line_doc(organization: Organization, line: Any, prefix: str) -> Doc:
    """A line item as stored; without classifications in the body it has none.

    Raises:
        Refusal: 400; no object, or no amount.
    """
    if not isinstance(line, dict):
        raise invalid("billLineItems: must be an object")
    doc: Doc = {
        "id": line.get("id") or organization.ids.new(prefix),
        "amount": organization.money(line_cents(line)),
    }
    if line.get("quantity") is not None:
        doc["quantity"] = quantity_of(line)
    price = amount_of(line, "price")
    if price is not None:
        doc["price"] = organization.money(price)
    if line.get("description"):
        doc["description"] = line["description"]
    coding = line.get("classifications")
    if isinstance(coding, dict):
        kept = {name: coding[name] for name in LINE_CLASSIFICATIONS if coding.get(name)}
        if kept:
            doc["classifications"] = kept
    return doc
