"""v2's view of the same objects: other names, digits for enums, twenty zeros for ids that are not set.

``v2_shapes.toml`` says of each field where it comes from. Money of foreign documents is in US dollars here
(``amount``), with the amount in the document's currency beside it (``localAmount``).
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from typing import Any

from billcom_assets.sandbox.amounts import funding_cents
from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.ids import NO_ID
from billcom_assets.sandbox.kinds import ACCOUNT_TYPES, BY_PATH, PAYMENTS, Kind
from billcom_assets.sandbox.money import cents, times
from billcom_assets.sandbox.organization import Organization
from billcom_assets.sandbox.table import Row

_TABLES: dict[str, Any] = tomllib.loads(files(__package__).joinpath("v2_shapes.toml").read_text(encoding="utf-8"))
_CODES: dict[str, dict[str, str]] = _TABLES.pop("codes")


@dataclass(frozen=True, slots=True)
class Subject:
    """An object, or a line of one, on its way into v2.

    Attributes:
        organization: Where it lives.
        doc: The whole object, with ``hidden`` for what v3 does not show.
        part: The line of it, or the object itself.
    """

    organization: Organization
    doc: Doc
    part: Doc

    def at(self, path: str) -> Any:
        """The value at a path of the part, or of the whole object after ``doc.``; None where there is none."""
        first, _, rest = path.partition(".")
        held: Any = self.doc if first == "doc" else self.part
        for name in (rest if first == "doc" else path).split("."):
            held = held.get(name) if held is not None else None
        return held

    def usd(self, amount: Any) -> Decimal:
        """US dollars of an amount in the document's currency."""
        meaning = self.organization.readings.settings.exchange_rate
        return self.organization.money(funding_cents(cents(amount), self.doc.get("exchangeRate"), meaning))

    def is_foreign(self) -> bool:
        """The document is in another currency than US dollars."""
        return self.doc.get("exchangeRate") not in (None, 1)

    def lines(self, entity: str, parts: list[Doc]) -> list[Doc]:
        """The v2 records of lines of the object."""
        return [_record(entity, Subject(self.organization, self.doc, part)) for part in parts]


def _code(subject: Subject, table_and_path: str) -> str:
    table, path = table_and_path.split()
    value, codes = subject.at(path), _CODES[table]
    text = str(value).lower() if isinstance(value, bool) else value
    return codes[text] if text in codes else codes[""]


_VERBS: Mapping[str, Callable[[Subject, str], Any]] = {
    "id": lambda subject, path: subject.at(path) or NO_ID,
    "usd": lambda subject, path: subject.usd(subject.at(path)),
    "local": lambda subject, path: subject.at(path) if subject.is_foreign() else None,
    "code": _code,
    "time": lambda subject, path: subject.at(path).replace("+00:00", "+0000"),
    "flag": lambda subject, path: subject.at(path) or False,
    "text": lambda _subject, text: text,
    "of": lambda subject, name: _FUNCTIONS[name](subject),
}


def _record(entity: str, subject: Subject) -> Doc:
    return {"entity": entity} | {name: _value(source, subject) for name, source in _TABLES[entity]["fields"].items()}


def _value(source: Any, subject: Subject) -> Any:
    if not isinstance(source, str):
        return source
    verb, _, rest = source.partition(" ")
    if rest:
        return _VERBS[verb](subject, rest)
    return None if source == "null" else subject.at(source)


def _bill_lines(subject: Subject) -> list[Doc]:
    ordered = [line | {"order": order} for order, line in enumerate(subject.doc["billLineItems"])]
    return subject.lines("BillLineItem", ordered)


def _lines_of_type(line_type: str) -> Callable[[Subject], Doc]:
    def roll_up(subject: Subject) -> Doc:
        amounts = [cents(line["amount"]) for line in _bill_lines(subject) if line["lineType"] == line_type]
        return {"count": len(amounts), "totalAmount": subject.organization.money(sum(amounts))}

    return roll_up


def _paying(account_type: str) -> Callable[[Subject], str]:
    def paying(subject: Subject) -> str:
        funding = subject.doc.get("fundingAccount", {})
        return funding.get("id") or NO_ID if funding.get("type") == account_type else NO_ID

    return paying


def _bill_credits(subject: Subject) -> list[Doc]:
    uses = [
        credit | {"use": f"bcr{part['id'][3:]}", "billId": part["billId"]}
        for part in subject.doc["billPayments"]
        for credit in part.get("vendorCredits", ())
    ]
    return subject.lines("BillCredit", uses)


def _line_amount(subject: Subject) -> Decimal:
    price, quantity = subject.part["price"], subject.part["quantity"]
    return subject.organization.money(times(cents(price), Decimal(quantity)))


_FUNCTIONS: Mapping[str, Callable[[Subject], Any]] = {
    "organization_id": lambda subject: subject.organization.id,
    "organization_name": lambda subject: subject.organization.name,
    "several_lines": lambda subject: len(subject.doc["billLineItems"]) > 1,
    "item_lines": _lines_of_type("2"),
    "expense_lines": _lines_of_type("1"),
    "bill_lines": _bill_lines,
    "line_type": lambda subject: "2" if subject.at("classifications.itemId") else "1",
    "paying_bank": _paying("BANK_ACCOUNT"),
    "paying_card": _paying("CARD_ACCOUNT"),
    "bill_pays": lambda subject: subject.lines("BillPay", subject.doc["billPayments"]),
    "bill_credits": _bill_credits,
    "masked_routing_number": lambda subject: f"*****{subject.doc['routingNumber'][-4:]}",
    "is_savings": lambda subject: subject.doc["type"] == "SAVINGS",
    "is_personal": lambda subject: subject.doc["ownerType"] == "PERSONAL",
    "invoice_lines": lambda subject: subject.lines("InvoiceLineItem", subject.doc["invoiceLineItems"]),
    "line_amount": _line_amount,
    "account_type": lambda subject: str(ACCOUNT_TYPES.index(subject.doc["account"]["type"])),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """One v2 entity.

    Attributes:
        entity: Its name.
        kind: The v3 kind of the same objects.
        filterable: Fields a List call may filter by.
    """

    entity: str
    kind: Kind
    filterable: frozenset[str]

    def record(self, organization: Organization, row: Row) -> Doc:
        """The v2 record of an object."""
        doc = row.doc() | {"hidden": row.hidden or {}}
        return _record(self.entity, Subject(organization, doc, doc))


def _shape(entity: str, kind: Kind, filterable: str) -> Shape:
    everywhere = {"id", "createdTime", "updatedTime"} | ({"isActive"} if kind is not PAYMENTS else set())
    return Shape(entity, kind, frozenset({*everywhere, *filterable.split()}))


SHAPES: Mapping[str, Shape] = {
    entity: _shape(entity, BY_PATH[facts["path"]], facts["filterable"])
    for entity, facts in _TABLES.items()
    if "path" in facts
}
