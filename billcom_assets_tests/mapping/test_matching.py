"""What is certain, what is likely and what is ambiguous."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billcom_assets.mapping.candidates import Candidate, ledger_candidate, vendor_candidate
from billcom_assets.mapping.kinds import KINDS
from billcom_assets.mapping.matching import LIKELY_FROM, SHOWN, Certainty, Suggestion, match
from billcom_assets_tests.mapping.labelled import Pair, generated, judged, labelled

MAIL = "ap@acme.example"


def suggest(
    kind: str, bill: Sequence[Candidate], ledger: Sequence[Candidate], mapped: Mapping[str, str] | None = None
) -> dict[str, Suggestion]:
    return {found.bill_id: found for found in match(KINDS[kind].rules, bill, ledger, mapped or {})}


def vendor(
    id_: str, name: str, email: str | None = None, tax_id: str | None = None, currency: str | None = None
) -> Candidate:
    """As BILL tells of one: all but the end of the tax id is masked."""
    row = {"id": id_, "name": name, "short_name": None, "email": email, "bill_currency": currency}
    return vendor_candidate(row | {"additional_info_tax_id": tax_id})


def kept(
    id_: str, name: str, email: str | None = None, tax_id: str | None = None, currency: str | None = None
) -> Candidate:
    """A vendor of the ledger."""
    row = {"id": id_, "number": id_, "name": name, "email": email, "tax_id": tax_id, "currency": currency}
    return ledger_candidate(row, None)


def account(
    id_: str, name: str, number: str | None = None, type_: str | None = "EXPENSE", path: str | None = None
) -> Candidate:
    return Candidate(id_, name, full_name=path, number=number, type=type_)


def certainty(kind: str, bill: Candidate, ledger: Candidate) -> Certainty | None:
    """How sure the match of these two is; None when it is not even proposed."""
    found = suggest(kind, [bill], [ledger]).get(bill.id)
    return None if found is None else found.certainty


@pytest.mark.parametrize(
    ("bill", "ledger"),
    [
        (vendor("v", "Acme Tools", MAIL), kept("L", "ACME TOOLS, Inc.", MAIL)),
        (vendor("v", "Acme Tools", "jo@acme.example"), kept("L", "Acme Tools", "billing@acme.example")),
        (vendor("v", "Acme Tools", "jo@mail.acme.example"), kept("L", "Acme Tools", "billing@acme.example")),
        (vendor("v", "Acme Tools", None, "*****6789"), kept("L", "Acme Tools", None, "12-3456789")),
        (vendor("v", "Acme Intl Mfg", MAIL), kept("L", "Acme International Manufacturing", MAIL)),
        (vendor("v", "Acme Tools", "acme@gmail.com"), kept("L", "Acme Tools", "acme@gmail.com")),
        (vendor("v", "Keystone Law, P.A.", MAIL), kept("L", "Keystone Law", MAIL)),
        (vendor("v", "Global Freight EUR", MAIL), kept("L", "Global Freight", MAIL, None, "EUR")),
    ],
)
def test_vendors_of_which_two_facts_agree_and_none_contradicts_are_certain(bill: Candidate, ledger: Candidate) -> None:
    found = suggest("vendors", [bill], [ledger, kept("M", "Quite Another")])[bill.id]

    assert (found.best.ledger_id, found.certainty, found.best.score) == ("L", Certainty.EXACT, 100)
    assert len(found.best.supporting) >= 2
    assert found.best.contradicting == ()


@pytest.mark.parametrize(
    ("bill", "ledger"),
    [
        # One fact is not two.
        (vendor("v", "Acme Tools"), kept("L", "Acme Tools")),
        # The same mailbox says nothing where the names are unlike, or where nobody reads it.
        (vendor("v", "Acme Tools", MAIL), kept("L", "Zenith Foods", MAIL)),
        (vendor("v", "Acme Tools", "no-reply@acme.example"), kept("L", "Zenith Foods", "no-reply@acme.example")),
        (vendor("v", "Acme Tools", "no-reply@intuit.com"), kept("L", "Acme Tools", "no-reply@intuit.com")),
        (vendor("v", "Acme Tools", "owner@gmail.com"), kept("L", "Owner Holdings", "owner@gmail.com")),
        (vendor("v", "Acme Tools", "a@gmail.com"), kept("L", "Acme Tools", "b@gmail.com")),
        # What contradicts: the tax id, the domain of its own, the currency, the legal form, a number, a mark.
        (vendor("v", "Acme Tools", MAIL, "*****6789"), kept("L", "Acme Tools", MAIL, "12-3459999")),
        (
            vendor("v", "Acme Tools", "a@acmetools.example", "*****6789"),
            kept("L", "Acme Tools", "a@toolsofacme.test", "12-3456789"),
        ),
        (vendor("v", "Acme Tools", MAIL, None, "EUR"), kept("L", "Acme Tools", MAIL, None, "USD")),
        (vendor("v", "Global Freight", MAIL, None, "EUR"), kept("L", "Global Freight USD", MAIL)),
        (vendor("v", "Acme Inc", MAIL), kept("L", "Acme LLC", MAIL)),
        (vendor("v", "Store 12", MAIL), kept("L", "Store 13", MAIL)),
        (vendor("v", "Acme Tools", MAIL), kept("L", "Acme Tools (deleted)", MAIL)),
        # States and words that are legal forms elsewhere.
        (vendor("v", "Keystone Law PA", MAIL), kept("L", "Keystone Law", MAIL)),
        (vendor("v", "Denver Tile CO", MAIL), kept("L", "Denver Tile", MAIL)),
        (vendor("v", "Such AS", MAIL), kept("L", "Such", MAIL)),
        # Whole tax ids agree, but the names do not.
        (vendor("v", "Acme Tools", MAIL, "123456789"), kept("L", "Zenith Foods", MAIL, "123456789")),
    ],
)
def test_vendors_of_which_anything_is_in_doubt_are_never_certain(bill: Candidate, ledger: Candidate) -> None:
    assert certainty("vendors", bill, ledger) is not Certainty.EXACT


def test_the_currency_leads_to_the_right_one_of_two() -> None:
    ledger = [kept("U", "Global Freight USD"), kept("E", "Global Freight EUR")]

    found = suggest("vendors", [vendor("v", "Global Freight", currency="EUR")], ledger)["v"]

    assert found.best.ledger_id == "E"
    assert [one.ledger_id for one in found.proposals] == ["E"]


@pytest.mark.parametrize(
    ("bill", "ledger"),
    [
        (account("a", "Office", "6000"), account("L", "OFFICE", "6000")),
        (account("a", "Rent", "6000"), account("L", "Rent Expense", "6000")),
        (account("a", "Office", None), account("L", "Office", "6000")),
        (account("a", "Other", None, path="Travel:Other"), account("L", "Other", "7", path="Travel:Other")),
        (account("a", "COGS", "5000"), account("L", "Cost of Goods Sold", "5000")),
    ],
)
def test_accounts_of_which_number_type_or_name_agree_twice_are_certain(bill: Candidate, ledger: Candidate) -> None:
    assert certainty("accounts", bill, ledger) is Certainty.EXACT


@pytest.mark.parametrize(
    ("bill", "ledger"),
    [
        (account("a", "Office", "6000"), account("L", "Vehicles", "6000")),
        (account("a", "Office", "6000", None), account("L", "Office", "6000")),
        (account("a", "Office", "6000"), account("L", "Office", "6000", "COST_OF_GOODS_SOLD")),
        (account("a", "Office", "6000"), account("L", "Office", "6001")),
        (account("a", "Other", None, path="Travel:Other"), account("L", "Other", "7", path="Office:Other")),
    ],
)
def test_accounts_of_which_anything_is_in_doubt_are_never_certain(bill: Candidate, ledger: Candidate) -> None:
    assert certainty("accounts", bill, ledger) is not Certainty.EXACT


@pytest.mark.parametrize(
    ("bill", "ledger"),
    [
        (account("a", "Operating", None, "EXPENSE"), account("L", "Operating", None, "BANK")),
        (account("a", "Equipment", "1500", "EXPENSE"), account("L", "Equipment", "1500", "FIXED_ASSET")),
        (account("a", "Electric", None, path="Utilities:Electric"), account("L", "Utilities")),
        (account("a", "Utilities"), account("L", "Electric", None, path="Utilities:Electric")),
    ],
)
def test_no_account_is_proposed_across_the_statements_or_to_its_parent(bill: Candidate, ledger: Candidate) -> None:
    assert certainty("accounts", bill, ledger) is None


def test_facts_for_and_against_are_told_in_names_and_never_in_ids() -> None:
    bill = [vendor("009a", "Acme Tools", "ap@acme.example"), vendor("009b", "Acme Tool Ltd")]
    ledger = [kept("V1", "Acme Tools", "ap@acmetools.test"), kept("V2", "Acme Tool")]

    found = suggest("vendors", bill, ledger)

    facts = [text for one in found.values() for p in one.proposals for text in (*p.supporting, *p.contradicting)]
    assert "same name" in facts
    assert "e-mail addresses of different domains (acme.example, acmetools.test)" in facts
    assert 'BILL\'s "Acme Tool Ltd" fits it as well' in facts
    assert '"Acme Tools" fits as well' in facts
    assert not any(id_ in fact for fact in facts for id_ in ("009a", "009b", "V1", "V2"))


def test_a_name_under_another_number_is_not_certain() -> None:
    found = suggest(
        "accounts", [account("a", "Rent", "6000")], [account("L1", "Travel", "6000"), account("L2", "Rent", "6100")]
    )["a"]

    assert (found.best.ledger_id, found.certainty) == ("L2", Certainty.LIKELY)
    assert found.best.contradicting == ("the numbers differ (6000, 6100)", '"Travel" has the same number (6000)')


def test_a_number_that_points_to_another_account_keeps_the_same_name_from_being_certain() -> None:
    found = suggest(
        "accounts", [account("a", "Rent", "6000")], [account("L1", "Travel", "6000"), account("L2", "Rent")]
    )["a"]

    assert (found.best.ledger_id, found.certainty) == ("L2", Certainty.LIKELY)
    assert found.best.contradicting == ('"Travel" has the same number (6000)',)


def test_a_tax_id_that_points_to_another_vendor_keeps_the_same_name_from_being_certain() -> None:
    ledger = [kept("L", "Acme Tools", MAIL), kept("M", "Zenith Foods", None, "123456789")]

    found = suggest("vendors", [vendor("v", "Acme Tools", MAIL, "123456789")], ledger)["v"]

    assert (found.best.ledger_id, found.certainty) == ("L", Certainty.LIKELY)
    assert '"Zenith Foods" has the same tax id' in found.best.contradicting


def test_ledger_objects_that_fit_equally_are_ambiguous_and_all_shown() -> None:
    ledger = [kept(f"L{number}", "Acme Tools", MAIL) for number in range(4)]

    found = suggest("vendors", [vendor("v", "Acme Tools", MAIL)], ledger)["v"]

    assert found.certainty is Certainty.AMBIGUOUS
    assert len(found.proposals) == SHOWN
    assert len({one.score for one in found.proposals}) == 1
    assert '"Acme Tools" fits as well' in found.best.contradicting


def test_bill_objects_that_fit_equally_are_ambiguous() -> None:
    found = suggest("vendors", [vendor("v", "Acme", MAIL), vendor("w", "ACME", MAIL)], [kept("L", "Acme", MAIL)])

    assert {one.certainty for one in found.values()} == {Certainty.AMBIGUOUS}
    assert 'BILL\'s "ACME" fits it as well' in found["v"].best.contradicting


def test_of_two_bill_accounts_the_one_of_which_more_agrees_fits_better() -> None:
    bill = [account("a", "Travel", "6700", path="Operating:Travel"), account("b", "Travel")]

    found = suggest("accounts", bill, [account("L", "Travel", "6700", path="Operating:Travel")])

    assert found["a"].certainty is Certainty.EXACT
    assert found["b"].certainty is Certainty.LIKELY
    assert found["b"].best.contradicting == ('BILL\'s "Operating:Travel" fits it better',)


def test_a_ledger_vendor_that_is_mapped_already_is_only_likely_and_says_so() -> None:
    bill = [vendor("v1", "Other"), vendor("v2", "Acme", MAIL)]

    found = suggest("vendors", bill, [kept("L", "Acme", MAIL)], {"v1": "L"})

    assert found.keys() == {"v2"}
    assert found["v2"].certainty is Certainty.LIKELY
    assert found["v2"].best.contradicting == ('BILL\'s "Other" is mapped to it',)


def test_a_free_ledger_vendor_is_preferred_when_it_fits_nearly_as_well() -> None:
    ledger = [kept("L1", "Northwind Traders"), kept("L2", "Northwind Trader")]

    found = suggest("vendors", [vendor("v2", "Northwind Traders"), vendor("v1", "Other")], ledger, {"v1": "L1"})

    assert found["v2"].best.ledger_id == "L2"


@pytest.mark.parametrize(
    ("bill", "ledger"),
    [
        ("Northwind Tradrs", "Northwind Traders"),
        ("Traders Northwind", "Northwind Traders"),
        ("Café Zürich Lieferung", "Cafe Zurich Liefrung"),
        ("Contoso Energy Services", "Contoso Energy"),
        ("Hallmark Dept Svcs", "Hallmark Department Services"),
        ("Smith LLC dba Quick Print", "Quick Print"),
        ("Quick Print (formerly Smith Copy Shop)", "Smith Copy Shop"),
        ("FedEx", "Federal Express Corp"),
        ("PG&E", "Pacific Gas and Electric Company"),
        ("Northwest Pump & Compressor", "NPC"),
        ("Corner Deli #12", "Corner Deli"),
        ("Bob Castleberry", "Robert Castleberry"),
    ],
)
def test_names_that_are_alike_are_likely_with_a_score_and_a_reason(bill: str, ledger: str) -> None:
    found = suggest("vendors", [vendor("v", bill)], [kept("L", ledger), kept("M", "Quite another")])["v"]

    assert (found.best.ledger_id, found.certainty) == ("L", Certainty.LIKELY)
    assert LIKELY_FROM <= found.best.score < 100
    assert found.best.reason


@pytest.mark.parametrize(
    ("bill", "ledger"),
    [
        ("Store 12", "Store 13"),
        ("Acme", "Zenith"),
        ("Area 2024 North", "Area 2025 North"),
        ("", ""),
        ("Sunrise Equipment Rental", "River Equipment Rental"),
        ("First National Bank of Omaha", "First National Bank of Lincoln"),
        ("John Smith", "Joan Smith"),
        ("Harold Kaminski Sr", "Harold Kaminski Jr"),
        ("Cottonwood Fund II", "Cottonwood Fund III"),
        ("Delta", "Delta Dental Colorado"),
        ("Acme Tools", "Acme Tools - DO NOT USE"),
    ],
)
def test_names_that_are_not_alike_get_no_suggestion(bill: str, ledger: str) -> None:
    assert suggest("vendors", [vendor("v", bill)], [kept("L", ledger)]) == {}


@pytest.mark.parametrize(
    ("bill", "ledger", "expected"),
    [
        (Candidate("d", "West"), Candidate("L", "West"), Certainty.EXACT),
        (Candidate("d", "West", number="w"), Candidate("L", "West", full_name="US:West", number="w"), Certainty.EXACT),
        (Candidate("d", "West"), Candidate("L", "West", full_name="US:West"), Certainty.LIKELY),
        (Candidate("d", "West", full_name="EU:West"), Candidate("L", "West", full_name="US:West"), None),
    ],
)
def test_a_name_with_its_place_or_code_identifies_a_department(
    bill: Candidate, ledger: Candidate, expected: Certainty | None
) -> None:
    assert certainty("departments", bill, ledger) is expected


def test_an_item_is_certain_when_its_account_agrees_too() -> None:
    def item(id_: str, *accounts: str) -> Candidate:
        return Candidate(id_, "Widget", accounts=frozenset(accounts))

    assert certainty("items", item("i", "6000"), item("L", "6000")) is Certainty.EXACT
    assert certainty("items", item("i"), item("L", "6000")) is Certainty.LIKELY
    assert certainty("items", item("i", "6000"), item("L", "6100")) is Certainty.LIKELY


def test_employees_match_whatever_the_order_of_their_names() -> None:
    found = certainty("employees", Candidate("e", "Ada Okoro"), Candidate("L", "Okoro, Ada"))

    assert found is Certainty.LIKELY


def test_a_funding_account_follows_its_account_in_bill() -> None:
    def bank(id_: str, name: str, **known: object) -> Candidate:
        return Candidate(id_, name, type="BANK", **known)  # type: ignore[arg-type]

    ledger = [
        bank("1000", "Operating", accounts=frozenset({"1000"})),
        bank("1010", "Chase 4321", accounts=frozenset({"1010"}), last_digits="4321"),
    ]

    linked = suggest("funding_accounts", [bank("bac", "Chase Checking", accounts=frozenset({"1000"}))], ledger)["bac"]
    by_digits = suggest("funding_accounts", [bank("bac", "Wells", last_digits="4321")], ledger)["bac"]
    other_digits = suggest("funding_accounts", [bank("bac", "Chase 4321", last_digits="9999")], ledger)

    assert (linked.best.ledger_id, linked.certainty) == ("1000", Certainty.EXACT)
    assert (by_digits.best.ledger_id, by_digits.certainty) == ("1010", Certainty.EXACT)
    assert other_digits == {}


def test_a_bank_account_and_its_debit_card_are_booked_on_one_account() -> None:
    on_it = {"type": "BANK", "accounts": frozenset({"1000"})}
    booked = [Candidate("bac", "Chase Checking", **on_it), Candidate("cat", "VISA Debit Card", **on_it)]  # type: ignore[arg-type]
    unlinked = Candidate("old", "Operating", type="BANK")
    ledger = [Candidate("1000", "Operating", type="BANK", accounts=frozenset({"1000"}))]

    found = suggest("funding_accounts", [*booked, unlinked], ledger)

    assert {id_: one.certainty for id_, one in found.items() if id_ != "old"} == dict.fromkeys(
        ("bac", "cat"), Certainty.EXACT
    )
    assert found["old"].certainty is not Certainty.EXACT


def test_tax_ids_and_emails_show_in_no_repr() -> None:
    assert "6789" not in repr(vendor("v", "Acme", MAIL, "123456789"))
    assert "ap@acme" not in repr(vendor("v", "Acme", MAIL, "123456789"))


@pytest.mark.parametrize("together", [False, True], ids=["alone", "all in one list"])
@pytest.mark.parametrize("pairs", [labelled(), generated(300)], ids=["labelled", "generated"])
def test_on_labelled_pairs_nothing_wrong_is_certain_and_most_is_found(pairs: list[Pair], together: bool) -> None:
    verdict = judged(pairs, together=together)

    assert len(pairs) >= 400
    assert verdict.wrong_certain == []
    assert verdict.certain > 0
    assert verdict.recall >= 0.9
    assert verdict.precision >= 0.85


def test_nearly_all_of_five_thousand_vendors_are_found_among_five_thousand() -> None:
    rng = random.Random(1)
    syllables = ["ac", "me", "nor", "th", "wind", "bel", "tra", "sys", "tem", "glo", "bal", "uni", "ver", "sal", "del"]

    def word() -> str:
        return "".join(rng.choices(syllables, k=rng.randint(2, 4)))

    names = [" ".join([word(), word(), word(), f"{place:04d}"]) for place in range(5000)]
    ledger = [kept(str(place), name.title()) for place, name in enumerate(names)]
    bill = [
        vendor(f"v{place}", name.upper() + " INC" if place % 2 else f"{name[:2]}{name[3:]}")
        for place, name in enumerate(names)
    ]

    found = suggest("vendors", bill, ledger)

    assert sum(one.bill_id == f"v{one.best.ledger_id}" for one in found.values()) > 4990


NAMES = st.sampled_from(["Acme", "Acme Inc", "ACME LLC", "Acme East", "Zenith", "Zenit", "The Acme", "", "12"])
TAX_IDS = st.sampled_from([None, None, "111222333", "444555666"])
EMAILS = st.sampled_from([None, None, "a@b.c", "d@e.f"])
SIDE = st.lists(st.tuples(NAMES, EMAILS, TAX_IDS), max_size=7)


@given(SIDE, SIDE, st.integers(0, 3), st.randoms(use_true_random=False))
def test_certain_suggestions_never_share_a_ledger_object_and_order_does_not_matter(
    ours: list[tuple[str, str | None, str | None]],
    theirs: list[tuple[str, str | None, str | None]],
    mapped_count: int,
    rng: random.Random,
) -> None:
    bill = [vendor(f"v{place}", *values) for place, values in enumerate(ours)]
    ledger = [kept(f"L{place}", *values) for place, values in enumerate(theirs)]
    mapped = {f"v{place}": f"L{place}" for place in range(min(mapped_count, len(bill), len(ledger)))}

    found = suggest("vendors", bill, ledger, mapped)

    exact = [one for one in found.values() if one.certainty is Certainty.EXACT]
    assert len({one.best.ledger_id for one in exact} | set(mapped.values())) == len(exact) + len(mapped)
    assert not mapped.keys() & found.keys()
    assert all(one.best.contradicting == () and len(one.best.supporting) > 1 for one in exact)
    assert all(
        len(one.proposals) > 1 or "fits it as well" in one.best.reason
        for one in found.values()
        if one.certainty is Certainty.AMBIGUOUS
    )
    shuffled = bill[:], ledger[:]
    for side in shuffled:
        rng.shuffle(side)
    assert suggest("vendors", *shuffled, mapped) == found
