from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billcom_assets.mapping.candidates import Candidate
from billcom_assets.mapping.kinds import KINDS
from billcom_assets.mapping.matching import LIKELY_FROM, Method, Suggestion, match


def suggest(
    kind: str, bill: Sequence[Candidate], ledger: Sequence[Candidate], mapped: Mapping[str, str] | None = None
) -> dict[str, Suggestion]:
    return {found.bill_id: found for found in match(KINDS[kind].rules, bill, ledger, mapped or {})}


def vendor(id_: str, name: str, tax_id: str | None = None, email: str | None = None) -> Candidate:
    return Candidate(id_, name, tax_id=tax_id, email=email)


def account(
    id_: str, name: str, number: str | None = None, type_: str | None = "EXPENSE", path: str | None = None
) -> Candidate:
    return Candidate(id_, name, full_name=path, number=number, type=type_)


@pytest.mark.parametrize(
    ("bill", "ledger", "reason"),
    [
        (account("a", "Office", "6000"), account("L", "Bureau", "6000"), "same number and type"),
        (account("a", "Office", "6000", None), account("L", "Bureau", "6000"), "same number"),
        (account("a", "Office", None), account("L", "OFFICE", "6000"), "same name"),
        (
            account("a", "Other", None, path="Travel:Other"),
            account("L", "Other", "7", path="Travel:Other"),
            "same full name",
        ),
    ],
)
def test_accounts_of_the_same_number_and_type_or_name_are_certain(
    bill: Candidate, ledger: Candidate, reason: str
) -> None:
    found = suggest("accounts", [bill], [ledger, account("M", "Elsewhere", "9999")])

    assert found["a"] == Suggestion("a", "L", Method.EXACT, None, reason)


@pytest.mark.parametrize(
    ("bill", "ledger", "doubt"),
    [
        (
            account("a", "Office", "6000", "EXPENSE"),
            account("L", "Office", "6000", "FIXED_ASSET"),
            "the types differ (EXPENSE, FIXED_ASSET)",
        ),
        (account("a", "Office", "6000"), account("L", "Office", "6001"), "the numbers differ (6000, 6001)"),
        (
            account("a", "Other", None, path="Travel:Other"),
            account("L", "Other", "7", path="Office:Other"),
            "they have different parents",
        ),
    ],
)
def test_an_account_that_something_speaks_against_is_only_likely(
    bill: Candidate, ledger: Candidate, doubt: str
) -> None:
    found = suggest("accounts", [bill], [ledger])["a"]

    assert (found.ledger_id, found.method) == ("L", Method.LIKELY)
    assert doubt in found.reason


def test_number_and_name_pointing_to_different_accounts_are_left_to_a_human() -> None:
    found = suggest(
        "accounts", [account("a", "Rent", "6000")], [account("L1", "Travel", "6000"), account("L2", "Rent", "6100")]
    )["a"]

    assert found.method is Method.LIKELY
    assert "L1" in found.ledger_id + found.reason
    assert "L2" in found.ledger_id + found.reason


@pytest.mark.parametrize(
    ("bill", "ledger", "reason"),
    [
        (vendor("v", "Acme", "123456789"), vendor("L", "Zenith", "123456789"), "same tax id"),
        (vendor("v", "ACME, Inc."), vendor("L", "Acme Inc"), "same name"),
        (vendor("v", "ACME, Inc."), vendor("L", "Acme"), "same name without legal form"),
        (vendor("v", "Acme", email="ap@acme.example"), vendor("L", "Ajax", email="ap@acme.example"), "same e-mail"),
    ],
)
def test_vendors_of_the_same_tax_id_name_or_email_are_certain(bill: Candidate, ledger: Candidate, reason: str) -> None:
    assert suggest("vendors", [bill], [ledger])["v"] == Suggestion("v", "L", Method.EXACT, None, reason)


