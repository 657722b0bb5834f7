"""Books of the simulated company after some months of business, made once; tests undo what they do to them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from billcom_assets.books.posting import post
from billcom_assets.books.reconciliation import books_of
from billcom_assets.books.run import Run
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets.warehouse.engine import Warehouse, open_warehouse
from billcom_assets_tests.books.ledger import CLEARING, POLICY, mirror_ledger, register, set_policy
from billcom_assets_tests.postgres import Postgres
from billcom_assets_tests.sync.company import INTEGRATION, Company, let_business_happen

RECEIPTS = "1060-IN"
SETTINGS: dict[str, dict[str, Any]] = {
    "direct": {},
    "clearing": {"payments": "clearing"},
    "cutoff": {"payments": "clearing", "receivables_clearing": CLEARING},
}
CUTOFF = date(2026, 2, 1)


class Posted:
    """Books that were posted to a few times while business went on."""

    def __init__(self, warehouse: Warehouse, company: Company) -> None:
        self.warehouse = warehouse
        self.company = company

    def run(self, connection: Connection) -> Run:
        """What the identities want to know."""
        return books_of(connection, self.warehouse.mirror, INTEGRATION, self.company.server.clock.now())

    @contextmanager
    def undone(self) -> Iterator[tuple[Connection, Run]]:
        """A transaction of which nothing is kept, and what the identities want to know."""
        with self.warehouse.engine.connect().execution_options(begin_immediate=True) as connection:
            transaction = connection.begin()
            try:
                yield connection, self.run(connection)
            finally:
                transaction.rollback()


Books = Callable[[str], Posted]


@pytest.fixture(scope="session")
def all_books(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str, str], Posted]]:
    made: dict[tuple[str, str], Posted] = {}
    servers: list[SandboxServer] = []

    def database(dialect: str) -> str:
        if dialect == "postgresql":
            server: Postgres = request.getfixturevalue("postgres")
            return server.create()
        path = tmp_path_factory.mktemp("books") / "billcom.db"
        shutil.copy(Path(request.getfixturevalue("migrated_file")), path)
        return f"sqlite:///{path}"

    def of(dialect: str, name: str) -> Posted:
        if (dialect, name) not in made:
            servers.append(SandboxServer(Settings(bills=150, orgs=1)).__enter__())
            books = Posted(open_warehouse(database(dialect)), Company(servers[-1]))
            cutoff = CUTOFF if name == "cutoff" else None
            with books.warehouse.write() as connection:
                register(connection, cutoff=cutoff)
            _go_on(books, SETTINGS[name], cutoff)
            made[dialect, name] = books
        return made[dialect, name]

    yield of
    for books in made.values():
        books.warehouse.close()
    for server in servers:
        server.__exit__(None, None, None)


def _go_on(books: Posted, settings: dict[str, Any], cutoff: date | None) -> None:
    for step in range(4):
        if step:
            let_business_happen(books.company, 75, step)
        books.company.sync(books.warehouse, cutoff=cutoff)
        with books.warehouse.write() as connection:
            mirror_ledger(connection, books.warehouse)
            if not step:
                set_policy(connection, **(POLICY | {"payables_clearing": CLEARING} | settings))
        post(books.warehouse, INTEGRATION, clock=books.company.server.clock.now)


@pytest.fixture
def books(dialect: str, all_books: Callable[[str, str], Posted]) -> Books:
    """The books by name, on each database."""
    return lambda name: all_books(dialect, name)
