"""What is shown of a failure: its kind and the next step, and nothing that it quotes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy.exc
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, make_url, text

from billcom_assets.cli import app
from billcom_assets.cli.app import billcom
from billcom_assets.cli.failures import explain
from billcom_assets.redaction.errors import UserFacingError
from billcom_assets.storage import EnvironmentStorage
from billcom_assets.warehouse.address import read_address, shown_address
from billcom_assets.warehouse.engine import Warehouse, connect, open_warehouse
from billcom_assets.warehouse.errors import WarehouseError, describe, describe_where
from billcom_assets_tests.redaction.every_exception import EVERY_KIND, OURS, made

SSN, ACCOUNT = "987-65-4329", "000123456789"
PLANTED = (SSN, ACCOUNT, "987654329")
ROW = f"Ms {SSN} of {ACCOUNT}"

TABLE = "CREATE TABLE payees (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, CHECK (length(name) < 40))"
TRIGGERS = {
    "sqlite": f"CREATE TRIGGER nosy BEFORE UPDATE ON payees BEGIN SELECT RAISE(ABORT, 'no: {ROW}'); END",
    "postgresql": "CREATE FUNCTION nosy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {raise_}; END $$; "
    "CREATE TRIGGER nosy BEFORE UPDATE ON payees FOR EACH ROW EXECUTE FUNCTION nosy()",
}
RAISES = {
    "a plain exception": ("RAISE EXCEPTION 'no: %', NEW", "A trigger in the database refused the change"),
    "a full disk": ("RAISE EXCEPTION 'no room for %', NEW USING ERRCODE = '53100'", "has no room left"),
    "names that are data": (
        f"RAISE EXCEPTION 'x' USING ERRCODE = '23505', CONSTRAINT = '{SSN}', TABLE = 'a{ACCOUNT}', COLUMN = NEW.name",
        "A row would be there twice",
    ),
    "a code of its own": ("RAISE EXCEPTION 'no: %', NEW USING ERRCODE = 'ZZ987'", "refused to go on (SQLSTATE ZZ987)"),
}


@pytest.fixture
def payees(warehouse: Warehouse) -> Warehouse:
    with warehouse.write() as connection:
        connection.execute(text(TABLE))
        connection.execute(text("INSERT INTO payees VALUES (1, :name)"), {"name": ROW})
    return warehouse


def failure_of(action: Callable[[], object]) -> BaseException:
    with pytest.raises((sqlalchemy.exc.SQLAlchemyError, psycopg.Error)) as caught:
        action()
    return caught.value


def executed(warehouse: Warehouse, statement: str, **parameters: Any) -> Any:
    def act() -> None:
        with warehouse.write() as connection:
            connection.execute(text(statement), parameters)

    return failure_of(act)


def assert_shows_nothing(error: BaseException) -> None:
    failure = explain(error) if isinstance(error, Exception) else None
    shown = [describe(error), describe_where(error), *([str(failure.to_document())] if failure else [])]
    assert [planted for planted in PLANTED if any(planted in one for one in shown)] == []


@pytest.mark.parametrize(
    ("statement", "parameters", "says"),
    [
        ("INSERT INTO payees VALUES (2, :name)", {"name": ROW}, "A row would be there twice"),
        ("INSERT INTO payees VALUES (1, :name)", {"name": f"Mr {SSN}"}, "A row would be there twice"),
        ("INSERT INTO payees VALUES (2, NULL)", {}, "lacks a value"),
        ("INSERT INTO payees VALUES (2, :name)", {"name": f"{ROW}, and more, and more"}, "breaks a rule"),
        ("INSERT INTO nowhere VALUES (2, :name)", {"name": ROW}, "A table or column is missing"),
    ],
)
def test_a_refused_row_is_told_by_its_kind_and_place(
    statement: str, parameters: dict[str, Any], says: str, payees: Warehouse
) -> None:
    error = executed(payees, statement, **parameters)
    assert says in describe(error)
    assert_shows_nothing(error)
    assert all(str(value) not in str(error.statement) for value in parameters.values())


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_constraint_is_named_where_sqlite_names_it(payees: Warehouse) -> None:
    error = executed(payees, "INSERT INTO payees VALUES (2, :name)", name=ROW)
    assert "(payees.name, SQLITE_CONSTRAINT_UNIQUE)" in describe(error)


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_a_constraint_is_named_where_postgresql_names_it(payees: Warehouse) -> None:
    error = executed(payees, "INSERT INTO payees VALUES (2, :name)", name=ROW)
    assert "(constraint payees_name_key, table payees, SQLSTATE 23505)" in describe(error)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_triggers_text_is_dropped_on_sqlite(payees: Warehouse) -> None:
    with payees.write() as connection:
        connection.execute(text(TRIGGERS["sqlite"]))
    error = executed(payees, "UPDATE payees SET name = :name", name="x")
    assert "A trigger in the database refused the change" in describe(error)
    assert_shows_nothing(error)


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
@pytest.mark.parametrize("kind", RAISES)
def test_a_triggers_text_is_dropped_on_postgresql(kind: str, payees: Warehouse) -> None:
    raise_, says = RAISES[kind]
    with payees.write() as connection:
        connection.exec_driver_sql(
            TRIGGERS["postgresql"].replace("{raise_}", raise_).replace("%'", "%%'").replace("%,", "%%,")
        )
    error = executed(payees, "UPDATE payees SET id = 3")
    assert "NEW" not in raise_.split("'")[2] or SSN in str(error)
    assert says in describe(error)
    assert_shows_nothing(error)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_full_disk_is_told_on_sqlite(payees: Warehouse) -> None:
    def fill() -> None:
        with payees.write() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
            for number in range(2, 999):
                connection.execute(
                    text("INSERT INTO payees VALUES (:id, :name)"), {"id": number, "name": f"{number} {SSN}"}
                )

    error = failure_of(fill)
    assert "The database has no room left (SQLITE_FULL). Free or add disk space." in describe(error)
    assert_shows_nothing(error)


def test_a_database_that_may_only_be_read_is_wrong_configuration(payees: Warehouse) -> None:
    def write() -> None:
        with payees.engine.connect() as connection:
            read_only = "SET TRANSACTION READ ONLY" if payees.is_postgresql else "PRAGMA query_only = on"
            connection.exec_driver_sql(read_only)
            connection.execute(text("UPDATE payees SET name = :name"), {"name": SSN})

    error = failure_of(write)
    failure = explain(error) if isinstance(error, Exception) else None
    assert failure is not None
    assert failure.exit_code == 2
    assert "The database cannot be written" in failure.message
    assert_shows_nothing(error)


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_a_bad_value_in_a_copy_is_told_without_its_line(payees: Warehouse) -> None:
    def copy() -> None:
        with payees.write() as connection:
            driver = connection.connection.driver_connection
            assert isinstance(driver, psycopg.Connection)
            with driver.cursor() as cursor, cursor.copy("COPY payees FROM STDIN") as lines:
                lines.write_row((ROW, ROW))

    error = failure_of(copy)
    assert isinstance(error, psycopg.Error)
    assert SSN in str(error)
    assert "A value does not fit its column (SQLSTATE 22P02)" in describe(error)
    assert_shows_nothing(error)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_database_that_others_lock_is_told(payees: Warehouse) -> None:
    impatient = create_engine(payees.engine.url, connect_args={"timeout": 0.01})

    def wait() -> None:
        # The driver's own error: what goes through write() says also who it was.
        with payees.engine.begin() as holder, impatient.begin() as other:
            holder.execute(text("UPDATE payees SET id = 5"))
            other.execute(text("UPDATE payees SET name = :name"), {"name": SSN})

    error = failure_of(wait)
    impatient.dispose()
    assert "locked by somebody else" in describe(error)
    assert_shows_nothing(error)


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("setting", "says"),
    [("statement_timeout", "took too long"), ("lock_timeout", "locked by somebody else")],
)
def test_a_time_limit_of_postgresql_is_told(setting: str, says: str, payees: Warehouse) -> None:
    def wait() -> None:
        with payees.engine.begin() as holder, payees.engine.begin() as other:
            holder.execute(text("UPDATE payees SET id = 5"))
            other.exec_driver_sql(f"SET LOCAL {setting} = 50")
            other.execute(text("UPDATE payees SET name = :name"), {"name": SSN})

    error = failure_of(wait)
    assert says in describe(error)
    assert_shows_nothing(error)


# Addresses -----------------------------------------------------------------------------------------------------------

PASSWORD = "open-sesame"
ADDRESSES = [
    f"postgresql://me:{PASSWORD}@127.0.0.1:1/books",
    f"postgresql://me:x@{PASSWORD}@127.0.0.1:1/books",
    f"postgresql://me:x@y:{PASSWORD}@127.0.0.1:1/books",
    f"postgresql://me:x@y/{PASSWORD}@127.0.0.1:1/books",
    f"postgresql://me:x/{PASSWORD}@127.0.0.1:1/books",
    f"postgresql://127.0.0.1:1/books?user=me&password={PASSWORD}",
    f"postgresql://me@127.0.0.1:1/books?sslpassword={PASSWORD}",
    f"postgresql://me@127.0.0.1:1/books?sslmode={PASSWORD}",
    f"postgresql://me@127.0.0.1:1/books?{PASSWORD}=1",
    f"postgresql://me@127.0.0.1:1/books?connect_timeout={PASSWORD}",
    f"postgresql://me:x@127.0.0.1:{PASSWORD}/books",
    f"mysql://me:{PASSWORD}@127.0.0.1/books",
    f"not a url {PASSWORD}",
    f"sqlite:////proc/nowhere/books.db?password={PASSWORD}",
]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.filterwarnings("ignore")
def test_no_part_of_a_password_in_an_address_is_shown(
    address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("BILLCOM_DATABASE_URL", address)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    result = CliRunner().invoke(billcom, ["status", "--json", "--debug"])
    assert result.exit_code in (1, 2)
    lines = [line for line in result.output.splitlines() if not line.startswith("    ")]
    assert PASSWORD not in "\n".join(lines)
    assert PASSWORD not in caplog.text


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (f"postgresql+psycopg://me:{PASSWORD}@db.acme.test:5433/books?password={PASSWORD}", "postgresql://db.acme.test:5433/books"),
        ("postgresql://db.acme.test/books", "postgresql://db.acme.test/books"),
        (f"sqlite:////srv/books.db?key={PASSWORD}", "sqlite:////srv/books.db"),
    ],
)  # fmt: skip
def test_an_address_is_shown_by_kind_host_port_and_name(address: str, shown: str) -> None:
    assert shown_address(read_address(address)) == shown
    assert shown_address(make_url(address)) == shown


def test_a_second_at_sign_is_refused_with_how_to_write_it() -> None:
    with pytest.raises(WarehouseError, match="write %40"):
        connect(f"postgresql://me:x@{PASSWORD}@127.0.0.1/books")


@pytest.mark.parametrize("address", [one for one in ADDRESSES if one.count("@") > 1])
def test_the_address_of_dagsters_own_database_is_not_quoted_either(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BILLCOM_DAGSTER_DATABASE_URL", address)
    with pytest.raises(WarehouseError, match="BILLCOM_DAGSTER_DATABASE_URL") as caught:
        EnvironmentStorage.from_config_value(None, {})
    assert PASSWORD not in describe_where(caught.value)


def test_an_open_warehouse_shows_no_password(migrated_file: Path) -> None:
    warehouse = open_warehouse(f"sqlite:///{migrated_file}?check_same_thread=false")
    assert "?" not in warehouse.description
    assert "check_same_thread" not in repr(warehouse)
    warehouse.close()


# Logs ----------------------------------------------------------------------------------------------------------------


def test_libraries_log_no_rows_whatever_the_level(payees: Warehouse, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with payees.read() as connection:
        assert connection.execute(text("SELECT name FROM payees WHERE name = :name"), {"name": ROW}).all()
    executed(payees, "INSERT INTO payees VALUES (2, :name)", name=ROW)
    for name in ("sqlalchemy.pool.impl.QueuePool.billcom", "psycopg", "urllib3.connection"):
        try:
            raise RuntimeError(ROW)
        except RuntimeError as error:
            logging.getLogger(name).warning("failed: %s", error, exc_info=True)
    assert "failed: RuntimeError" in caplog.text
    assert SSN not in "\n".join(f"{record.getMessage()} {record.exc_text}" for record in caplog.records)


# Every kind of exception ---------------------------------------------------------------------------------------------


def test_the_packages_have_the_kinds_that_are_looked_at() -> None:
    names = {kind.__name__ for kind in OURS}
    assert {"BillError", "QueryRefused", "WarehouseError", "Busy", "InvalidSetting", "Unreadable"} <= names
    assert any(issubclass(kind, UserFacingError) for kind in OURS)
    assert len(EVERY_KIND) > 300


NUMBERS = st.one_of(
    st.integers(0, 999_999_999).map(lambda n: f"{n // 10**6:03}-{n // 10**4 % 100:02}-{n % 10**4:04}"),
    st.integers(10**8, 10**17).map(str),
    st.just("DE89 3704 0044 0532 0130 00"),
)


@settings(max_examples=300)
@given(value=NUMBERS, kind=st.sampled_from(EVERY_KIND), cause=st.sampled_from(EVERY_KIND), template=st.sampled_from(
    ["{}", "DETAIL: Failing row contains (1, {})", "[parameters: ('{}',)]", "line 1: \"{}\"\nCONTEXT: COPY vendors"]
))  # fmt: skip
def test_no_kind_of_exception_shows_a_planted_value(
    value: str, kind: type[BaseException], cause: type[BaseException], template: str
) -> None:
    error = made(kind, template.format(value))
    error.__cause__ = made(cause, template.format(value))
    error.add_note(value)
    assert value not in describe(error)
    assert value not in describe_where(error)
    if isinstance(error, Exception):
        output = app.Output(as_json=True, debug=True)
        shown = CliRunner().invoke(_failing(error, output), [])
        assert value not in shown.output


def _failing(error: Exception, output: app.Output) -> Any:
    import click

    @click.command()
    def fail() -> None:
        app._fail(error, output)

    return fail
