"""What a materialization shows of BILL's data: as it is stored, unless it is personal, and as text."""

from __future__ import annotations

import ast
from datetime import date
from decimal import Decimal
from pathlib import Path

import dagster as dg
import pytest

import billcom_assets
from billcom_assets.assets.metadata import sample
from billcom_assets.books.identities.findings import Difference, Document, Item, Listed, Outcome
from billcom_assets.books.identities.reversals import REVERSALS
from billcom_assets.checks import identities
from billcom_assets.checks.quality import evaluation
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.quality.entity import measures_of
from billcom_assets.quality.measures import Quality, Severity, not_measured
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets_tests.small_company import KEY, NOW, Books

HOSTILE = "![x](/graphql?query=mutation) \u202e<img src=//evil.example>\n| a |"


def shown(warehouse: Warehouse, table: str, **values: object) -> dict[str, object]:
    """The sample's one record."""
    with warehouse.write() as connection:
        Books(connection).bill(table, f"{CATALOG[table].id_prefix}1", **values)
    made = sample(warehouse, CATALOG[table], KEY)
    assert isinstance(made, dg.TableMetadataValue)
    (record,) = made.records
    assert [column.name for column in made.schema.columns] == list(record.data)
    return dict(record.data)


@pytest.mark.parametrize("number", ["00123", "1e5", "1.0", "0x1F", "-0", "+15", "NaN", "true", "2026-01-01", " 7"])
def test_a_number_that_is_text_is_shown_as_it_is(warehouse: Warehouse, number: str) -> None:
    assert shown(warehouse, "accounts", account_number=number)["account_number"] == number.strip()


def test_amounts_and_dates_are_shown_in_full(warehouse: Warehouse) -> None:
    item = shown(warehouse, "items", price=Decimal("100000.00"), parent_id=None)
    assert Decimal(str(item["price"])) == 100_000
    assert "E" not in str(item["price"])
    assert item["parent_id"] == ""
    assert shown(warehouse, "vendor_credits", credit_date=date(2026, 1, 2))["credit_date"] == "2026-01-02"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("SSN 123-45-6789, call", "call"),
        ("EIN 12-3456789 on file", "on file"),
        ("card 4111 1111 1111 1111 of Ann", "of Ann"),
        ("wire to 021000021 today", "today"),
        ("DE89370400440532013000 please", "please"),
    ],
)
def test_what_looks_like_personal_data_is_masked_in_free_text_too(warehouse: Warehouse, text: str, kept: str) -> None:
    description = str(shown(warehouse, "accounts", description=text)["description"])
    assert kept in description
    assert not any(number in description for number in ("6789", "1111", "021000021", "DE89"))


def test_names_and_sensitive_columns_are_masked_whatever_they_hold(warehouse: Warehouse) -> None:
    vendor = shown(warehouse, "vendors", name="Ann Example", short_name="ANN", account_number="A-1")
    assert {vendor["name"], vendor["short_name"], vendor["account_number"]} == {"•••"}


def test_a_text_stays_text_on_one_line_of_bounded_length(warehouse: Warehouse) -> None:
    description = str(shown(warehouse, "accounts", description=HOSTILE + "x" * 10_000)["description"])
    assert description.startswith("![x](/graphql?query=mutation) <img src=//evil.example> | a |xx")
    assert len(description) == 80
    assert description.isprintable()


def test_a_check_keeps_what_bill_wrote_out_of_its_description(warehouse: Warehouse) -> None:
    (measure, *_) = measures_of(CATALOG["accounts"])
    found = Quality(False, Severity.WARN, "1 value is unknown", 1, (HOSTILE,), "nothing is lost")
    made = evaluation("accounts", KEY, [(measure, found)])
    assert made.description == "1 value is unknown"
    table = made.metadata["sample"]
    assert isinstance(table, dg.TableMetadataValue)
    assert [record.data for record in table.records] == [{"measure": measure.name, "found": HOSTILE}]


def test_what_differs_is_named_by_ids_and_numbers_in_tables_of_text() -> None:
    bill = Document("bills", "00n1", HOSTILE)
    differs = Difference(HOSTILE, Decimal("1234567.10"), None, (bill,) * 7, name="Ann Example")
    allowed = Listed("Bills that wait", 9, Decimal(5), (Item(HOSTILE, Decimal(5), "USD", (bill,), "Ann Example"),))
    outcome = Outcome(1, "reversals", "Reversals", "found", "due", 1_200, 3, (differs,), (allowed,), "")
    made = identities.evaluation(REVERSALS, outcome, KEY, NOW)
    assert (made.passed, made.description) == (False, "Reversals: 1,200 compared, 3 differ")
    shown = {
        name: [record.data for record in table.records]
        for name, table in made.metadata.items()
        if isinstance(table, dg.TableMetadataValue)
    }
    documents = ", ".join(["bills:00n1"] * 5) + " and 2 more"
    assert shown == {
        "first_differences": [{"of": HOSTILE, "found": "1,234,567.10", "due": "", "documents": documents}],
        "allowed_for": [{"what": "Bills that wait", "count": "9", "home amount": "5"}],
        "first_allowed_for": [
            {"what": "Bills that wait", "first of them": HOSTILE, "amount": "5", "currency": "USD"},
        ],
    }
    assert "Ann" not in str(made)


def test_no_metadata_is_markdown() -> None:
    """The UI makes links and images of it; tables and text show what others wrote as it is."""
    root = Path(billcom_assets.__file__).parent
    found = [
        f"{path.relative_to(root)}:{node.lineno}"
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Attribute) and node.attr == "md")
        or (isinstance(node, ast.Name | ast.alias) and "MarkdownMetadataValue" in ast.dump(node))
    ]
    assert found == []


def test_a_check_without_anything_to_measure_is_no_pass() -> None:
    (measure, *_) = measures_of(CATALOG["accounts"])
    nothing = evaluation("accounts", KEY, [(measure, not_measured("there are no accounts"))])
    assert not nothing.passed
    holds = Quality(True, Severity.WARN, "nothing is wrong", 0, (), "")
    some = evaluation("accounts", KEY, [(measure, holds), (measure, not_measured("there are no accounts"))])
    assert some.passed
    assert some.description == (f"1 of 1 measures hold; {measure.name} not measured yet: there are no accounts")
