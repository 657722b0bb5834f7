from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select, update

from billcom_assets.ledger.problems import FileRefused
from billcom_assets.ledger.spreadsheets import ENCODING, protected, unprotected
from billcom_assets.mapping.coverage import mapped
from billcom_assets.mapping.links import Link, Links, LinkState, Method
from billcom_assets.mapping.overview import Overviews
from billcom_assets.mapping.proposals import Proposals
from billcom_assets.mapping.review_file import export_csv, show
from billcom_assets.mapping.review_import import MappingImportReport, import_csv
from billcom_assets.mapping.suggestions import suggest
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.integrations import UnknownIntegration
from billcom_assets.warehouse.ledger_tables import ledger_vendors, mappings
from billcom_assets_tests.small_company import ADA, KEY, LATER, NOW, Books, connect

Load = Callable[..., MappingImportReport]


@pytest.fixture
def load(conn: Connection, tmp_path: Path) -> Load:
    def run(text: str | bytes, **options: bool) -> MappingImportReport:
        path = tmp_path / "mappings.csv"
        path.write_bytes(text.encode(ENCODING) if isinstance(text, str) else text)
        return import_csv(conn, KEY, path, actor=ADA, now=LATER, **options)

    return run


def refused(load: Load, text: str | bytes) -> list[str]:
    with pytest.raises(FileRefused) as error:
        load(text)
    assert str(error.value).startswith("No mapping was changed; ")
    return [f"{problem.line}: {problem.message}" for problem in error.value.problems]


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def rewritten(rows: list[dict[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@pytest.fixture
def vendors(books: Books) -> Books:
    for id_, name in (("009a", "Acme"), ("009b", "Northwind Tradrs"), ("009c", "Gamma"), ("009d", "Delta")):
        books.vendor(id_, name)
    for id_, name in (("V1", "Acme"), ("V2", "Northwind Traders"), ("V3", "Unlike")):
        books.ledger("vendors", id_, name)
    books.mapping("vendors", "009a", "V1", decided_by="eve", method="exact")
    books.mapping("vendors", "009d", None, state="unmapped")
    books.bill("bills", "00n1", vendor_id="009c")
    suggest(books.conn, KEY, NOW)
    return books


def test_the_export_has_the_suggestion_beside_each_undecided_row(vendors: Books) -> None:
    rows = {row["bill_id"]: row for row in table(export_csv(Overviews(vendors.conn, KEY, ["vendors"])))}

    assert list(rows) == ["009c", "009b", "009a", "009d"]
    assert (rows["009a"]["ledger_id"], rows["009a"]["ledger_name"], rows["009a"]["state"]) == ("V1", "Acme", "mapped")
    assert (rows["009a"]["decided_by"], rows["009a"]["decided_at"]) == ("eve", "2026-03-02T08:00:00+00:00")
    assert rows["009b"]["ledger_id"] == ""
    assert rows["009b"]["suggested_ledger_id"] == "V2"
    assert rows["009b"]["suggested_ledger_name"] == "Northwind Traders"
    assert rows["009b"]["score"].isdigit()
    assert rows["009b"]["reason"] == rows["009b"]["supporting"] == "names alike but for spelling"
    assert (rows["009b"]["state"], rows["009b"]["method"]) == ("suggested", "likely")
    assert (rows["009c"]["state"], rows["009c"]["in_use"]) == ("", "yes")
    assert (rows["009d"]["ledger_id"], rows["009d"]["state"]) == ("none", "unmapped")
    assert {row["kind"] for row in rows.values()} == {"vendors"}


def test_accounts_show_number_type_and_full_name(books: Books) -> None:
    books.account("0ca1", "Travel", "EXPENSE", "6000")
    books.account("0ca2", "Taxi", "EXPENSE", "6010", parent_id="0ca1")

    row = next(row for row in show(Overviews(books.conn, KEY, ["accounts"])) if row.bill_id == "0ca2")

    assert (row.bill_name, row.bill_number, row.bill_type) == ("Travel:Taxi", "6010", "EXPENSE")


def test_no_bank_number_is_exported(books: Books) -> None:
    books.bill("funding_accounts", "bac1", bank_name="Chase", account_number="12341115", routing_number="322271627")
    suggest(books.conn, KEY, NOW)

    text = export_csv(Overviews(books.conn, KEY))

    assert "bac1" in text
    assert "1115" not in text
    assert "322271627" not in text


def test_importing_an_unchanged_export_changes_nothing(vendors: Books, load: Load) -> None:
    before = Links(vendors.conn, KEY, "vendors").all()

    report = load(export_csv(Overviews(vendors.conn, KEY)))

    assert (report.mapped, report.unmapped, report.unchanged, report.undecided) == (0, 0, 2, 2)
    assert report.notes == ()
    assert Links(vendors.conn, KEY, "vendors").all() == before


def test_decisions_made_in_a_spreadsheet_are_taken_with_who_when_and_how(vendors: Books, load: Load) -> None:
    rows = table(export_csv(Overviews(vendors.conn, KEY, ["vendors"])))
    for row in rows:
        row["ledger_id"] = {"009b": row["suggested_ledger_id"], "009c": "none", "009d": "V3"}.get(
            row["bill_id"], row["ledger_id"]
        )

    report = load(rewritten(rows))

    assert (report.mapped, report.unmapped, report.unchanged, report.undecided) == (2, 1, 1, 0)
    stored = Links(vendors.conn, KEY, "vendors").all()
    assert stored["009b"] == Link("009b", "V2", LinkState.MAPPED, Method.MANUAL, None, "decided by hand", "ada", LATER)
    assert stored["009c"] == Link(
        "009c", None, LinkState.UNMAPPED, Method.MANUAL, None, "decided by hand", "ada", LATER
    )
    assert stored["009d"].ledger_id == "V3"
    assert stored["009a"].method is Method.EXACT


def test_suggestions_never_overwrite_what_was_decided_by_hand(vendors: Books, load: Load) -> None:
    load("kind,bill_id,ledger_id\nvendors,009b,V3\nvendors,009a,none\n")

    suggest(vendors.conn, KEY, LATER)

    assert mapped(vendors.conn, KEY, "vendors") == {"009b": "V3"}


def test_an_empty_cell_undoes_nothing_and_the_user_is_told(vendors: Books, load: Load) -> None:
    report = load("kind,bill_id,ledger_id\nvendors,009a,\nvendors,009b,\n")

    assert report.undecided == 2
    assert report.notes == (
        '1 vendors have an empty ledger_id although they are decided, and stay so; write "undecided" to take a '
        'decision back, "none" to leave an object unmapped',
    )
    assert mapped(vendors.conn, KEY, "vendors") == {"009a": "V1"}


def test_two_vendors_on_one_ledger_vendor_by_hand_are_taken_and_noted(vendors: Books, load: Load) -> None:
    report = load("kind,bill_id,ledger_id\nvendors,009b,V1\n")

    assert report.notes == ('2 vendors of BILL are mapped to "Acme": "Acme", "Northwind Tradrs"',)
    assert mapped(vendors.conn, KEY, "vendors") == {"009a": "V1", "009b": "V1"}


def test_a_decision_can_be_taken_back(vendors: Books, load: Load) -> None:
    report = load("kind,bill_id,ledger_id\nvendors,009a,undecided\nvendors,009c,Undecided\n")

    assert (report.taken_back, report.unchanged) == (1, 1)
    assert "009a" not in Links(vendors.conn, KEY, "vendors").all()
    assert Proposals(vendors.conn, KEY, "vendors").all()["009a"].best.ledger_id == "V1"
    entry = audit.entries(vendors.conn, KEY, limit=1)[0]
    assert (entry.what, entry.subject, entry.after) == ("mapping decided", "vendors 009a", None)
    assert "V1" in str(entry.before)


def test_a_dry_run_tells_what_would_change_by_name_and_changes_nothing(vendors: Books, load: Load) -> None:
    before = Links(vendors.conn, KEY, "vendors").all()

    report = load("kind,bill_id,ledger_id\nvendors,009a,V2\nvendors,009b,none\nvendors,009d,undecided\n", dry_run=True)

    assert [(one.bill_name, one.old, one.new) for one in report.changes] == [
        ("Acme", "Acme", "Northwind Traders"),
        ("Northwind Tradrs", "undecided", "none"),
        ("Delta", "none", "undecided"),
    ]
    assert Links(vendors.conn, KEY, "vendors").all() == before
    assert audit.count(vendors.conn, KEY) == 0


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("0100", "0100"),
        ("a-1", "A-1"),
        ('="0100"', "0100"),
        ("K-77", "numbered"),
        ("Some Letters", "A-1"),
        ("some  letters", "A-1"),
    ],
)
def test_an_id_a_number_or_a_unique_name_may_be_written(vendors: Books, load: Load, written: str, meant: str) -> None:
    vendors.ledger("vendors", "0100", "Zeros")
    vendors.ledger("vendors", "A-1", "Some Letters")
    vendors.ledger("vendors", "numbered", "Some Number", number="K-77")

    load(f"Kind;BILL id;Ledger ID\nVendors;009b;{written}\n".encode("utf-16"))

    assert mapped(vendors.conn, KEY, "vendors")["009b"] == meant


def test_a_name_may_be_written_beside_an_empty_id(vendors: Books, load: Load) -> None:
    load("kind,bill_id,ledger_id,ledger_name\nvendors,009b,,Unlike\n")

    assert mapped(vendors.conn, KEY, "vendors")["009b"] == "V3"


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("100", 'the ledger has no "100" but "0100": a spreadsheet has made a number of the code'),
        ("100.0", 'the ledger has no "100.0" but "0100": a spreadsheet has made a number of the code'),
        ("1.2E+15", "a spreadsheet has made a number of it. Format the column as text"),
    ],
)
def test_codes_that_a_spreadsheet_has_mangled_are_refused_with_advice(
    vendors: Books, load: Load, written: str, advice: str
) -> None:
    vendors.ledger("vendors", "0100", "Zeros")
    vendors.ledger("vendors", "1200000000000000", "Long")

    problems = refused(load, f"kind,bill_id,ledger_id\nvendors,009b,{written}\n")

    assert advice in problems[0]