@pytest.mark.parametrize(
    ("bill", "ledger"),
    [
        ([vendor("v", "Acme")], [vendor("L", "Acme"), vendor("M", "ACME")]),
        ([vendor("v", "Acme"), vendor("w", "ACME")], [vendor("L", "Acme")]),
        ([vendor("v", "Acme Inc")], [vendor("L", "Acme LLC")]),
        ([vendor("v", "Acme", "123456789")], [vendor("L", "Acme", "987654321")]),
        ([vendor("v", "Xerxes", "123456789"), vendor("w", "Yves", "123456789")], [vendor("L", "Zoe", "123456789")]),
    ],
)
def test_what_is_not_unique_or_contradicts_itself_is_never_certain(
    bill: list[Candidate], ledger: list[Candidate]
) -> None:
    found = suggest("vendors", bill, ledger)

    assert found
    assert {suggestion.method for suggestion in found.values()} == {Method.LIKELY}


def test_evidence_for_two_vendors_at_once_is_left_to_a_human() -> None:
    found = suggest(
        "vendors", [vendor("v", "Acme", "123456789")], [vendor("L", "Acme"), vendor("M", "Ajax", "123456789")]
    )["v"]

    assert found.method is Method.LIKELY
    assert found.reason == "same tax id, but L has the same name"


def test_a_second_vendor_on_one_ledger_vendor_is_only_a_suggestion_that_says_so() -> None:
    ledger = [vendor("L", "Acme", email="ap@acme.example")]

    found = suggest("vendors", [vendor("v1", "Acme"), vendor("v2", "Zoo Inc", email="ap@acme.example")], ledger)

    assert found["v1"] == Suggestion("v1", "L", Method.EXACT, None, "same name")
    assert found["v2"] == Suggestion(
        "v2", "L", Method.LIKELY, 95, "same e-mail; BILL's v1 goes onto the same ledger object"
    )


def test_a_ledger_vendor_that_is_mapped_already_is_only_suggested_with_a_remark() -> None:
    found = suggest("vendors", [vendor("v1", "Other"), vendor("v2", "Acme")], [vendor("L", "Acme")], {"v1": "L"})

    assert found.keys() == {"v2"}
    assert found["v2"].method is Method.LIKELY
    assert "BILL's v1 goes onto the same" in found["v2"].reason


def test_a_free_ledger_vendor_is_preferred_when_it_fits_nearly_as_well() -> None:
    ledger = [vendor("L1", "Northwind Traders"), vendor("L2", "Northwind Trader")]

    found = suggest("vendors", [vendor("v1", "Northwind Traders"), vendor("v2", "Northwind Tradersz")], ledger)

    assert found["v1"].ledger_id == "L1"
    assert found["v2"].ledger_id == "L2"


@pytest.mark.parametrize(
    ("bill", "ledger"),
    [
        ("Northwind Tradrs", "Northwind Traders"),
        ("Traders Northwind", "Northwind Traders"),
        ("Café Zürich Lieferung", "Cafe Zurich Liefrung"),
        ("Contoso Energy Services", "Contoso Energy"),
        ("Pemberton", "Pemberton Hardware"),
    ],
)
def test_names_that_are_alike_are_likely_with_a_score_and_a_reason(bill: str, ledger: str) -> None:
    found = suggest("vendors", [vendor("v", bill)], [vendor("L", ledger), vendor("M", "Quite another")])["v"]

    assert (found.ledger_id, found.method) == ("L", Method.LIKELY)
    assert found.score is not None
    assert LIKELY_FROM <= found.score <= 100
    assert found.reason


@pytest.mark.parametrize(
    ("bill", "ledger"), [("Store 12", "Store 13"), ("Acme", "Zenith"), ("Area 2024 North", "Area 2025 North"), ("", "")]
)
def test_names_that_are_not_alike_get_no_suggestion(bill: str, ledger: str) -> None:
    assert suggest("vendors", [vendor("v", bill)], [vendor("L", ledger)]) == {}


def test_employees_match_whatever_the_order_of_their_names() -> None:
    found = suggest("employees", [Candidate("e", "Ada Okoro")], [Candidate("L", "Okoro, Ada")])

    assert found["e"].method is Method.EXACT


def test_a_code_is_only_a_hint() -> None:
    found = suggest("departments", [Candidate("d", "West coast", code="sw")], [Candidate("SW", "Sales", code="sw")])

    assert (found["d"].method, found["d"].reason) == (Method.LIKELY, "same code")


