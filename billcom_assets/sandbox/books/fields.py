"""From the fields of a request body to those of an object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.errors import bad_data, missing
from billcom_assets.sandbox.money import cents, times
from billcom_assets.sandbox.organization import Organization


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


def line_doc(organization: Organization, line: Mapping[str, Any], prefix: str) -> Doc:
    """A line item as stored; without classifications in the body it has none.

    Raises:
        Refusal: 400; neither an amount nor a price.
    """
    price, amount = line.get("price"), line.get("amount")
    if amount is None and price is None:
        raise missing("amount")
    sum_of_line = times(cents(price), Decimal(line.get("quantity", 1))) if amount is None else cents(amount)
    doc: Doc = {"id": line.get("id") or organization.ids.new(prefix), "amount": organization.money(sum_of_line)}
    if "quantity" in line:
        doc["quantity"] = line["quantity"]
    if price is not None:
        doc["price"] = organization.money(cents(price))
    if line.get("description"):
        doc["description"] = line["description"]
    if line.get("classifications"):
        doc["classifications"] = line["classifications"]
    return doc


def merged_lines(
    organization: Organization, old: list[Doc], sent: list[Doc], prefix: str, *, replace: bool
) -> list[Doc]:
    """Line items after an update: one without an id is new, one with an id overwrites that line as a whole.

    Args:
        organization: Where the document is.
        old: Its lines.
        sent: The lines of the body.
        prefix: Prefix of the ids of lines.
        replace: Lines that the body does not name are removed.

    Raises:
        Refusal: 400; an id that none of the lines has, or one that comes twice.
    """
    named = [line["id"] for line in sent if "id" in line]
    strays = [line_id for line_id in named if line_id not in {line["id"] for line in old} or named.count(line_id) > 1]
    if strays:
        raise bad_data(f"id of line {strays[0]}")
    made = [line_doc(organization, line, prefix) for line in sent]
    if replace:
        return made
    by_id = {line["id"]: line for line in made}
    kept = [by_id.pop(line["id"], line) for line in old]
    return kept + list(by_id.values())
