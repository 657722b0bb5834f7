"""Secrets and personal data that occur nowhere else, put where a company has them, and the search for them."""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from sqlalchemy import create_engine, make_url, text

from billcom_assets.sandbox import Organization
from billcom_assets.sandbox.table import make_row

PASSWORD = 'pw-7Kq"zü&<9/x+Vm%4d'
WRONG_PASSWORD = "wrong-pw-Tt5\\bn'R2w&Lx0"
ENVIRONMENT_PASSWORD = "env-pw-8dJs3/Wq+Zm1"
DEV_KEY = "dk-01Zr4Nn8sXb2Yw6Tg"
DATABASE_PASSWORD = "db-pw-Hf6@Ju2:Ke9/Pm"

SSN = "518-64-0973"
EIN = "64-8091735"
ACCOUNT = "4417093865127"
ROUTING = "074913586"
CARD = "4539 5787 6362 1486"
IBAN = "GB33BUKB20201555558317"
EMAIL = "zephyrine.quill@private-mail.example"
PHONE = "(415) 733-0982"
STREET = "8841 Quillfeather Lane"
PERSONAL = {
    "tax id": SSN,
    "employer number": EIN,
    "bank account": ACCOUNT,
    "routing number": ROUTING,
    "card": CARD,
    "IBAN": IBAN,
    "e-mail": EMAIL,
    "phone": PHONE,
    "street": STREET,
}
_FREE_TEXT = f"Pay {SSN} ({EIN}) from {ACCOUNT} at {ROUTING}, card {CARD}, IBAN {IBAN}."
_FIELDS = {
    "accountNumber": ACCOUNT,
    "routingNumber": ROUTING,
    "phone": PHONE,
    "line1": STREET,
    "description": _FREE_TEXT,
    "memo": _FREE_TEXT,
}


def plant(organization: Organization) -> None:
    """Gives the organization our password, and every object of it personal data in fields and free text."""
    organization.token = replace(organization.token, password=PASSWORD)
    for kind, table in organization.tables.items():
        first = min((row.id for row in table), default="")
        for row in table.snapshot():
            doc = _with_personal_data(row.doc())
            if "email" in doc and row.id == first:
                doc["email"] = EMAIL
            if kind.path.endswith("vendors"):
                _odd_vendor(doc, is_first=row.id == first)
            table.put(make_row(doc, row.created, row.updated, row.hidden))
    _unreadable_bill(organization)


