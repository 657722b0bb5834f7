"""What leaves and reaches the company's bank: one lump sum for all payments of a day, which only v2 shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from billcom_assets.sandbox.books.objects import doc_of
from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.errors import bad_data
from billcom_assets.sandbox.kinds import CUSTOMERS, MONEY_MOVEMENTS, PAYMENTS, RECEIVABLE_PAYMENTS
from billcom_assets.sandbox.money import cents
from billcom_assets.sandbox.organization import Organization
from billcom_assets.sandbox.table import Row


@dataclass(frozen=True, order=True, slots=True)
class Batch:
    """What moves together.

    Attributes:
        day: ``yyyy-MM-dd`` on which it moves.
        type: PAYABLE or RECEIVABLE.
        bank: Id of the bank account.
    """

    day: str
    type: str
    bank: str


@dataclass(frozen=True, slots=True)
class Part:
    """A payment of a batch: its id, the other party's name, and US cents, negative when they leave."""

    payment: str
    name: str
    amount: int


def waiting_money(organization: Organization) -> dict[Batch, list[Part]]:
    """The online payments from and to bank accounts that were made and are in no movement, or in a voided one."""
    movements = [row.look() for row in organization.table(MONEY_MOVEMENTS)]
    on_their_way = {item["moves"] for one in movements if one["status"] != "VOIDED" for item in one["items"]}
    returned = {item["moves"] for one in movements for item in one["items"]} - on_their_way
    batches: dict[Batch, list[Part]] = defaultdict(list)
    for batch, part in (*_paid(organization, on_their_way), *_received(organization, on_their_way)):
        day = organization.clock.today() if part.payment in returned else batch.day
        batches[Batch(day, batch.type, batch.bank)].append(part)
    return dict(sorted(batches.items()))


def _paid(organization: Organization, done: Iterable[str]) -> Iterator[tuple[Batch, Part]]:
    for payment in _made(organization.table(PAYMENTS), done):
        if payment["fundingAccount"]["type"] == "BANK_ACCOUNT":
            bank = payment["fundingAccount"].get("id") or organization.default_bank
            part = Part(payment["id"], payment["vendorName"], -cents(payment["fundingAmount"]))
            yield Batch(payment["processDate"], "PAYABLE", bank), part


def _received(organization: Organization, done: Iterable[str]) -> Iterator[tuple[Batch, Part]]:
    for payment in _made(organization.table(RECEIVABLE_PAYMENTS), done):
        customer = organization.table(CUSTOMERS).rows[payment["customerId"]].look()
        part = Part(payment["id"], customer["name"], cents(payment["amount"]))
        yield Batch(payment["paymentDate"], "RECEIVABLE", payment["receivablesAccount"]["id"]), part


def _made(rows: Iterable[Row], done: Iterable[str]) -> Iterator[Doc]:
    for row in rows:
        payment = row.look() if row.id not in done else {}
        if payment.get("onlinePayment") and payment["status"] in ("PAID", "VOID"):
            yield payment


def send(organization: Organization, batch: Batch, parts: list[Part]) -> Row:
    """A new movement."""
    movement_id = organization.ids.new(MONEY_MOVEMENTS.prefix)
    doc = {
        "id": movement_id,
        "name": f"BILL {int(movement_id[-5:], 36):08d}",
        "type": batch.type,
        "amount": organization.money(0),
        "processDate": batch.day,
        "status": "SENT",
        "bankAccountId": batch.bank,
        "description": f"{batch.type.capitalize()}s of {batch.day}",
        "items": [],
    }
    return _add(organization, doc, parts)


def _add(organization: Organization, doc: Doc, parts: list[Part]) -> Row:
    money = organization.money
    items = [
        {"id": organization.ids.new("mmi"), "amount": money(one.amount), "name": one.name, "moves": one.payment}
        for one in parts
    ]
    doc["items"] = [*doc["items"], *items]
    doc["amount"] = money(sum(cents(Decimal(item["amount"])) for item in doc["items"]))
    return organization.write(MONEY_MOVEMENTS, doc)


def move_money(organization: Organization) -> None:
    """What BILL does every night: send what waits, together with what was sent for the same day before."""
    sent = {
        Batch(doc["processDate"], doc["type"], doc["bankAccountId"]): doc
        for doc in (row.doc() for row in organization.table(MONEY_MOVEMENTS))
        if doc["status"] == "SENT"
    }
    for batch, parts in waiting_money(organization).items():
        if batch in sent:
            _add(organization, sent[batch], parts)
        else:
            send(organization, batch, parts)


def conclude(organization: Organization, movement_id: str, status: str) -> Row:
    """The bank has confirmed a movement (CONFIRMED) or returned it (VOIDED): then its payments move once more.

    Raises:
        Refusal: 404 unknown movement, 400 it is concluded already.
    """
    doc = doc_of(organization, MONEY_MOVEMENTS, movement_id)
    if doc["status"] != "SENT":
        raise bad_data(f"status {doc['status']}")
    return organization.write(MONEY_MOVEMENTS, doc | {"status": status})
