from __future__ import annotations

import csv
import io
import os
import resource
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billcom_assets.ledger import csv_files
from billcom_assets.ledger.csv_files import read_csv
from billcom_assets.ledger.encodings import NotText, encoding_of
from billcom_assets.ledger.layouts import LAYOUTS
from billcom_assets.ledger.problems import FileProblems, FileRefused
from billcom_assets.ledger.tables import CsvTable, Field, Layout

PEOPLE = Layout("people", (Field("name", ("Name", "Full Name"), required=True), Field("number", ("No", "Person No"))))

ACCOUNTS = LAYOUTS["accounts"]


def read(folder: Path, content: bytes | str, layout: Layout = PEOPLE) -> tuple[CsvTable | None, list[str]]:
    path = folder / "file.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    problems = FileProblems()
    table = read_csv(path, layout, problems)
    return table, [str(problem).removeprefix(f"{path}").removeprefix(":").strip() for problem in problems]


def cells(table: CsvTable | None) -> list[dict[str, str]]:
    assert table is not None
    return [dict(row.cells) for row in table.rows]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_delimiters_encodings_and_line_ends_make_no_difference(
    tmp_path: Path, delimiter: str, codec: str, newline: str
) -> None:
    text = newline.join([f"No{delimiter}Name", f"7{delimiter}José Müller", ""])

    table, problems = read(tmp_path, text.encode(codec))

    assert problems == []
    assert cells(table) == [{"number": "7", "name": "José Müller"}]


@pytest.mark.parametrize("number", ["Person #", "person number", "PersonNo", "Person No."])
@pytest.mark.parametrize("header", ["FULL NAME", "full_name", "*Full-Name", " Full  name ", '"Full Name*"'])
def test_headers_match_whatever_their_case_spaces_and_punctuation(tmp_path: Path, header: str, number: str) -> None:
    table, problems = read(tmp_path, f"{number},{header}\n7,Ada\n")

    assert problems == []
    assert cells(table) == [{"number": "7", "name": "Ada"}]


def test_the_preferred_header_wins_where_two_fit(tmp_path: Path) -> None:
    table, _ = read(tmp_path, "Full Name,Name\nwrong,right\n")

    assert cells(table) == [{"name": "right"}]


def test_title_lines_before_the_header_and_a_time_stamp_after_the_rows_are_no_rows(tmp_path: Path) -> None:
    table, problems = read(
        tmp_path, 'Acme Inc,\nPeople List,\n\nNo,Name\n7,Ada\n,,\n"Monday, May 05, 2025 08:24 PM GMT-5",\n'
    )

    assert problems == []
    assert cells(table) == [{"number": "7", "name": "Ada"}]
    assert table is not None
    assert table.rows[0].line == 5


def test_line_numbers_stay_right_across_quoted_line_breaks_and_blank_lines(tmp_path: Path) -> None:
    table, _ = read(tmp_path, 'No,Name\n1,"Ada\nCountess\n"\n\n2,"Grace"\n3,"a\r\nb"\n4,Linus\n')

    assert table is not None
    assert [(row.line, row["name"]) for row in table.rows] == [
        (2, "Ada\nCountess"),
        (6, "Grace"),
        (7, "a\r\nb"),
        (9, "Linus"),
    ]


def test_numbers_that_were_exported_as_excel_text_keep_their_zeros(tmp_path: Path) -> None:
    table, _ = read(tmp_path, 'No,Name\n="007",James\n"=""008""",Bill\n')

    assert [row["number"] for row in table.rows] == ["007", "008"]  # type: ignore[union-attr]


