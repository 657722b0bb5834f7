"""An upgrade takes nothing from those who read the database, keeps nobody waiting for long, and can be killed."""

from __future__ import annotations

import multiprocessing
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from billcom_assets.entities.catalog import CATALOG, Catalog
from billcom_assets.entities.model import Entity
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets.warehouse import aging, migrate
from billcom_assets.warehouse.engine import Warehouse, open_warehouse
from billcom_assets.warehouse.errors import Busy, WarehouseError
from billcom_assets.warehouse.waits import VARIABLE, Waits
from billcom_assets_tests.sync import victim
from billcom_assets_tests.sync.company import INTEGRATION, Company, let_business_happen
from billcom_assets_tests.sync.truth import differences, truth_of

COPIES = 20
postgresql_only = pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)


def younger(entity: Entity) -> Entity:
    """The entity as an earlier version declared it: bills without a column, and without lines."""
    if entity.name != "bills":
        return entity
    return replace(entity, columns=tuple(one for one in entity.columns if one.name != "invoice_number"), children=())


OLD = Catalog(tuple(replace(younger(entity), touches=(), settled=(), opening=None) for entity in CATALOG))


@pytest.fixture(scope="module")
def company() -> Iterator[Company]:
    with SandboxServer(Settings(bills=150, orgs=1)) as server:
        yield Company(server)


@pytest.fixture
def old_url(company: Company, bare_database_url: str) -> str:
    """A database that an earlier version has filled."""
    old = open_warehouse(bare_database_url, entities=tuple(OLD))
    company.sync(old, catalog=OLD)
    old.close()
    return bare_database_url


@contextmanager
def session(url: str, name: str = "somebody") -> Iterator[Connection]:
    """A connection of somebody else's program."""
    parsed = make_url(url)
    options: dict[str, Any] = {}
    if parsed.get_backend_name() == "postgresql":
        parsed, options = parsed.set(drivername="postgresql+psycopg"), {"application_name": name}
    engine = create_engine(parsed, poolclass=NullPool, connect_args=options)
    with engine.connect() as connection:
        yield connection


def run(url: str, *statements: str) -> None:
    with session(url) as connection, connection.begin():
        for statement in statements:
            connection.execute(text(statement))


def place(url: str, name: str) -> str:
    return f"billcom.{name}" if url.startswith("postgresql") else name


def rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    with session(url) as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def columns(url: str, relation: str) -> list[str]:
    with session(url) as connection:
        return list(connection.execute(text(f"SELECT * FROM {place(url, relation)}")).keys())


def copy_bills(url: str, copies: int = COPIES) -> None:
    """Many more bills, of integrations that no sync knows."""
    old = open_warehouse(url, entities=tuple(OLD))
    names = ", ".join(column.name for column in old.mirror.table("bills").columns if column.name != "integration")
    old.close()
    bills = place(url, "bills")
    run(
        url,
        *(
            f"INSERT INTO {bills} (integration, {names}) SELECT 'copy-{number:02}', {names} FROM {bills} "
            f"WHERE integration = '{INTEGRATION}'"
            for number in range(copies)
        ),
    )


def assert_filled(url: str, company: Company) -> None:
    """Every bill has what BILL has, the copies included."""
    warehouse = open_warehouse(url)
    assert warehouse.notices == ()
    assert differences(warehouse, INTEGRATION, truth_of(company.organization)) == []
    warehouse.close()
    bills, lines = place(url, "bills"), place(url, "bill_line_items")
    numbers = {row[1:] for row in rows(url, f"SELECT integration, id, invoice_number FROM {bills}")}
    assert len(numbers) == len({number[0] for number in numbers})
    counted = rows(url, f"SELECT integration, count(*), min(amount), max(amount) FROM {lines} GROUP BY integration")
    assert len({row[1:] for row in counted}) == 1
    assert len(counted) == len(rows(url, f"SELECT DISTINCT integration FROM {bills}"))