def test_a_shifted_column_is_found_by_the_names(vendors: Books, load: Load) -> None:
    load("kind,bill_id,ledger_id\nvendors,009b,V2\nvendors,009c,V3\n")
    rows = table(export_csv(Overviews(vendors.conn, KEY, ["vendors"])))
    for column in ("ledger_id", "bill_id"):
        cells = [row[column] for row in rows]
        shifted = [row | {column: cell} for row, cell in zip(rows, cells[1:] + cells[:1], strict=True)]

        problems = refused(load, rewritten(shifted))

        assert all("shifted" in problem for problem in problems)
        assert len(problems) >= 2


def test_an_id_that_is_changed_needs_the_name_that_belongs_to_it(vendors: Books, load: Load) -> None:
    header = "kind,bill_id,ledger_id,ledger_name\n"

    problems = refused(load, f"{header}vendors,009a,V2,Acme\n")

    assert problems == [
        '2: "V2" means "Northwind Traders" in the ledger, but the row says "Acme"; the columns of the file have '
        "shifted, or only the id was changed. Write the name that belongs to the id into ledger_name, or empty it"
    ]
    assert "but the row says" in refused(load, f"{header}vendors,009a,none,Acme\n")[0]
    load(f"{header}vendors,009a,V2,\n")
    assert mapped(vendors.conn, KEY, "vendors")["009a"] == "V2"
    load(f"{header}vendors,009a,V3,Unlike\n")
    assert mapped(vendors.conn, KEY, "vendors")["009a"] == "V3"


