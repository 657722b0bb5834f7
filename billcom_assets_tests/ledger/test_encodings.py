from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billcom_assets.ledger.encodings import NAMES, NotText, encoding_of
from billcom_assets.warehouse.ledger_tables import ledger_vendors
from billcom_assets_tests.ledger.imports import Files

ACCENTED = (
    """
José|Café de la Gare|Société Générale|Hôtel des Arts|Müller GmbH|Bäckerei Schröder|Straßenbau Weiß|Peña y Cía|García
Núñez|Díaz e hijos|JOSÉ MUÑOZ|Øresund A/S|Ærø Færge|Århus Havn|São João|Conceição|Élan|Caffè Roma|Öztürk|Ångström AB
Malmö|Façade Léger|Zoë Brontë|Citroën|Çelik|Übersee|Ástor|Gómez|Íris|Ñandú|Crédit Agricole|Noël|Pâtisserie Maître
Où est|Dépôt|Bræ|Søren Kierkegård|Ólafur|Île de Ré|L'École|Camões
""".strip()
    .replace("\n", "|")
    .split("|")
)
TYPOGRAPHIC = [
    "Joe\N{RIGHT SINGLE QUOTATION MARK}s Pizza",
    "O\N{RIGHT SINGLE QUOTATION MARK}Brien",
    "Fish \N{EN DASH} Chips",
]
PLAIN = ["Acme Inc", "Northwind", "Beta LLC", "Smith, Jones"]
OTHER_LETTERS_IN_DOS = {
    letter
    for letter in "ÀÁÂÃÄÅÈÉÊËÌÍÎÏÒÓÔÕÖØÙÚÛÜßõý"
    if unicodedata.category(letter.encode("cp850").decode("cp1252", errors="replace")) in {"Lu", "Ll"}
}
"""Letters that are as good letters in Windows-1252, which is taken for granted then: a DOS Í alone cannot be told."""
CODECS = ("cp1252", "mac_roman", "cp850")


def listed(names: list[str]) -> str:
    return "Number,Name\n" + "".join(f'{number},"{name}"\n' for number, name in enumerate(names))


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(
    "names",
    [["José"], ["Müller"], ["García"], ["Núñez"], ["JOSÉ MUÑOZ"], ["Café de la Gare", "Straßenbau Weiß"], ACCENTED],
)
def test_a_short_list_with_few_accents_is_read_in_the_encoding_that_it_was_written_in(
    names: list[str], codec: str
) -> None:
    raw = listed([*PLAIN, *names]).encode(codec)

    assert raw.decode(encoding_of(raw)) == listed([*PLAIN, *names])


@pytest.mark.parametrize("codec", ["cp1252", "mac_roman"])
@pytest.mark.parametrize("name", TYPOGRAPHIC)
def test_apostrophes_and_dashes_of_word_processors_are_read(name: str, codec: str) -> None:
    raw = listed([name]).encode(codec)

    assert raw.decode(encoding_of(raw)) == listed([name])


@given(
    st.lists(st.sampled_from([*ACCENTED, *PLAIN]), min_size=1, max_size=6, unique=True),
    st.sampled_from(CODECS),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_names_are_read_rightly_or_not_at_all(names: list[str], codec: str, newline: str) -> None:
    if codec == "cp850":
        newline = "\r\n"
        names = [name for name in names if not set(name) & OTHER_LETTERS_IN_DOS] or PLAIN
    text = listed(names).replace("\n", newline)
    raw = text.encode(codec)
    try:
        found = encoding_of(raw)
    except NotText:
        return
    assert raw.decode(found) == text


def test_most_lists_of_a_few_names_are_read() -> None:
    lists = [ACCENTED[at : at + 4] for at in range(len(ACCENTED) - 3)]

    read = [names for names in lists for codec in CODECS if _is_read(listed(names).encode(codec))]

    assert len(read) > len(lists) * len(CODECS) * 0.9


def _is_read(raw: bytes) -> bool:
    try:
        encoding_of(raw)
    except NotText:
        return False
    return True


def test_polish_names_are_read_in_the_encodings_of_central_europe() -> None:
    text = listed(["Łódź Sp. z o.o.", "Świątek", "Żabka"])

    assert [encoding_of(text.encode(codec)) for codec in ("cp1250", "iso8859_2")] == ["cp1250", "iso8859_2"]
    assert encoding_of(listed(["Kuźnia", "Woźniak"]).encode("cp1250")) == "cp1250"


@pytest.mark.parametrize(
    ("name", "codec", "readings"),
    [
        ("Schröder", "mac_roman", '"Schršder" (Windows-1252) or "Schröder" (Mac Roman)'),
        ("Miloš", "cp1252", '"Miloš" (Windows-1252) or "Miloö" (Mac Roman)'),
        ("Poznań", "cp1250", '"Poznañ" (Windows-1252) or "Poznań" (Windows-1250)'),
    ],
)
def test_a_word_that_reads_well_in_two_encodings_is_refused_with_both(name: str, codec: str, readings: str) -> None:
    with pytest.raises(NotText) as refused:
        encoding_of(listed(["Acme", "Beta", name]).encode(codec))

    assert refused.value.line == 4
    assert (
        str(refused.value)
        == f"has an encoding that cannot be told for certain: a word reads {readings}. Save it as CSV UTF-8."
    )


def test_lines_that_end_as_old_macs_end_them_settle_a_doubt() -> None:
    raw = listed(["Schröder"]).replace("\n", "\r").encode("mac_roman")

    assert encoding_of(raw) == "mac_roman"


def test_text_that_reads_well_in_no_encoding_is_refused_with_the_word_as_it_would_read() -> None:
    with pytest.raises(NotText, match=r'byte 23 \(0xA4\) is not UTF-8\. In Windows-1252 the word would read "Mu¤oz¶x"'):
        encoding_of(b"Number,Name\n1,Acme\n2,Mu\xa4oz\xb6x\n")


def test_a_sign_out_of_place_here_and_there_does_not_make_a_list_unreadable() -> None:
    text = listed([*ACCENTED, "A\N{DOUBLE DAGGER}b"])

    assert encoding_of(text.encode("cp1252")) == "cp1252"


def test_every_encoding_has_a_name_for_people() -> None:
    assert NAMES["mac_roman"] == "Mac Roman"
    assert all(codec in NAMES for codec in CODECS)


def test_an_import_says_in_which_encoding_a_file_was_read(files: Files, tmp_path: Path) -> None:
    (report,) = files.load(vendors=listed(["Café Müller"]).encode("mac_roman")).files

    assert report.encoding == "Mac Roman"
    assert files.stored(ledger_vendors, "name") == {"0": "Café Müller"}
    assert report.lines()[0] == "vendors.csv (vendors): recognised: no particular program, read as Mac Roman"


def test_a_file_that_might_be_misread_is_refused_as_a_whole(files: Files) -> None:
    (problem,) = files.refused(vendors=listed(["Schröder"]).encode("mac_roman"))

    assert problem.startswith(
        "vendors.csv line 2: the file has an encoding that cannot be told for certain: a word reads"
    )