LEDGER_FACTS = {
    "integrations": ("home_currency",),
    "ledger_accounts": ("source_id", "currency", "postable", "control", "required_dimensions"),
    "ledger_vendors": ("source_id", "number", "terms", "on_hold", "default_account_id", "eligible_1099", "box_1099"),
    "ledger_customers": ("source_id", "number", "terms", "on_hold", "default_account_id"),
    "ledger_items": ("source_id", "number", "income_account_id"),
    "ledger_dimensions": ("source_id", "number"),
}
"""Columns that revision 0008 has added."""


def without_ledger_facts(url: str) -> list[str]:
    """Statements that take back what revision 0008 has done."""
    # The views of analysts read them.
    cascade = " CASCADE" if url.startswith("postgresql") else ""
    return [
        *(
            f"ALTER TABLE {place(url, table)} DROP COLUMN {name}{cascade}"
            for table, names in LEDGER_FACTS.items()
            for name in names
        ),
        f"ALTER TABLE {place(url, 'ledger_items')} RENAME COLUMN expense_account_id TO account_id",
        f"DROP TABLE {place(url, 'mapping_suggestions')}",
    ]


BOOKS = (
    *("posting_policies", "ledger_documents", "ledger_entries", "ledger_lines", "ledger_applications"),
    *("opening_documents", "opening_applications", "posting_state"),
)
"""Tables that revision 0011 has added."""
VIEWS_OF_BOOKS = (
    *("journal", "trial_balance", "held_documents"),
    *(f"{aging}{suffix}" for aging in ("ap_aging", "ar_aging") for suffix in ("", "_documents", "_lines")),
)
"""Views that read them; which of the agings there are depends on the mirror."""


def without_books(url: str) -> list[str]:
    """Statements that take back what revision 0011 has done."""
    functions = ("ledger_entries", "ledger_lines") if url.startswith("postgresql") else ()
    return [
        *(f"DROP VIEW IF EXISTS {place(url, view)}" for view in VIEWS_OF_BOOKS),
        *(f"DROP TABLE {place(url, table)}" for table in BOOKS),
        *(f"DROP FUNCTION billcom.refuse_change_of_{table}()" for table in functions),
    ]


ALIGNMENT = ("alignment", "source_of_truth", "second_approver", "other_accounting_system")
"""Columns of ``integrations`` that revision 0012 has added."""


def without_alignment(url: str) -> list[str]:
    """Statements that take back what revision 0012 has done."""
    return [
        *(f"DROP TABLE {place(url, table)}" for table in ("alignment_plans", "alignment_changes")),
        *(f"ALTER TABLE {place(url, 'integrations')} DROP COLUMN {name}" for name in ALIGNMENT),
    ]


def test_a_database_of_a_version_that_noted_nothing_is_upgraded(old_url: str, company: Company) -> None:
    version = place(old_url, "alembic_version")
    integrations = place(old_url, "integrations")
    later = [*without_alignment(old_url), *without_books(old_url)]
    later += [f"ALTER TABLE {integrations} DROP COLUMN {name}" for name in ("sign_in_failures", "sign_in_not_before")]
    later += [
        f"ALTER TABLE {integrations} DROP COLUMN {name}" for name in ("owner", "excluded_entities", "api", "documents")
    ]
    later += [f"DROP TABLE {place(old_url, name)}" for name in ("documents", "document_reads")]
    state = place(old_url, "sync_state")
    later += [f"ALTER TABLE {state} DROP COLUMN {name}" for name in ("probed_at", "reread_at")]
    later += without_ledger_facts(old_url)
    later.append(f"ALTER TABLE {place(old_url, 'sync_state')} DROP COLUMN checked_at")
    later += [f"DROP TABLE {place(old_url, name)}" for name in ("mirror_parts", "quality_findings")]
    rereads = place(old_url, "sync_rereads")
    if old_url.startswith("postgresql"):
        later.append(f"ALTER TABLE {rereads} RENAME CONSTRAINT pk_sync_rereads TO pk_sync_second_looks")
    later.append(f"ALTER TABLE {rereads} RENAME TO sync_second_looks")
    later.append(f"ALTER TABLE {place(old_url, 'sync_state')} RENAME COLUMN reread_after TO second_look_after")
    run(old_url, *later, f"UPDATE {version} SET version_num = '0003'")
    assert_upgraded(old_url, company)


