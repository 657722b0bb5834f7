"""What looks at something that is not there yet says so, and is no pass."""

from __future__ import annotations

import pytest

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.quality.entity import Look, look_at
from billcom_assets_tests.small_company import KEY, NOW, Books

ALWAYS = {"conservation", "completeness", "known fields and values"}
"""An empty list can be whole, and hold nothing unknown."""


def unmeasured(books: Books, entity: str) -> dict[str, str]:
    look = Look(books.conn, KEY, CATALOG[entity], {}, NOW, states={}, limits=())
    return {measure.name: found.description for measure, found in look_at(look) if not found.is_measured}


@pytest.mark.parametrize("entity", CATALOG.names())
def test_nothing_is_measured_of_an_empty_list_but_the_list_itself(entity: str, books: Books) -> None:
    look = Look(books.conn, KEY, CATALOG[entity], {}, NOW, states={}, limits=())
    found = {measure.name: one for measure, one in look_at(look)}
    nothing = {name for name, one in found.items() if not one.is_measured}
    assert nothing == found.keys() - ALWAYS
    title = entity.replace("_", " ")
    assert {found[name].description for name in nothing} <= {f"not measured yet: there are no {title}"}
    assert not any(found[name].passed for name in nothing)


def test_what_compares_with_the_ledger_waits_for_the_first_mapping(books: Books) -> None:
    books.bill("vendors", "009a", name="A vendor")
    books.bill("bills", "00n1", vendor_id="009a")
    assert unmeasured(books, "vendors") == {"currency": "not measured yet: no vendors are mapped"}
    assert unmeasured(books, "bills") == {
        "accounts postable": "not measured yet: no accounts are mapped",
        "vendors not on hold": "not measured yet: no vendors are mapped",
    }


def test_everything_is_measured_once_it_is_there(books: Books) -> None:
    books.ready()
    books.bill("bills", "00n1")
    for entity in ("vendors", "accounts", "bills"):
        assert unmeasured(books, entity) == {}
