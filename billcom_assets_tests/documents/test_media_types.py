"""A file is what its content says, whatever it is called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from billcom_assets.documents.files import stored_as
from billcom_assets.documents.media_types import MEDIA_TYPES, media_type


@pytest.mark.parametrize(
    ("begin", "name", "expected", "ending"),
    [
        (b"%PDF-1.7\n...", "invoice.PDF", "application/pdf", "pdf"),
        (b"%PDF-1.7\n...", "invoice.exe", "application/pdf", "pdf"),
        (b"\r\n%PDF-1.4", "scan", "application/pdf", "pdf"),
        (b"\x89PNG\r\n\x1a\n0000", "../../etc/passwd", "image/png", "png"),
        (b"\xff\xd8\xff\xe0", "photo.jpeg", "image/jpeg", "jpeg"),
        (b"\x00\x00\x00\x18ftypheic", "photo.heic", "image/heic", "heic"),
        (b"PK\x03\x04", "offer.xlsx", "application/zip", "xlsx"),
        (b"PK\x03\x04", "offer.jar", "application/zip", "zip"),
        (b"Thank you for your order\n", "note.txt", "text/plain", "txt"),
        (b'<?xml version="1.0"?><Invoice xmlns="urn:oasis">', "invoice.xml", "application/xml", "xml"),
        (b"\x00\x01AC1032 drawing", "plan.dwg", "application/octet-stream", "bin"),
        (b"\x00\x01", "invoice.exe", "application/octet-stream", "bin"),
        ("\ufeffStraße;10,00\n".encode(), "lines.csv", "text/plain", "csv"),
    ],
)
def test_the_content_decides(begin: bytes, name: str, expected: str, ending: str) -> None:
    found = media_type(begin, name)
    assert found is not None
    assert (found.name, found.ending(name)) == (expected, ending)


@pytest.mark.parametrize(
    "begin",
    [
        b"",
        b"   \n",
        b"<!DOCTYPE html><html>",
        b"\n <html>%PDF-",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'>",
        b"\xef\xbb\xbf<script>",
        b"MZ\x90\x00\x03",
        b"\x7fELF\x02\x01",
        b'[{"code":"BDC_1109","message":"Session is invalid"}]',
        b"#!/bin/sh\nrm -rf /",
        b"Session is invalid.  Please log in.",
        b'{"message":"Unauthorized"}',
    ],
)
def test_what_is_no_paper_is_not_kept(begin: bytes) -> None:
    assert media_type(begin, "note.txt") is None


@pytest.mark.parametrize("inside", [b"<html>", b"<svg onload='x'>", b"<?xml-stylesheet href='x'?>", b"<x:script/>"])
def test_xml_that_a_browser_would_carry_out_is_not_kept(inside: bytes) -> None:
    assert media_type(b'<?xml version="1.0"?>' + inside, "invoice.xml") is None


@pytest.mark.parametrize("name", ["invoice.pdf", "page-1.png", "", "note.html"])
def test_words_in_place_of_another_file_are_not_kept(name: str) -> None:
    assert media_type(b"The file is not there.", name) is None


@given(name=some.text(), kind=some.sampled_from(MEDIA_TYPES))
def test_no_name_leads_out_of_the_folder(name: str, kind: object) -> None:
    place = stored_as("acme-us", "ab" * 32, kind.ending(name))  # type: ignore[attr-defined]
    assert place.rpartition(".")[0] == f"acme-us/ab/{'ab' * 32}"
    assert place.rpartition(".")[2].isalnum()