# Views ---------------------------------------------------------------------------------------------------------------


def change_buckets(monkeypatch: pytest.MonkeyPatch, buckets: Any) -> None:
    """Views of another version; a process has those of one only, and keeps them."""
    monkeypatch.setattr(aging, "BUCKETS", buckets)
    monkeypatch.setattr(migrate, "_wanted", migrate._wanted.__wrapped__)


def test_an_upgrade_that_changes_no_view_leaves_the_views_of_others_alone(old_url: str) -> None:
    run(old_url, f"CREATE VIEW overdue AS SELECT customer_id, days_over_90 FROM {place(old_url, 'ar_aging')}")
    before = rows(old_url, "SELECT * FROM overdue ORDER BY customer_id")
    new = open_warehouse(old_url)
    assert new.notices == ()
    new.close()
    assert rows(old_url, "SELECT * FROM overdue ORDER BY customer_id") == before


@postgresql_only
def test_opening_an_up_to_date_database_changes_nothing(database_url: str) -> None:
    versions = "SELECT oid, xmin::text, relname FROM pg_class WHERE relnamespace = 'billcom'::regnamespace ORDER BY 1"
    noted = "SELECT xmin::text, * FROM billcom.mirror_parts ORDER BY kind, name"
    before = rows(database_url, versions), rows(database_url, noted)
    open_warehouse(database_url).close()
    assert (rows(database_url, versions), rows(database_url, noted)) == before


def test_a_view_of_others_keeps_the_old_definition_in_place_until_it_is_gone(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(database_url, f"CREATE VIEW mine AS SELECT vendor_id, days_over_90 FROM {place(database_url, 'ap_aging')}")
    change_buckets(monkeypatch, aging.BUCKETS[:-1])
    for _ in range(2):
        waiting = open_warehouse(database_url)
        (notice,) = waiting.notices
        assert "ap_aging" in notice
        assert "mine" in notice
        waiting.close()
        assert rows(database_url, "SELECT * FROM mine") == []
        assert "days_over_90" in columns(database_url, "ap_aging")
        assert "days_over_90" not in columns(database_url, "ar_aging")
    run(database_url, "DROP VIEW mine")
    done = open_warehouse(database_url)
    assert done.notices == ()
    done.close()
    assert "days_over_90" not in columns(database_url, "ap_aging")


@pytest.fixture
def analyst(database_url: str) -> Iterator[str]:
    """A role that may read."""
    name = f"analyst-{uuid.uuid4().hex[:8]}"
    run(database_url, f'CREATE ROLE "{name}"', f'GRANT USAGE ON SCHEMA billcom TO "{name}"')
    yield name
    run(database_url, f'DROP OWNED BY "{name}"', f'DROP ROLE "{name}"')


GRANTS = """
    SELECT g.grantee::regrole::text, g.privilege_type, g.is_grantable
    FROM pg_class c, aclexplode(c.relacl) g WHERE c.oid = 'billcom.ap_aging'::regclass
    UNION ALL
    SELECT a.attname, g.privilege_type, g.is_grantable
    FROM pg_attribute a, aclexplode(a.attacl) g WHERE a.attrelid = 'billcom.ap_aging'::regclass
    ORDER BY 1, 2
"""


@postgresql_only
@pytest.mark.parametrize("change", [lambda all: all[:-1], lambda all: (*all, ("never", lambda days: days < -9999))])
def test_grants_survive_a_changed_view(
    database_url: str, analyst: str, monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], Any]
) -> None:
    run(
        database_url,
        f'GRANT SELECT ON billcom.ap_aging TO "{analyst}" WITH GRANT OPTION',
        f'GRANT UPDATE (currency) ON billcom.ap_aging TO "{analyst}"',
        "COMMENT ON VIEW billcom.ap_aging IS 'Read on Mondays, 100 %'",
        "ALTER VIEW billcom.ap_aging SET (security_barrier = true)",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA billcom GRANT DELETE ON TABLES TO PUBLIC",
    )
    kept = "SELECT obj_description(oid), reloptions FROM pg_class WHERE oid = 'billcom.ap_aging'::regclass"
    before = rows(database_url, GRANTS), rows(database_url, kept)
    change_buckets(monkeypatch, change(aging.BUCKETS))
    new = open_warehouse(database_url)
    assert new.notices == ()
    new.close()
    assert ("never" in columns(database_url, "ap_aging")) != ("days_over_90" not in columns(database_url, "ap_aging"))
    assert (rows(database_url, GRANTS), rows(database_url, kept)) == before


