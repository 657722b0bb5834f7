"""Which account of BILL's is taken for which of the ledger's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from billcom_assets.alignment.chart import BillAccount, Charts, LedgerAccount
from billcom_assets.alignment.matching import By, Matches, match

KEY = "acme-us"


def ours(id_: str, name: str, number: str | None = None, parent: str | None = None, **more: Any) -> LedgerAccount:
    return LedgerAccount(id_, name, more.pop("type", "EXPENSE"), number, parent, **more)


def theirs(id_: str, name: str, number: str | None = None, parent: str | None = None, **more: Any) -> BillAccount:
    return BillAccount(id_, name, more.pop("type", "EXPENSE"), number, parent, **more)


def both(
    ledger: Iterable[LedgerAccount], bill: Iterable[BillAccount], mapped: Mapping[str, str] | None = None, **more: Any
) -> Charts:
    return Charts(KEY, tuple(ledger), tuple(bill), mapped or {}, **more)


def found(charts: Charts) -> dict[str, tuple[str, By]]:
    matches: Matches = match(charts)
    return {ledger: (bill, matches.by[ledger]) for ledger, bill in matches.bill_of.items()}


def test_a_mapping_counts_for_more_than_number_and_name() -> None:
    charts = both([ours("1", "Rent", "6000")], [theirs("a", "Rent", "6000"), theirs("b", "Lease")], {"b": "1"})
    assert found(charts) == {"1": ("b", By.MAPPING)}


def test_a_number_counts_for_more_than_a_name() -> None:
    charts = both([ours("1", "Rent", "6000")], [theirs("a", "Rent", "6100"), theirs("b", "Lease", "6000")])
    assert found(charts) == {"1": ("b", By.NUMBER)}


def test_a_name_is_the_same_only_under_the_same_parent() -> None:
    ledger = [ours("1", "Cars"), ours("2", "Homes"), ours("3", "Other", None, "1"), ours("4", "Other", None, "2")]
    bill = [theirs("a", "Cars"), theirs("b", "Homes"), theirs("c", "Other", None, "b")]
    assert found(both(ledger, bill)) == {"1": ("a", By.NAME), "2": ("b", By.NAME), "4": ("c", By.NAME)}


def test_where_bill_hides_parents_names_are_compared_without() -> None:
    ledger = [ours("1", "Cars"), ours("3", "Fuel", None, "1")]
    bill = [theirs("a", "Cars", parent_known=False), theirs("c", "Fuel", parent_known=False)]
    assert found(both(ledger, bill)) == {"1": ("a", By.NAME), "3": ("c", By.NAME)}


def test_children_are_found_under_a_parent_that_is_found_late() -> None:
    ledger = [ours("1", "Cars", type="EXPENSE"), ours("2", "Fuel", None, "1"), ours("3", "Diesel", None, "2")]
    bill = [
        theirs("a", "Cars", type="INCOME"),
        theirs("b", "Fuel", None, "a", archived=True),
        theirs("c", "Diesel", None, "b", archived=True),
    ]
    assert found(both(ledger, bill)) == {"1": ("a", By.NAME_ALONE), "2": ("b", By.NAME), "3": ("c", By.NAME)}


def test_a_live_account_comes_before_an_archived_one_that_is_mapped() -> None:
    bill = [theirs("a", "Rent", "6000", archived=True), theirs("b", "Rent", "6000")]
    assert found(both([ours("1", "Rent", "6000")], bill, {"a": "1"})) == {"1": ("b", By.NUMBER)}
    assert found(both([ours("1", "Rent", "6000")], bill[:1], {"a": "1"})) == {"1": ("a", By.MAPPING)}


@pytest.mark.parametrize("kind", ["mapped elsewhere", "left unmapped", "merged"])
def test_what_somebody_has_decided_about_is_matched_to_nothing_else(kind: str) -> None:
    one = theirs("a", "Rent", "6000", merged=kind == "merged", archived=kind == "merged")
    mapped = {"a": "2"} if kind == "mapped elsewhere" else {}
    unmapped = frozenset({"a"}) if kind == "left unmapped" else frozenset()
    charts = both([ours("1", "Rent", "6000"), ours("2", "Lease", "7000")], [one], mapped, unmapped=unmapped)
    assert "1" not in found(charts)


def test_of_duplicates_the_one_that_needs_least_and_is_in_use_stands_for_the_account() -> None:
    bill = [theirs("a", "Rental", "6000"), theirs("b", "Rent", "6000"), theirs("c", "Rent", "6000")]
    charts = both([ours("1", "Rent", "6000")], bill, uses={"c": frozenset({"bills"})})
    assert found(charts) == {"1": ("c", By.NUMBER)}


def test_an_inactive_account_stands_for_nothing() -> None:
    assert found(both([ours("1", "Rent", "6000", active=False)], [theirs("a", "Rent", "6000")])) == {}