def test_cells_missing_at_the_end_of_a_line_are_empty(tmp_path: Path) -> None:
    table, problems = read(tmp_path, "Name,No\nAda\n")

    assert problems == []
    assert table is not None
    assert table.rows[0]["number"] == ""


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", ["the file is empty"]),
        (b"\xef\xbb\xbf", ["the file is empty"]),
        (b" \n\r\n\t\n", ["the file is empty"]),
        (b"\n,,,\n,,\n", ["line 1: the file holds nothing but blank lines and delimiters"]),
        (b"Name,No\n", ["the file has a header but no rows"]),
        (b"Name,No\n,\n", ["the file has a header but no rows"]),
        (
            b"No;Title\n1;x\n",
            ['line 1: there is no column for the name. Found: "No", "Title". Accepted headers: Name, Full Name.'],
        ),
        (b"Name,No,name\nAda,1,Eve\n", ['line 1: the column "Name" appears more than once']),
        (
            b"Name,No\nAda,1\nSmith, Jones,2\n",
            ["line 3: the line has 3 cells, the header 2; is a cell with a delimiter in it not quoted?"],
        ),
        (b'Name,No\nAda,1\n"Eve,2\nBob,3\n', ["line 3: a quotation mark opens here and is never closed"]),
        (
            b'Name,No\n"6" pipe",1\n',
            [
                "line 2: after a closing quotation mark comes neither , nor the end of the line; "
                "double the marks inside a cell"
            ],
        ),
        (b"PK\x03\x04rest", ["the file is an Excel workbook or a zip archive, not a CSV file. Save it as CSV UTF-8."]),
        (b"%PDF-1.7\n", ["the file is a PDF, not a CSV file. Save it as CSV UTF-8."]),
        (
            b"Name,No\nAda,1\n\x00\x01",
            ["line 3: the file is not a text file: byte 14 is 0x00, which no CSV file holds. Save it as CSV UTF-8."],
        ),
        (
            "Name\nJos\u00e9 and Zo\u00eb\n".encode() + b"broken \xe9 here\n",
            ["line 3: the file has the wrong encoding: byte 27 (0xE9) is not UTF-8. Save it as CSV UTF-8."],
        ),
        (
            "名前,番号\n".encode("shift-jis"),
            ["line 1: the file has the wrong encoding: byte 0 (0x96) is not UTF-8. Save it as CSV UTF-8."],
        ),
        (
            "\u0418\u043c\u044f;\u041d\u043e\u043c\u0435\u0440\n".encode("cp1251"),
            ["line 1: the file has the wrong encoding: byte 0 (0xC8) is not UTF-8. Save it as CSV UTF-8."],
        ),
        (
            b"\xff\xfeN\x00a\x00\x00\xd8",
            ["the file has the wrong encoding: byte 6 (0x00) is not UTF-16. Save it as CSV UTF-8."],
        ),
    ],
)
def test_a_bad_file_is_refused_with_the_reason_and_the_place(
    tmp_path: Path, content: bytes, expected: list[str]
) -> None:
    _, problems = read(tmp_path, content)

    without_rows = [problem for problem in problems if problem != "the file has a header but no rows"]
    assert (without_rows or problems) == expected


def test_zero_characters_far_down_a_utf_16_file_are_refused(tmp_path: Path) -> None:
    table, problems = read(tmp_path, ("Name\n" + "Ada\n" * 300_000 + "E\0ve\n").encode("utf-16"))

    assert table is None
    assert "is not UTF-16" in problems[0]


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    problems = FileProblems()

    assert read_csv(tmp_path / "absent.csv", PEOPLE, problems) is None
    assert read_csv(tmp_path, PEOPLE, problems) is None
    assert [problem.message for problem in problems] == [
        "there is no such file; name the one that was exported, with its folder",
        "the file cannot be read: Is a directory",
    ]


@pytest.mark.parametrize("pattern", [os.urandom(4096), b"a" * 4096, b"Name,No\nx,1\n", b"\0" * 4096])
def test_a_hundred_megabytes_of_garbage_are_refused_with_little_memory(tmp_path: Path, pattern: bytes) -> None:
    path = tmp_path / "garbage.csv"
    with path.open("wb") as stream:
        stream.write(pattern * 256)
        stream.truncate(100 * 1024 * 1024)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    problems = FileProblems()

    assert read_csv(path, PEOPLE, problems) is None

    assert [problem.message for problem in problems] == [
        "the file is larger than 50 MB, far more than any ledger's list; is it the right one?"
    ]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 * 1024


def test_a_smaller_heap_of_garbage_is_refused_at_its_first_line(tmp_path: Path) -> None:
    line, binary = read(tmp_path, b"x," * 5_000_000)[1], read(tmp_path, b"\x01" * 10_000_000)[1]

    assert line == ["line 1: the line is longer than 262,144 characters; this is no list of records"]
    assert binary[0].startswith("line 1: the file is not a text file: byte 0 is 0x01")


def test_more_rows_than_any_ledger_has_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_files, "MAX_ROWS", 3)

    table, problems = read(tmp_path, "Name\na\nb\nc\nd\n")

    assert table is None
    assert problems == ["line 5: the file has more than 3 rows"]


def test_the_list_of_problems_is_capped_and_the_rest_counted() -> None:
    problems = FileProblems()
    for line in range(5000):
        problems.add("f.csv", line + 1, "wrong")

    with pytest.raises(FileRefused) as refused:
        problems.refuse_if_any("Nothing was imported;")

    text = str(refused.value)
    assert text.startswith("Nothing was imported; 5000 problems:\n  f.csv line 1: wrong\n")
    assert text.endswith("... and 4980 more")
    assert len(text.splitlines()) == 22
    assert refused.value.total == 5000