# Locks ---------------------------------------------------------------------------------------------------------------


@postgresql_only
def test_readers_do_not_wait_behind_an_upgrade_that_waits_for_a_reader(old_url: str) -> None:
    upgraded: list[Warehouse] = []
    worker = threading.Thread(target=lambda: upgraded.append(open_warehouse(old_url, waits=Waits(lock_seconds=4))))
    with session(old_url) as idle, session(old_url) as reader:
        idle.execute(text("SELECT count(*) FROM billcom.bills"))
        worker.start()
        longest, until = 0.0, time.monotonic() + 3
        while time.monotonic() < until:
            began = time.monotonic()
            reader.execute(text("SELECT count(*) FROM billcom.bills"))
            reader.rollback()
            longest = max(longest, time.monotonic() - began)
        assert worker.is_alive()
        assert "invoice_number" not in columns(old_url, "bills")
    worker.join(30)
    (warehouse,) = upgraded
    warehouse.close()
    assert longest < 2
    assert "invoice_number" in columns(old_url, "bills")


@postgresql_only
def test_an_upgrade_that_a_reader_never_lets_through_is_refused_in_words(old_url: str, company: Company) -> None:
    with session(old_url, "spreadsheet") as idle:
        pid = idle.scalar(text("SELECT pg_backend_pid() FROM billcom.bills LIMIT 1"))
        with pytest.raises(Busy) as caught:
            open_warehouse(old_url, waits=Waits(lock_seconds=0.2))
    for words in ("billcom.bills", f"session {pid}", "spreadsheet", "idle in transaction", "since 20", "Let that"):
        assert words in str(caught.value)
    assert "SELECT pg_backend_pid() FROM" not in str(caught.value)
    assert_upgraded(old_url, company)


def assert_upgraded(url: str, company: Company) -> None:
    warehouse = open_warehouse(url)
    assert warehouse.notices == ()
    assert differences(warehouse, INTEGRATION, truth_of(company.organization)) == []
    warehouse.close()