def test_an_account_goes_onto_one_of_another_kind_only_when_that_is_confirmed(books: Books, load: Load) -> None:
    books.account("0ca1", "Travel", "EXPENSE")
    books.ledger_account("1000", "Operating", "BANK")
    books.ledger_account("5000", "Job costs", "COST_OF_GOODS_SOLD")
    text = "kind,bill_id,ledger_id\naccounts,0ca1,1000\n"

    assert refused(load, text) == [
        '2: "Travel" is of type expense in BILL, "Operating" of type bank in the ledger; if that is meant, repeat the '
        "command with --confirm-types"
    ]
    load(text, confirmed=True)
    assert mapped(books.conn, KEY, "accounts") == {"0ca1": "1000"}
    load("kind,bill_id,ledger_id\naccounts,0ca1,5000\n")
    assert mapped(books.conn, KEY, "accounts") == {"0ca1": "5000"}


def test_a_stale_mapping_is_shown_as_stale_with_what_is_suggested_instead(vendors: Books) -> None:
    vendors.ledger("vendors", "V5", "Acme", email="ap@acme.example")
    vendors.change("vendors", "009a", email="ap@acme.example")
    vendors.conn.execute(update(ledger_vendors).where(ledger_vendors.c.id == "V1").values(active=False))
    suggest(vendors.conn, KEY, NOW)

    row = table(export_csv(Overviews(vendors.conn, KEY, ["vendors"])))[0]

    assert (row["bill_id"], row["state"], row["ledger_name"]) == ("009a", "stale", "Acme")
    assert (row["suggested_ledger_id"], row["ledger_id"]) == ("V5", "V1")