EMPTY = ",;|" + string.whitespace
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\t'\";,|"), max_size=20)


@given(
    rows=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=8),
    delimiter=st.sampled_from(",;\t|"),
    codec=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_a_csv_writer_wrote_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], delimiter: str, codec: str
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([("No", "Name"), *rows])

    table, problems = read(tmp_path_factory.getbasetemp(), text.getvalue().encode(codec))

    # Lines of delimiters alone are what spreadsheets write for empty rows, whatever their own delimiter is.
    filled = [
        row for row in rows if "".join("" if cell.strip() == '=""' else cell for cell in row).strip(EMPTY).strip()
    ]
    written = [(number.strip(), name.strip()) for number, name in filled]
    if not written:
        assert problems == ["the file has a header but no rows"]
        return
    assert problems == []
    assert table is not None
    read_back = [(row["number"], row["name"]) for row in table.rows]
    # Cells like ="x" are how spreadsheets protect text; footers are told by their form.
    assert [row for row in read_back if '="' not in "".join(row)] == [
        row for row in written if '="' not in "".join(row)
    ]


@given(st.binary(max_size=300))
def test_no_bytes_at_all_raise_anything_but_a_problem(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    table, problems = read(tmp_path_factory.getbasetemp(), content, ACCOUNTS)

    assert table is not None or problems


@given(st.text(st.characters(codec="cp1252", exclude_categories=["Cc"]), max_size=40))
def test_the_encoding_found_always_decodes(text: str) -> None:
    raw = text.encode("cp1252")
    try:
        codec = encoding_of(raw)
    except NotText:
        return
    raw.decode(codec)


def test_what_was_read_and_what_was_not_is_known(tmp_path: Path) -> None:
    table, _ = read(tmp_path, "Person #,Phone,Full Name,,Balance\n7,1,Ada,,3\n")

    assert table is not None
    assert [(column.header, column.field) for column in table.columns] == [
        ("Full Name", "name"),
        ("Person #", "number"),
    ]
    assert table.ignored == ("Phone", "Balance")


@pytest.mark.parametrize(
    "footer",
    [
        ",TOTAL,1.00",
        'TOTAL,,"$1,200.00"',
        "Grand Total,,-3",
        "Total for People,,(3.50)",
        ",TOTAL,",
        '"Accrual basis Monday, January 05, 2026 10:00 AM GMT",,',
        "Cash basis,,",
        "Page 1 of 3,,",
        "*** End of Report ***,,",
    ],
)
def test_totals_and_footers_are_left_out_and_named(tmp_path: Path, footer: str) -> None:
    table, problems = read(tmp_path, f"No,Name,Balance\n7,Ada,1.00\n{footer}\n,,\n")

    assert problems == []
    assert table is not None
    assert [row["name"] for row in table.rows] == ["Ada"]
    assert [one.line for one in table.left_out] == [3]
    assert table.left_out[0].text in footer


@pytest.mark.parametrize("record", [",Total,1.00\n8,Zoe,2", "T1,Total,", ",Total Energies,9", "Total,Total,"])
def test_a_record_that_only_looks_like_a_total_is_kept(tmp_path: Path, record: str) -> None:
    table, _ = read(tmp_path, f"No,Name,Balance\n7,Ada,1.00\n{record}\n")

    assert table is not None
    assert table.rows[1]["name"].startswith("Total")
    assert table.left_out == ()


@pytest.mark.parametrize("total", ["Total for Suppliers,,5.00", ",Total for Suppliers,", "Grand Total,,5.00"])
def test_a_subtotal_is_left_out_in_the_midst_too(tmp_path: Path, total: str) -> None:
    table, _ = read(tmp_path, f"No,Name,Balance\n7,Ada,1.00\n{total}\n8,Zoe,2\n")

    assert table is not None
    assert [row["name"] for row in table.rows] == ["Ada", "Zoe"]
    assert [one.line for one in table.left_out] == [3]


def test_a_list_of_names_alone_may_end_with_one_called_total(tmp_path: Path) -> None:
    table, _ = read(tmp_path, "Name\nAda\nTotal\n")

    assert cells(table) == [{"name": "Ada"}, {"name": "Total"}]


def test_a_title_that_is_also_a_header_is_no_header_when_a_fuller_one_follows(tmp_path: Path) -> None:
    table, _ = read(tmp_path, "Name,\nNo,Name\n7,Ada\n")

    assert cells(table) == [{"number": "7", "name": "Ada"}]