@postgresql_only
def test_a_reader_of_a_view_makes_only_its_new_definition_wait(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_buckets(monkeypatch, aging.BUCKETS[:-1])
    with session(database_url, "spreadsheet") as idle:
        idle.execute(text("SELECT * FROM billcom.ap_aging"))
        waiting = open_warehouse(database_url, waits=Waits(lock_seconds=0.5))
        (notice,) = waiting.notices
        assert "spreadsheet" in notice
        assert "next time" in notice
        waiting.close()
    done = open_warehouse(database_url)
    assert done.notices == ()
    done.close()


def test_a_table_that_somebody_has_locked_ends_a_write_in_words(database_url: str) -> None:
    is_postgresql = database_url.startswith("postgresql")
    warehouse = open_warehouse(database_url, waits=Waits(lock_seconds=0.2))
    with session(database_url, "backup") as other:
        other.execute(text("LOCK TABLE billcom.bills" if is_postgresql else "BEGIN IMMEDIATE"))
        began = time.monotonic()
        with pytest.raises(Busy) as caught, warehouse.write() as connection:
            connection.execute(warehouse.mirror.table("bills").delete())
        assert time.monotonic() - began < 10
    said = str(caught.value)
    assert ("billcom.bills" if is_postgresql else "billcom.db") in said
    assert ("backup" if is_postgresql else "locked") in said
    with warehouse.write() as connection:
        connection.execute(warehouse.mirror.table("bills").delete())
    warehouse.close()


@postgresql_only
def test_a_row_that_somebody_has_locked_ends_a_write_in_words(old_url: str) -> None:
    warehouse = open_warehouse(old_url, waits=Waits(lock_seconds=0.2))
    with session(old_url, "correction") as other:
        other.execute(text("UPDATE billcom.bills SET archived = archived"))
        said = r"billcom\.bills by session \d+, user \w+, correction"
        with pytest.raises(Busy, match=said), warehouse.write() as connection:
            connection.execute(warehouse.mirror.table("bills").delete())
    warehouse.close()


def test_the_wait_for_locks_is_set_by_an_environment_variable() -> None:
    assert Waits.from_environment({}) == Waits(lock_seconds=10)
    assert Waits.from_environment({VARIABLE: " 2.5 "}) == Waits(lock_seconds=2.5)
    for wrong in ("soon", "0", "-1", "nan", "inf"):
        with pytest.raises(WarehouseError, match=VARIABLE):
            Waits.from_environment({VARIABLE: wrong})


# Filling -------------------------------------------------------------------------------------------------------------

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["billcom_assets_tests.sync.victim"])


def upgrading(url: str) -> Any:
    """A process that opens the database."""
    started = _CONTEXT.Event()
    process = _CONTEXT.Process(target=victim.migrate, args=(url, None, started), daemon=True)
    process.start()
    assert started.wait(30)
    return process


def half_filled(url: str) -> tuple[Any, Any]:
    """A process that opens the database and waits after the first batch of rows, and the event that lets it go on."""
    started, half, go = _CONTEXT.Event(), _CONTEXT.Event(), _CONTEXT.Event()
    process = _CONTEXT.Process(target=victim.migrate, args=(url, None, started, half, go), daemon=True)
    process.start()
    assert half.wait(60)
    return process, go


def test_a_fill_that_was_killed_is_completed_by_the_next_opening(old_url: str, company: Company) -> None:
    copy_bills(old_url)
    process, _ = half_filled(old_url)
    process.kill()
    process.join(10)
    assert process.exitcode == -9
    empty = f"SELECT 1 FROM {place(old_url, 'bills')} WHERE invoice_number IS NULL LIMIT 1"
    assert rows(old_url, empty), "nothing was left to fill"
    assert_upgraded(old_url, company)
    assert_filled(old_url, company)


def test_two_processes_upgrade_at_once(old_url: str, company: Company) -> None:
    copy_bills(old_url, 6)
    processes = [upgrading(old_url) for _ in range(2)]
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert_filled(old_url, company)


def test_others_open_and_sync_while_rows_are_filled(old_url: str) -> None:
    with SandboxServer(Settings(bills=150, orgs=1)) as server:
        company = Company(server)
        copy_bills(old_url)
        let_business_happen(company, 60, seed=5)
        process, go = half_filled(old_url)
        warehouse = open_warehouse(old_url)
        go.set()
        company.sync(warehouse)
        warehouse.close()
        process.join(120)
        assert process.exitcode == 0
        again = open_warehouse(old_url)
        assert again.notices == ()
        assert differences(again, INTEGRATION, truth_of(company.organization)) == []
        again.close()