def test_ambiguous_rows_show_all_that_fit(books: Books) -> None:
    books.vendor("009a", "Twin Oaks")
    for id_ in ("V1", "V2", "V3"):
        books.ledger("vendors", id_, "Twin Oaks")
    suggest(books.conn, KEY, NOW)

    row = table(export_csv(Overviews(books.conn, KEY, ["vendors"])))[0]

    assert (row["state"], row["method"], row["ledger_id"]) == ("ambiguous", "ambiguous", "")
    assert [row[f"{place}_ledger_id"] for place in ("suggested", "second", "third")] == ["V1", "V2", "V3"]


HEADER = "integration,kind,bill_id,ledger_id\n"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (",vendors,009x,V1\n", '2: "009x" is no vendor of acme-us'),
        (",vendors,009o,V1\n", '2: "009o" is no vendor of acme-us but of other'),
        ("other,vendors,009o,O1\n", '2: the row belongs to the integration "other", not to acme-us'),
        (",vendors,009b,V9\n", '2: the ledger has no vendor with the id, number or name "V9"'),
        (",vendors,009b,O1\n", '2: the ledger has no vendor with the id, number or name "O1"'),
        (",vendors,009b,V8\n", '2: the ledger\'s "Inactive" is deactivated; choose one that is in use'),
        (",bills,009b,V1\n", '2: "bills" is no kind of object; known are accounts, vendors, funding_accounts, items,'),
        (",vendors,009b,V1\n,vendors,009b,V2\n", '3: vendor "009b" is on line 2 already'),
        (",vendors,009z,V1\n", '2: vendor "009z" is no longer in BILL'),
        (
            ",vendors,009b,Seven\n",
            '2: "Seven" may mean several ledger objects; write one of the ids "0007", "07"',
        ),
        (
            ",funding_accounts,bac1,6000\n",
            '2: the ledger has no account of type BANK or CREDIT_CARD with the id, number or name "6000"',
        ),
        (",departments,009a,V1\n", '2: "009a" is no department of acme-us'),
    ],
)
def test_a_bad_row_is_refused_with_its_line_and_nothing_is_applied(
    vendors: Books, load: Load, rows: str, expected: str
) -> None:
    connect(vendors.conn, "other")
    other = Books(vendors.conn, "other")
    other.vendor("009o", "Elsewhere")
    other.ledger("vendors", "O1", "Elsewhere")
    vendors.vendor("009z", "Deleted", deleted_at=NOW)
    vendors.ledger("vendors", "V8", "Inactive", active=False)
    vendors.ledger("vendors", "07", "Seven")
    vendors.ledger("vendors", "0007", "Seven")
    vendors.ledger_account("6000", "Rent")
    vendors.bill("funding_accounts", "bac1")
    before = vendors.conn.execute(select(mappings).order_by(mappings.c.bill_id)).all()

    problems = refused(load, HEADER + rows + ",vendors,009d,V2\n")

    assert problems[0].startswith(expected)
    assert vendors.conn.execute(select(mappings).order_by(mappings.c.bill_id)).all() == before


