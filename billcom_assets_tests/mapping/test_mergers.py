"""Objects that were merged in BILL: documents of before find the survivor, and one decision counts for both."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text, update

from billcom_assets.mapping.coverage import mapped
from billcom_assets.mapping.links import Links, LinkState
from billcom_assets.mapping.mergers import follow_mergers, survivors
from billcom_assets.mapping.overview import Overviews, Standing
from billcom_assets.mapping.suggestions import suggest
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.tables import integration_errors
from billcom_assets_tests.small_company import ADA, KEY, LATER, NOW, Books


@pytest.fixture
def merged(books: Books) -> Books:
    """Acme Tool was merged into Acme Tools, and that into Acme; a bill still names the first."""
    books.vendor("009a", "Acme Tool", archived=True, merged_into_id="009b")
    books.vendor("009b", "Acme Tools", archived=True, merged_into_id="009c")
    books.vendor("009c", "Acme")
    books.ledger("vendors", "V1", "Acme Tool")
    books.ledger("vendors", "V2", "Acme")
    books.bill("bills", "00n1", vendor_id="009a")
    return books


def errors(books: Books) -> list[tuple[str, str, str]]:
    e = integration_errors.c
    return [tuple(row) for row in books.conn.execute(select(e.record_id, e.code, e.status).order_by(e.record_id))]


def test_a_chain_of_mergers_leads_to_the_last_survivor_in_the_view_too(merged: Books) -> None:
    assert survivors(merged.conn, KEY, "vendors") == {"009a": "009c", "009b": "009c"}
    place = "billcom." if merged.conn.dialect.name == "postgresql" else ""
    rows = merged.conn.execute(text(f"SELECT * FROM {place}merged_objects ORDER BY id"))
    assert [tuple(row) for row in rows] == [(KEY, "vendors", "009a", "009c"), (KEY, "vendors", "009b", "009c")]


def test_a_circle_has_no_survivor(books: Books) -> None:
    books.vendor("009a", "Acme", merged_into_id="009b")
    books.vendor("009b", "Acme", merged_into_id="009a")
    assert survivors(books.conn, KEY, "vendors") == {}


def test_a_kind_that_is_never_merged_has_no_survivors(books: Books) -> None:
    assert survivors(books.conn, KEY, "items") == {}


def test_the_survivor_gets_the_mapping_of_what_was_merged_into_it_once(merged: Books) -> None:
    merged.mapping("vendors", "009a", "V1", decided_by="eve")
    assert follow_mergers(merged.conn, KEY, "vendors", ADA, LATER) == 1
    link = Links(merged.conn, KEY, "vendors").all()["009c"]
    assert (link.ledger_id, link.state, link.decided_by, link.decided_at) == ("V1", LinkState.MAPPED, "eve", LATER)
    entry = audit.entries(merged.conn, KEY, limit=1)[0]
    assert (entry.what, entry.subject, entry.user_name) == ("mapping decided", "vendors 009c", "ada")
    assert follow_mergers(merged.conn, KEY, "vendors", ADA, LATER) == 0
    assert errors(merged) == []


def test_what_was_merged_goes_by_the_survivor_unless_it_is_decided_itself(merged: Books) -> None:
    merged.mapping("vendors", "009c", "V2")
    assert mapped(merged.conn, KEY, "vendors") == {"009a": "V2", "009b": "V2", "009c": "V2"}
    view = Overviews(merged.conn, KEY)["vendors"]
    assert {one: view.standing(one) for one in view.relevant} == dict.fromkeys(("009a", "009c"), Standing.MAPPED)
    suggest(merged.conn, KEY, NOW)
    assert Overviews(merged.conn, KEY)["vendors"].suggestions == {}


def test_one_left_unmapped_by_hand_stays_unmapped(merged: Books) -> None:
    merged.mapping("vendors", "009c", "V2")
    merged.mapping("vendors", "009a", None, state="unmapped")
    assert mapped(merged.conn, KEY, "vendors") == {"009b": "V2", "009c": "V2"}
    merged.mapping("vendors", "009b", None, state="unmapped")
    assert follow_mergers(merged.conn, KEY, "vendors", ADA, LATER) == 0


def test_mappings_that_differ_are_an_error_until_they_are_the_same(merged: Books) -> None:
    merged.mapping("vendors", "009a", "V1")
    merged.mapping("vendors", "009c", "V2")
    for _ in range(2):
        follow_mergers(merged.conn, KEY, "vendors", ADA, LATER)
        assert errors(merged) == [("009a", "merged_apart", "open")]
    Links(merged.conn, KEY, "vendors").remove(["009a"])
    follow_mergers(merged.conn, KEY, "vendors", ADA, LATER)
    assert errors(merged) == [("009a", "merged_apart", "resolved")]


def test_an_ignored_difference_is_not_told_again_until_it_is_another_one(merged: Books) -> None:
    merged.mapping("vendors", "009a", "V1")
    merged.mapping("vendors", "009c", "V2")
    follow_mergers(merged.conn, KEY, "vendors", ADA, LATER)
    merged.conn.execute(update(integration_errors).values(status="ignored"))
    follow_mergers(merged.conn, KEY, "vendors", ADA, LATER)
    assert errors(merged) == [("009a", "merged_apart", "ignored")]
    assert merged.conn.scalar(select(integration_errors.c.occurrences)) == 1
    Links(merged.conn, KEY, "vendors").remove(["009a"])
    follow_mergers(merged.conn, KEY, "vendors", ADA, LATER)
    assert errors(merged) == [("009a", "merged_apart", "resolved")]
