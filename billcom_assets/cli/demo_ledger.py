"""The simulated company's own lists, as its accounting program would export them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from billcom_assets import private_files
from billcom_assets.ledger.spreadsheets import csv_text
from billcom_assets.sandbox import Organization

Doc = dict[str, Any]

_CHART = "classifications/chart-of-accounts"
_BANKS = "funding-accounts/banks"
_DIMENSIONS = {
    "Department": "classifications/departments",
    "Job": "classifications/jobs",
    "Location": "classifications/locations",
    "Class": "classifications/accounting-classes",
    "Employee": "classifications/employees",
}
"""The word that accounting programs use, and where BILL has the list."""


@dataclass(frozen=True)
class _File:
    columns: tuple[str, ...]
    rows: Callable[[Organization], Iterable[Sequence[object]]]


def write_ledger(organization: Organization, folder: Path) -> dict[str, str]:
    """Writes one CSV file for each list; returns their paths by kind, as ``billcom ledger import`` takes them."""
    paths = {}
    for kind, file in _FILES.items():
        path = folder / f"{kind}.csv"
        private_files.replace(path, csv_text(file.columns, file.rows(organization)).encode())
        paths[kind] = str(path)
    return paths


def _accounts(organization: Organization) -> Iterator[Sequence[object]]:
    chart = organization.rows(_CHART)
    numbers = {doc["id"]: doc["account"].get("number", "") for doc in chart}
    for doc in _without_namesakes(chart):
        wording = doc["account"]["type"].replace("_", " ").title()
        parent = numbers.get(doc.get("parentId"), "")
        yield numbers[doc["id"]], doc["name"], wording, parent, _active(doc)
    elsewhere = (bank for bank in organization.rows(_BANKS) if "chartOfAccountId" not in bank)
    for number, bank in enumerate(elsewhere, start=1101):
        yield number, f"{bank['bankName']} {bank['accountNumber'][-4:]}", "Bank", "", _active(bank)


def _parties(path: str, currency: str) -> Callable[[Organization], Iterator[Sequence[object]]]:
    def rows(organization: Organization) -> Iterator[Sequence[object]]:
        for position, doc in enumerate(_without_namesakes(organization.rows(path)), start=1):
            number = f"{path[0].upper()}-{position:05}"
            yield number, doc["name"], doc.get("email", ""), doc.get(currency, ""), _active(doc)

    return rows


def _items(organization: Organization) -> Iterator[Sequence[object]]:
    numbers = {doc["id"]: doc["account"].get("number", "") for doc in organization.rows(_CHART)}
    for position, doc in enumerate(_without_namesakes(organization.rows("classifications/items"))):
        account = numbers.get(doc.get("expenseChartOfAccountId") or doc.get("chartOfAccountId"), "")
        yield f"I-{position + 1:05}", doc["name"], account, _active(doc)


def _dimensions(organization: Organization) -> Iterator[Sequence[object]]:
    for word, path in _DIMENSIONS.items():
        docs = organization.rows(path)
        # People have managers in BILL; an accounting program lists them flat.
        names = {} if word == "Employee" else {doc["id"]: _name(doc) for doc in docs}
        known = Counter(doc.get("shortName") for doc in docs)
        for position, doc in enumerate(_without_namesakes(docs)):
            short = doc.get("shortName")
            code = short if short and known[short] == 1 else f"{word[0]}-{position + 1:04}"
            yield word, code, _name(doc), names.get(doc.get("parentId"), ""), _active(doc)


def _without_namesakes(docs: Iterable[Doc]) -> Iterator[Doc]:
    """An accounting program allows a name once; of several the one in use with a number, else the first."""
    best: dict[str, Doc] = {}
    for doc in sorted(docs, key=lambda doc: (doc["archived"], not doc.get("account", {}).get("number"))):
        best.setdefault(_name(doc).casefold(), doc)
    return iter(best.values())


def _name(doc: Doc) -> str:
    return str(doc["name"]) if "name" in doc else f"{doc['firstName']} {doc['lastName']}"


def _active(doc: Doc) -> str:
    return "No" if doc["archived"] else "Yes"


_FILES = {
    "accounts": _File(("Account Number", "Account Name", "Account Type", "Parent Number", "Active"), _accounts),
    "vendors": _File(("Vendor ID", "Vendor", "Main Email", "Currency", "Active"), _parties("vendors", "billCurrency")),
    "customers": _File(
        ("Customer ID", "Customer", "Main Email", "Currency", "Active"), _parties("customers", "invoiceCurrency")
    ),
    "items": _File(("Item Code", "Item Name", "Expense Account", "Active"), _items),
    "dimensions": _File(("Dimension", "Code", "Name", "Parent", "Active"), _dimensions),
}