def test_a_funding_account_follows_its_account_in_bill() -> None:
    ledger = [Candidate("1000", "Operating", code="1000"), Candidate("1010", "Chase 4321", code="1010")]

    found = suggest("funding_accounts", [Candidate("bac", "Chase Checking", counterpart="1000")], ledger)
    by_digits = suggest("funding_accounts", [Candidate("bac", "Chase Checking", code="4321")], ledger)

    assert (found["bac"].ledger_id, found["bac"].method) == ("1000", Method.EXACT)
    assert (by_digits["bac"].ledger_id, by_digits["bac"].method) == ("1010", Method.LIKELY)


def test_tax_ids_and_emails_show_in_no_repr() -> None:
    assert "123456789" not in repr(vendor("v", "Acme", "123456789", "ap@acme.example"))
    assert "ap@acme" not in repr(vendor("v", "Acme", "123456789", "ap@acme.example"))


def test_five_thousand_vendors_are_matched_with_five_thousand() -> None:
    rng = random.Random(1)
    syllables = ["ac", "me", "nor", "th", "wind", "bel", "tra", "sys", "tem", "glo", "bal", "uni", "ver", "sal", "del"]

    def word() -> str:
        return "".join(rng.choices(syllables, k=rng.randint(2, 4)))

    names = [" ".join([word(), word(), word(), f"{place:04d}"]) for place in range(5000)]
    ledger = [vendor(str(place), name.title()) for place, name in enumerate(names)]
    bill = [
        vendor(f"v{place}", name.upper() + " INC" if place % 2 else f"z{name[1:]}") for place, name in enumerate(names)
    ]

    found = suggest("vendors", bill, ledger)

    assert sum(suggestion.bill_id == f"v{suggestion.ledger_id}" for suggestion in found.values()) == 5000


NAMES = st.sampled_from(["Acme", "Acme Inc", "ACME LLC", "Acme East", "Zenith", "Zenit", "The Acme", "", "12"])
TAX_IDS = st.sampled_from([None, None, "111222333", "444555666"])
EMAILS = st.sampled_from([None, None, "a@b.c", "d@e.f"])
SIDE = st.lists(st.tuples(NAMES, TAX_IDS, EMAILS), max_size=7)


@given(SIDE, SIDE, st.integers(0, 3), st.randoms(use_true_random=False))
def test_certain_suggestions_never_share_a_ledger_object_and_order_does_not_matter(
    ours: list[tuple[str, str | None, str | None]],
    theirs: list[tuple[str, str | None, str | None]],
    mapped_count: int,
    rng: random.Random,
) -> None:
    bill = [vendor(f"v{place}", *values) for place, values in enumerate(ours)]
    ledger = [vendor(f"L{place}", *values) for place, values in enumerate(theirs)]
    mapped = {f"v{place}": f"L{place}" for place in range(min(mapped_count, len(bill), len(ledger)))}

    found = match(KINDS["vendors"].rules, bill, ledger, mapped)

    exact = [suggestion.ledger_id for suggestion in found if suggestion.method is Method.EXACT]
    assert len(set(exact) | set(mapped.values())) == len(exact) + len(mapped)
    assert not mapped.keys() & {suggestion.bill_id for suggestion in found}
    assert len({suggestion.bill_id for suggestion in found}) == len(found)
    owners: dict[str, int] = {}
    for suggestion in found:
        owners[suggestion.ledger_id] = owners.get(suggestion.ledger_id, 0) + 1
        if suggestion.ledger_id in mapped.values():
            assert "goes onto the same ledger object" in suggestion.reason
    for ledger_id, count in owners.items():
        said = [s for s in found if s.ledger_id == ledger_id and "goes onto the same ledger object" in s.reason]
        assert len(said) >= count - 1
    shuffled = bill[:], ledger[:]
    for side in shuffled:
        rng.shuffle(side)
    again = match(KINDS["vendors"].rules, *shuffled, mapped)
    assert {s.bill_id: s.ledger_id for s in again if s.method is Method.EXACT} == {
        s.bill_id: s.ledger_id for s in found if s.method is Method.EXACT
    }
