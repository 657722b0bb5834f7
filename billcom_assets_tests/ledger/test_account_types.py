from __future__ import annotations

import pytest

from billcom_assets.ledger.account_types import AccountType, account_type, wordings


@pytest.mark.parametrize("type_", AccountType)
def test_bills_own_names_are_understood_in_both_spellings(type_: AccountType) -> None:
    in_its_import = "".join(part.title() for part in type_.value.split("_"))

    assert account_type(type_.value) is type_
    assert account_type(type_.value.lower()) is type_
    assert account_type(in_its_import) is type_


@pytest.mark.parametrize(
    ("wording", "expected"),
    [
        ("Accounts receivable (A/R)", AccountType.ACCOUNTS_RECEIVABLE),
        ("Accounts payable (A/P)", AccountType.ACCOUNTS_PAYABLE),
        ("Other Current Assets", AccountType.OTHER_CURRENT_ASSET),
        ("Other Current Liabilities", AccountType.OTHER_CURRENT_LIABILITY),
        ("Long Term Liabilities", AccountType.LONG_TERM_LIABILITY),
        ("Cost of Goods Sold", AccountType.COST_OF_GOODS_SOLD),
        ("CostofGoodsSold", AccountType.COST_OF_GOODS_SOLD),
        ("Expenses", AccountType.EXPENSE),
        ("OCASSET", AccountType.OTHER_CURRENT_ASSET),
        ("EXINC", AccountType.OTHER_INCOME),
        ("Direct Costs", AccountType.COST_OF_GOODS_SOLD),
        ("Overhead", AccountType.EXPENSE),
        ("Overheads", AccountType.EXPENSE),
        ("Prepayment", AccountType.OTHER_CURRENT_ASSET),
        ("Non-current Liability", AccountType.LONG_TERM_LIABILITY),
        ("CURRLIAB", AccountType.OTHER_CURRENT_LIABILITY),
        ("Revenue", AccountType.INCOME),
        ("Current Liability", AccountType.OTHER_CURRENT_LIABILITY),
        ("Fixed Assets", AccountType.FIXED_ASSET),
        ("Deferred Revenue", AccountType.OTHER_CURRENT_LIABILITY),
        ("_othCurrAsset", AccountType.OTHER_CURRENT_ASSET),
        ("Statistical", AccountType.NON_POSTING),
        ("Cost of Sales", AccountType.COST_OF_GOODS_SOLD),
        ("Equity-doesn't close", AccountType.EQUITY),
        ("Accumulated Depreciation", AccountType.FIXED_ASSET),
        ("  bank ", AccountType.BANK),
        ("Credit Card", AccountType.CREDIT_CARD),
    ],
)
def test_wordings_of_accounting_programs_are_understood(wording: str, expected: AccountType) -> None:
    assert account_type(wording) is expected


# Sage writes types as numbers, and BILL's older API does too, with other meanings: a guess could be wrong.
@pytest.mark.parametrize("wording", ["", "  ", "Banking", "0", "16", "Income Statement", "balancesheet", "UNDEFINED"])
def test_what_is_not_surely_a_type_is_unknown(wording: str) -> None:
    assert account_type(wording) is None


def test_every_type_has_a_wording() -> None:
    assert wordings().keys() == set(AccountType)