@postgresql_only
def test_a_fill_never_overwrites_what_was_written_meanwhile(old_url: str) -> None:
    one = rows(old_url, "SELECT min(id) FROM billcom.bills")[0][0]
    run(old_url, "ALTER TABLE billcom.bills ADD COLUMN invoice_number text")
    worker = threading.Thread(target=lambda: open_warehouse(old_url).close())
    with session(old_url) as pull:
        change = "UPDATE billcom.bills SET payload_digest = 'newer', invoice_number = 'newer' WHERE id = :id"
        pull.execute(text(change), {"id": one})
        worker.start()
        others = "SELECT count(*) FROM billcom.bills WHERE invoice_number IS NULL"
        deadline = time.monotonic() + 20
        while rows(old_url, others) != [(1,)] and time.monotonic() < deadline:
            time.sleep(0.05)
        assert rows(old_url, others) == [(1,)]
        pull.commit()
    worker.join(30)
    assert rows(old_url, f"SELECT invoice_number FROM billcom.bills WHERE id = '{one}'") == [("newer",)]


@postgresql_only
def test_an_index_on_a_table_in_use_is_made_and_one_that_a_kill_left_invalid_is_made_again(database_url: str) -> None:
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('billcom.ix_bills_vendor_id')"
    run(
        database_url,
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'billcom.ix_bills_vendor_id'::regclass",
        "INSERT INTO billcom.mirror_parts VALUES ('index', 'ix_bills_vendor_id', '', false, NULL, NULL, now())",
    )
    assert rows(database_url, valid) == [(False,)]
    open_warehouse(database_url).close()
    assert rows(database_url, valid) == [(True,)]
    assert rows(database_url, "SELECT * FROM billcom.mirror_parts WHERE kind = 'index'") == []


def test_a_column_that_becomes_a_reference_gets_its_index(bare_database_url: str) -> None:
    def without(entity: Entity) -> Entity:
        unreferenced = (replace(one, references=None) for one in entity.columns)
        return replace(entity, columns=tuple(unreferenced)) if entity.name == "bills" else entity

    open_warehouse(bare_database_url, entities=tuple(map(without, CATALOG))).close()
    present = (
        "SELECT count(*) FROM pg_indexes WHERE indexname = 'ix_bills_vendor_id'"
        if bare_database_url.startswith("postgresql")
        else "SELECT count(*) FROM sqlite_master WHERE name = 'ix_bills_vendor_id'"
    )
    assert rows(bare_database_url, present) == [(0,)]
    open_warehouse(bare_database_url).close()
    assert rows(bare_database_url, present) == [(1,)]


def test_a_value_that_the_database_does_not_take_leaves_one_row_and_fills_the_others(old_url: str) -> None:
    bills = place(old_url, "bills")
    if old_url.startswith("sqlite"):
        refuse = (
            f"CREATE TRIGGER strict BEFORE UPDATE ON {bills} WHEN new.id = '%s' BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    else:
        refuse = f"ALTER TABLE {bills} ADD CONSTRAINT strict CHECK (id <> '%s') NOT VALID"
    (one,) = rows(old_url, f"SELECT min(id) FROM {bills}")
    run(old_url, refuse % one)
    warehouse = open_warehouse(old_url)
    (notice,) = warehouse.notices
    assert one[0] in notice
    warehouse.close()
    assert rows(old_url, f"SELECT count(*) FROM {bills} WHERE invoice_number IS NULL") == [(1,)]


def test_columns_that_the_catalog_no_longer_has_stay_with_their_data_and_are_told_once(
    company: Company, bare_database_url: str
) -> None:
    new = open_warehouse(bare_database_url)
    company.sync(new, only=["vendors", "bills"])
    new.close()
    query = f"SELECT id, invoice_number FROM {place(bare_database_url, 'bills')} ORDER BY id"
    numbers = rows(bare_database_url, query)
    told = []
    for _ in range(2):
        old = open_warehouse(bare_database_url, entities=tuple(OLD))
        told += old.notices
        old.close()
    column, tables, their_views = told
    assert ("invoice_number" in column, "bill_line_items" in tables, "ap_aging" in their_views) == (True, True, True)
    assert "DROP COLUMN invoice_number" in column
    assert rows(bare_database_url, query) == numbers
