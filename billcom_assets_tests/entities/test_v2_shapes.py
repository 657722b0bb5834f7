"""v2's records as v3's objects."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from billcom_assets.entities.v2_shapes import SHAPES
from billcom_assets_tests.entities.v2_page import PAGE, page

NO_ID = "0" * 20
BILL = SHAPES["/v3/bills"]


def bill(**fields: Any) -> dict[str, Any]:
    return BILL.v3({"id": "00n01", **fields})


def test_the_page_of_differences_is_that_of_the_declarations() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m billcom_assets_tests.entities.v2_page"


def test_nothing_stands_for_nothing() -> None:
    made = bill(vendorId=NO_ID, description="", dueDate=None, payFromChartOfAccountId="")
    assert made == {"id": "00n01"}


def test_digits_are_words_and_unknown_ones_stay() -> None:
    assert bill(isActive="5", paymentStatus="2") == {
        "id": "00n01",
        "archived": True,
        "recordStatus": "DRAFT",
        "paymentStatus": "PARTIALLY_PAID",
    }
    assert bill(paymentStatus="9")["paymentStatus"] == "9"


@pytest.mark.parametrize("local", [None, ""])
def test_money_in_dollars_is_as_v2_says(local: str | None) -> None:
    made = bill(amount=Decimal("10.50"), dueAmount=Decimal("3.10"), localAmount=local, exchangeRate=1)
    assert (made["amount"], made["dueAmount"], "fundingAmount" in made) == (Decimal("10.50"), Decimal("3.10"), False)


@pytest.mark.parametrize("local", [0, "0.00", Decimal("10.50"), "10.5", "nonsense"])
def test_a_local_amount_that_says_nothing_makes_no_document_foreign(local: object) -> None:
    made = bill(amount=Decimal("10.50"), dueAmount=Decimal("3.10"), localAmount=local)
    assert (made["amount"], made["dueAmount"], "fundingAmount" in made) == (Decimal("10.50"), Decimal("3.10"), False)


@pytest.mark.parametrize(
    ("flag", "archived"), [("1", False), ("2", True), (True, False), (False, True), ("true", False)]
)
def test_flags_of_old_say_the_same_as_digits(flag: object, archived: bool) -> None:
    assert SHAPES["/v3/vendors"].v3({"id": "009", "isActive": flag})["archived"] is archived


def test_of_a_foreign_document_only_nothing_and_all_of_it_are_known_in_its_currency() -> None:
    made = bill(
        amount=Decimal("10.50"),
        localAmount=Decimal("9.00"),
        dueAmount=Decimal("10.50"),
        paidAmount=Decimal(0),
        scheduledAmount=Decimal("3.10"),
        billLineItems=[{"id": "bli", "amount": Decimal("4.00"), "itemId": NO_ID}],
    )
    assert (made["amount"], made["fundingAmount"], made["dueAmount"]) == (
        Decimal("9.00"),
        Decimal("10.50"),
        Decimal("9.00"),
    )
    assert made["paidAmount"] == 0
    assert "scheduledAmount" not in made
    assert made["billLineItems"] == [{"id": "bli"}]


def test_who_pays_is_a_bank_account_or_a_card() -> None:
    payment = SHAPES["/v3/payments"]
    assert payment.v3({"bankAccountId": NO_ID, "cardAccountId": "cat01"})["fundingAccount"] == {
        "type": "CARD_ACCOUNT",
        "id": "cat01",
    }
    assert "fundingAccount" not in payment.v3({"bankAccountId": NO_ID, "cardAccountId": NO_ID})


_ANYTHING = (
    some.none()
    | some.booleans()
    | some.integers()
    | some.decimals(allow_nan=True)
    | some.text()
    | some.lists(some.dictionaries(some.text(), some.none() | some.text()))
)


@given(path=some.sampled_from(sorted(SHAPES)), data=some.data())
def test_nonsense_of_v2s_makes_no_error(path: str, data: some.DataObject) -> None:
    shape = SHAPES[path]
    fields = some.sampled_from(["id", "amount", "localAmount", "isActive", "dueAmount", "billLineItems", "vendorId"])
    assert isinstance(shape.v3(data.draw(some.dictionaries(fields, _ANYTHING)), {"x": []}), dict)