def test_every_problem_of_a_file_is_reported(vendors: Books, load: Load) -> None:
    problems = refused(load, HEADER + ",vendors,009b,V9\n,vendors,009x,V1\n,vendors,009c,V2\n,things,1,2\n")

    assert [problem.split(":")[0] for problem in problems] == ["2", "3", "5"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", "None: the file is empty"),
        (b"kind,bill_id\nvendors,009a\n", "1: there is no column for the ledger id."),
        (b"\x00\x01\x02", "1: the file is not a text file"),
    ],
)
def test_an_unusable_file_is_refused(vendors: Books, load: Load, text: bytes, expected: str) -> None:
    assert refused(load, text)[0].startswith(expected)


def test_an_archived_vendor_in_use_can_be_mapped_and_a_stale_row_round_trips(vendors: Books, load: Load) -> None:
    vendors.change("vendors", "009c", archived=True)
    load("kind,bill_id,ledger_id\nvendors,009c,V3\n")
    vendors.change("vendors", "009c", deleted_at=NOW)

    report = load(export_csv(Overviews(vendors.conn, KEY)))

    assert report.mapped == 0
    assert Links(vendors.conn, KEY, "vendors").all()["009c"].ledger_id == "V3"


def test_an_unknown_integration_is_refused(conn: Connection, tmp_path: Path) -> None:
    with pytest.raises(UnknownIntegration):
        import_csv(conn, "nobody", tmp_path / "f.csv", actor=ADA, now=NOW)
    with pytest.raises(UnknownIntegration):
        export_csv(Overviews(conn, "nobody"))


@pytest.mark.parametrize(
    "name",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "'=1", "\N{FULLWIDTH EQUALS SIGN}1", '=HYPERLINK("http://x")'],
)
def test_names_are_no_formulas_in_a_spreadsheet(books: Books, name: str) -> None:
    books.vendor("009a", name)
    books.ledger("vendors", name.strip(), name.strip())
    suggest(books.conn, KEY, NOW)

    row = table(export_csv(Overviews(books.conn, KEY, ["vendors"])))[0]

    assert row["bill_name"] == f"'{name}"
    assert all(cell[:1] not in tuple("=+-@\t\r") or not cell for cell in row.values())


def test_a_ledger_id_that_looks_like_a_formula_round_trips(books: Books, load: Load) -> None:
    books.vendor("009a", "Acme")
    books.ledger("vendors", "-100", "Acme")
    suggest(books.conn, KEY, NOW)
    rows = table(export_csv(Overviews(books.conn, KEY, ["vendors"])))
    assert rows[0]["suggested_ledger_id"] == "'-100"
    rows[0]["ledger_id"] = rows[0]["suggested_ledger_id"]

    load(rewritten(rows))

    assert mapped(books.conn, KEY, "vendors") == {"009a": "-100"}


@given(st.text(st.sampled_from("='+-@\t\rab1 "), max_size=6))
def test_protection_is_undone_exactly(text: str) -> None:
    assert unprotected(protected(text)) == text
    assert protected(text)[:1] not in tuple("=+-@\t\r") or not text


def test_five_thousand_rows_round_trip(books: Books, load: Load) -> None:
    for number in range(5000):
        books.vendor(f"009{number:04d}", f"Vendor number {number}")
        books.ledger("vendors", f"{number:04d}", f"Vendor number {number}")
    suggest(books.conn, KEY, NOW)
    rows = table(export_csv(Overviews(books.conn, KEY, ["vendors"])))
    for row in rows:
        row["ledger_id"] = row["suggested_ledger_id"]

    report = load(rewritten(rows))

    assert report.mapped == 5000
    count = select(func.count()).select_from(mappings).where(mappings.c.state == "mapped")
    assert books.conn.scalar(count) == 5000
