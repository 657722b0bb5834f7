"""The whole past of one organization, made by the operations that its API offers."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.generate.history import History
from billcom_assets.sandbox.generate.money_movements import add_money_movements
from billcom_assets.sandbox.generate.payables import add_payables
from billcom_assets.sandbox.generate.receivables import add_receivables
from billcom_assets.sandbox.generate.reference import (
    add_access,
    add_accounts,
    add_banks,
    add_cards,
    add_dimensions,
    add_employees,
    add_items,
)
from billcom_assets.sandbox.organization import Organization


def write_history(organization: Organization) -> None:
    """Fill an organization, the same for the same settings; every kind of object grows with the number of bills."""
    bills = organization.readings.settings.bills
    with _no_collector(), organization.in_the_past() as clock:
        history = History(organization, clock)
        organization.profile = _profile(history)
        add_access(history)
        add_accounts(history, projects=min(bills // 500, 300))
        add_dimensions(history, jobs=bills // 300)
        add_items(history, parts=bills // 60)
        add_employees(history, count=3 + bills // 50)
        add_banks(history)
        history.references.terms = [organization.ids.new("00p") for _ in range(3)]
        add_cards(history)
        organization.finish()
        add_receivables(history, customers=max(2, bills // 16) if bills else 0, invoices=bills * 2 // 5)
        add_payables(history, bills)
        add_money_movements(history)


@contextmanager
def _no_collector() -> Iterator[None]:
    """Let the garbage collector rest: hundreds of thousands of objects are made here, and no cycles."""
    ran = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if ran:
            gc.enable()


def _profile(history: History) -> Doc:
    organization, luck = history.organization, history.luck("Organization")
    return {
        "id": organization.id,
        "archived": False,
        "name": organization.name,
        "address": luck.address(),
        "phone": luck.phone(),
        "taxId": f"*****{luck.randint(1000, 9999)}",
        "taxIdType": "EIN",
        "accountType": "BUSINESS",
        "processingOptions": {"mailingAddressSameAsPhysical": True},
        "createdTime": "2023-01-02T09:00:00.000+00:00",
        "updatedTime": "2023-01-02T09:00:00.000+00:00",
    }