def _with_personal_data(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_personal_data(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: _FIELDS.get(name) or _with_personal_data(one) for name, one in value.items()}


def _odd_vendor(doc: dict[str, Any], *, is_first: bool) -> None:
    if is_first:
        # Only one: what several have alike maps nothing.
        doc["email"] = EMAIL
        doc["additionalInfo"] = {**doc["additionalInfo"], "taxId": SSN, "taxIdType": "SSN"}
        doc[f"field of {EIN}"] = _FREE_TEXT
    else:
        doc["networkStatus"] = f"KNOWN AS {SSN}"


def _unreadable_bill(organization: Organization) -> None:
    bills = next(table for kind, table in organization.tables.items() if kind.path.endswith("bills"))
    row = bills.snapshot()[-1]
    doc = row.doc()
    doc["dueDate"] = f"the day of {SSN} and {ACCOUNT}"
    bills.put(make_row(doc, row.created, row.updated, row.hidden))


class Echo(BaseHTTPRequestHandler):
    """A BILL that refuses everything and quotes what it was sent, in every way in which servers quote."""

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        values = [*json.loads(sent).values(), _FREE_TEXT] if sent.startswith("{") else [sent, _FREE_TEXT]
        quoted = [form.decode(errors="replace") for value in values for form in _quotations(str(value))]
        answer = json.dumps([{"code": "BDC_1101", "message": f"{sent} {' '.join(quoted)} {self.headers}"}]).encode()
        self.send_response(401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Stays quiet."""


def _quotations(value: str) -> set[bytes]:
    """How a server may quote a value: base64 whole, and not only the part of it that can be searched for."""
    raw = value.encode()
    whole = {base64.b64encode(b"x" * shift + raw) for shift in range(3)}
    return forms(value) - {_base64_core(raw, shift) for shift in range(3)} | whole


def forms(value: str) -> set[bytes]:
    """How a value may be written down: as it is, escaped, encoded."""
    raw = value.encode()
    texts = {
        value,
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        html.escape(value),
        quote(value, safe=""),
        quote_plus(value),
        raw.hex(),
        repr(value)[1:-1],
        # In a document that is itself a text in another one, as Dagster stores events.
        json.dumps(json.dumps(value)[1:-1])[1:-1],
    }
    encoded = {form.encode() for form in texts} | {value.encode("utf-16-le"), value.encode("utf-16-be")}
    return encoded | {_base64_core(raw, shift) for shift in range(3)}


def _base64_core(raw: bytes, shift: int) -> bytes:
    """The part of a base64 text that is the same whatever stands ``shift`` bytes before and after the value."""
    whole = base64.b64encode(b"\0" * shift + raw)
    return whole[(shift * 8 + 5) // 6 : (shift + len(raw)) * 8 // 6]


def written_personal(value: str) -> set[bytes]:
    """:func:`forms` of a number as it is and without what groups its digits."""
    bare = "".join(char for char in value if char.isalnum())
    return forms(value) | (forms(bare) if bare.isdigit() else set())


@dataclass(frozen=True)
class Piece:
    """Something that was stored or printed."""

    where: str
    content: bytes
    is_mirror: bool = False
    """Rows that BILL's objects are mirrored into, the only place for personal data."""


def found(needles: Mapping[str, set[bytes]], pieces: Iterable[Piece]) -> list[str]:
    """Which value is where."""
    names = {form: name for name, written in needles.items() for form in written}
    any_form = re.compile(b"|".join(re.escape(form) for form in sorted(names, key=len, reverse=True)))
    return sorted(
        {
            f"{names[form]} in {piece.where}"
            for piece in pieces
            for content in (piece.content, *_unpacked(piece.content))
            for form in any_form.findall(content)
        }
    )


def _unpacked(content: bytes) -> Iterator[bytes]:
    with suppress(OSError, EOFError, zlib.error):
        yield gzip.decompress(content)
    with suppress(zlib.error):
        yield zlib.decompress(content)


def pieces_of_folder(folder: Path, mirror: set[str]) -> Iterator[Piece]:
    """Every file's bytes and every row of every SQLite database below the folder."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        where = str(path.relative_to(folder))
        yield Piece(where, content, is_mirror=path.name.startswith("billcom.db"))
        if content.startswith(b"SQLite format 3"):
            yield from _pieces_of_sqlite(path, where, mirror if path.name == "billcom.db" else set())


def _pieces_of_sqlite(path: Path, where: str, mirror: set[str]) -> Iterator[Piece]:
    with closing(sqlite3.connect(path)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in database.execute(f'SELECT * FROM "{table}"'):
                for cell in row:
                    content = cell if isinstance(cell, bytes) else str(cell).encode()
                    yield Piece(f"{where}: {table}", content, is_mirror=table in mirror)


def pieces_of_postgresql(url: str, mirror: set[str]) -> Iterator[Piece]:
    """Every row of every table of a PostgreSQL database."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        tables = connection.execute(
            text(
                "SELECT table_schema, table_name FROM information_schema.tables "
                "WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')"
            )
        ).all()
        for schema, table in tables:
            for row in connection.execute(text(f'SELECT * FROM "{schema}"."{table}"')):
                for cell in row:
                    content = bytes(cell) if isinstance(cell, bytes | memoryview) else str(cell).encode()
                    is_mirror = schema == "billcom" and table in mirror
                    yield Piece(f"{schema}.{table}", content, is_mirror=is_mirror)
    engine.dispose()
