"""Databases and simulated companies for the tests of everything above the ground floor."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import hypothesis
import pytest
from sqlalchemy import Connection

from billcom_assets.job_runner import open_instance
from billcom_assets.warehouse.engine import Warehouse, open_warehouse
from billcom_assets_tests.books.held_company import HeldCompany, Template, filled, served
from billcom_assets_tests.postgres import Postgres, shared_server
from billcom_assets_tests.small_company import Books, connect

DIALECTS = ("sqlite", "postgresql")

# CI proves the same examples every time; a developer's run looks for new ones. Neither measures time.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None)
hypothesis.settings.register_profile("developer", deadline=None)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "developer")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What importing the tests makes stays: Python's garbage collector need not go through it again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def _shared_folder(tmp_path_factory: pytest.TempPathFactory, worker: str) -> Path:
    """A folder that all workers of this test session see, and no other session."""
    base = tmp_path_factory.getbasetemp()
    return base if worker == "master" else base.parent


@pytest.fixture(scope="session")
def worker(request: pytest.FixtureRequest) -> str:
    """Name of the xdist worker; ``master`` without xdist."""
    settings = getattr(request.config, "workerinput", None)
    return str(settings["workerid"]) if settings else "master"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory, worker: str) -> Postgres:
    """The PostgreSQL server of this session."""
    return shared_server(_shared_folder(tmp_path_factory, worker))


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite warehouse without rows, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "billcom.db"
    warehouse = open_warehouse(f"sqlite:///{path}")
    warehouse.close()
    return path


@pytest.fixture(scope="session")
def dagster_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which Dagster has made its files and nothing happened yet, to be copied."""
    home = tmp_path_factory.mktemp("dagster")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(home))
        patch.delenv("BILLCOM_DAGSTER_DATABASE_URL", raising=False)
        with open_instance():
            pass
    return home


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    """Each database that the warehouse runs on."""
    return str(request.param)


@pytest.fixture
def make_database(dialect: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Makes databases and gives their URLs: ``migrated`` ones have the warehouse's tables, others have none."""
    made: list[str] = []

    def in_file(*, migrated: bool = True) -> str:
        path = tmp_path / f"{len(made)}" / "billcom.db"
        path.parent.mkdir()
        if migrated:
            shutil.copy(request.getfixturevalue("migrated_file"), path)
        made.append(str(path))
        return f"sqlite:///{path}"

    def on_server(*, migrated: bool = True) -> str:
        made.append(server.create() if migrated else server.create(template=None))
        return made[-1]

    if dialect == "sqlite":
        yield in_file
        return
    server: Postgres = request.getfixturevalue("postgres")
    yield on_server
    for url in made:
        server.drop(url)


@pytest.fixture
def database_url(make_database: Callable[..., str]) -> str:
    """A warehouse of this test's own, without rows."""
    return make_database()


@pytest.fixture
def bare_database_url(make_database: Callable[..., str]) -> str:
    """A database without any table."""
    return make_database(migrated=False)


@pytest.fixture
def warehouse(database_url: str) -> Iterator[Warehouse]:
    """An open warehouse without rows, on SQLite and on PostgreSQL."""
    opened = open_warehouse(database_url)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def opened(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Warehouse]]:
    """An open warehouse of each dialect, shared by tests that undo what they write."""
    made: dict[str, Warehouse] = {}

    def in_file() -> str:
        path = tmp_path_factory.mktemp("shared") / "billcom.db"
        shutil.copy(Path(request.getfixturevalue("migrated_file")), path)
        return f"sqlite:///{path}"

    def of(dialect: str) -> Warehouse:
        if dialect not in made:
            made[dialect] = open_warehouse(
                in_file() if dialect == "sqlite" else request.getfixturevalue("postgres").create()
            )
        return made[dialect]

    yield of
    for warehouse in made.values():
        warehouse.close()


@pytest.fixture
def conn(dialect: str, opened: Callable[..., Warehouse]) -> Iterator[Connection]:
    """A writing connection to books of the test's own."""
    with (
        opened(dialect).engine.connect().execution_options(begin_immediate=True) as connection,
        connection.begin() as transaction,
    ):
        connect(connection)
        yield connection
        transaction.rollback()


@pytest.fixture
def books(conn: Connection) -> Books:
    return Books(conn)


@pytest.fixture(scope="session")
def held_templates(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Template]]:
    """A database of each dialect with a synced company some of whose documents are held; made when it is asked for."""
    with served() as company:
        made: dict[str, Template] = {}

        def of(dialect: str) -> Template:
            if dialect not in made:
                postgres = request.getfixturevalue("postgres") if dialect == "postgresql" else None
                file = tmp_path_factory.mktemp("held") / "billcom.db"
                made[dialect] = filled(company, postgres.create() if postgres else f"sqlite:///{file}", postgres)
            return made[dialect]

        yield of


@pytest.fixture
def held(dialect: str, held_templates: Callable[[str], Template], tmp_path: Path) -> Iterator[HeldCompany]:
    """A company some of whose documents are held, in a database of the test's own."""
    with held_templates(dialect).copied(tmp_path) as copy:
        yield copy
