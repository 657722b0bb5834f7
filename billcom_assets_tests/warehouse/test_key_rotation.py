"""A new key: all rows or none, and again after every interruption."""

from __future__ import annotations

import base64
import multiprocessing
import os
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from billcom_assets.bill.credentials import Environment
from billcom_assets.bill.session import StoredSession
from billcom_assets.warehouse import tables
from billcom_assets.warehouse.audit import Actor, How
from billcom_assets.warehouse.bill_access import SealedSessions
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.errors import WarehouseError
from billcom_assets.warehouse.integrations import CredentialSources, Integration, Integrations
from billcom_assets.warehouse.key_rotation import OLD_KEY_VARIABLE, rotate
from billcom_assets.warehouse.keys import find_seal
from billcom_assets.warehouse.sealing import KEY_VARIABLE, Seal
from billcom_assets_tests.warehouse import key_makers

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OLD, NEW = Seal(os.urandom(32)), Seal(os.urandom(32))
KEYS = tuple(f"company-{number}" for number in range(6))

ACTOR = Actor.of_process(How.COMMAND)


def variables(old: Seal = OLD, new: Seal = NEW) -> dict[str, str]:
    given = {OLD_KEY_VARIABLE: old, KEY_VARIABLE: new}
    return {name: base64.b64encode(seal.key).decode() for name, seal in given.items()}


def session(key: str) -> StoredSession:
    return StoredSession(f"session-{key}", "006user", f"008{key}", True, NOW, "print")


def connected(warehouse: Warehouse, seal: Seal) -> None:
    """Some integrations with credentials and sessions under ``seal``."""
    with warehouse.write() as connection:
        for key in KEYS:
            sources = CredentialSources(f"token-{key}", "pa55word", "env:DEV_KEY")
            made = Integration(key, key, f"008{key}", Environment.PRODUCTION, None, None, sources, None, None)
            Integrations(seal).save(connection, made, NOW)
    for key in KEYS:
        SealedSessions(warehouse, seal, key).save(session(key))


def opens(warehouse: Warehouse, seal: Seal) -> bool:
    """Everything is what it was, under ``seal``."""
    with warehouse.read() as connection:
        found = [Integrations(seal).get(connection, key).sources.username for key in KEYS]
    sessions = [SealedSessions(warehouse, seal, key).load() for key in KEYS]
    return found == [f"token-{key}" for key in KEYS] and sessions == [session(key) for key in KEYS]


def named_in(warehouse: Warehouse, seal: Seal) -> list[str]:
    """Tables in which any value names the key; the audit log does so for good, and holds nothing sealed."""
    with warehouse.read() as connection:
        return [
            table.name
            for table in tables.metadata.sorted_tables
            if table is not tables.audit_log
            and any(seal.key_id in str(value) for row in connection.execute(select(table)) for value in row)
        ]


def test_everything_sealed_is_sealed_with_the_new_key_and_nothing_with_the_old(warehouse: Warehouse) -> None:
    connected(warehouse, OLD)
    assert named_in(warehouse, OLD) == ["bill_sessions", "integrations"]

    rotation = rotate(warehouse, ACTOR, variables())

    assert (rotation.resealed, rotation.already, rotation.refused) == (12, 0, {})
    assert opens(warehouse, NEW)
    assert named_in(warehouse, OLD) == []


def test_a_second_run_leaves_alone_what_the_first_one_did(warehouse: Warehouse) -> None:
    connected(warehouse, OLD)
    rotate(warehouse, ACTOR, variables())
    with warehouse.read() as connection:
        before = list(connection.scalars(select(tables.integrations.c.credentials)))

    rotation = rotate(warehouse, ACTOR, variables())

    assert (rotation.resealed, rotation.already) == (0, 12)
    with warehouse.read() as connection:
        assert list(connection.scalars(select(tables.integrations.c.credentials))) == before


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_beside_sqlite_a_new_key_file_takes_the_place_of_the_old_one(warehouse: Warehouse) -> None:
    url = warehouse.engine.url
    before = find_seal(url, {})
    connected(warehouse, before)

    rotation = rotate(warehouse, ACTOR, {})

    after = find_seal(url, {}, make=False)
    assert (rotation.resealed, rotation.key_id) == (12, after.key_id)
    assert after != before
    assert opens(warehouse, after)
    (file,) = Path(str(url.database)).parent.glob("*.key*")
    assert (file.name, stat.S_IMODE(file.stat().st_mode)) == ("billcom.key", 0o600)


@dataclass
class Killed:
    """A change of keys that kill -9 ended."""

    warehouse: Warehouse
    variables: dict[str, str]

    def until(self, moment: str, database_url: str) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["billcom_assets_tests.warehouse.key_makers"])
        arguments = (database_url, self.variables, moment)
        victim = context.Process(target=key_makers.rotate_and_die, args=arguments)
        victim.start()
        victim.join(60)
        assert victim.exitcode == -9

    def finish(self) -> Seal:
        """What a user does next: the same again."""
        rotation = rotate(self.warehouse, ACTOR, self.variables)
        assert rotation.refused == {}
        assert rotation.resealed + rotation.already == 12
        return NEW if self.variables else find_seal(self.warehouse.engine.url, {}, make=False)


def under(warehouse: Warehouse) -> set[str]:
    """Ids of the keys that credentials are sealed with."""
    with warehouse.read() as connection:
        return {sealed.split(".")[1] for sealed in connection.scalars(select(tables.integrations.c.credentials))}


ROWS = ("before the first row", "in the middle of the rows", "before the commit", "after the commit")


@pytest.mark.parametrize("moment", ROWS)
def test_a_change_of_keys_killed_anywhere_changed_all_rows_or_none_and_is_finished_by_the_next_one(
    warehouse: Warehouse, database_url: str, moment: str
) -> None:
    connected(warehouse, OLD)
    killed = Killed(warehouse, variables())

    killed.until(moment, database_url)

    assert under(warehouse) == {NEW.key_id if moment == "after the commit" else OLD.key_id}
    assert opens(warehouse, killed.finish())
    assert named_in(warehouse, OLD) == []


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize("moment", key_makers.MOMENTS)
def test_with_key_files_no_moment_of_death_loses_a_key(warehouse: Warehouse, database_url: str, moment: str) -> None:
    old = find_seal(warehouse.engine.url, {})
    connected(warehouse, old)
    killed = Killed(warehouse, {})

    killed.until(moment, database_url)
    killed.until(moment, database_url)

    assert len(under(warehouse)) == 1
    new = killed.finish()
    assert new != old
    assert opens(warehouse, new)
    assert [file.name for file in Path(database_url.removeprefix("sqlite:///")).parent.glob("billcom.key*")] == [
        "billcom.key"
    ]


def test_no_session_saved_meanwhile_is_left_under_the_old_key(warehouse: Warehouse) -> None:
    connected(warehouse, OLD)
    going, saved = threading.Event(), threading.Semaphore(0)
    going.set()

    def use(key: str) -> None:
        while going.is_set():
            SealedSessions(warehouse, OLD, key).save(session(key))
            saved.release()

    users = [threading.Thread(target=use, args=(key,)) for key in KEYS[:3]]
    for user in users:
        user.start()
    for _ in range(6):
        saved.acquire()
    rotate(warehouse, ACTOR, variables())
    for _ in range(6):
        saved.acquire()
    going.clear()
    for user in users:
        user.join(60)

    assert named_in(warehouse, OLD) == []
    assert opens(warehouse, NEW)


@pytest.mark.parametrize(
    "damage",
    [lambda _sealed: "", lambda sealed: sealed[:50], lambda sealed: sealed.rpartition(".")[2]],
    ids=["empty", "cut", "earlier version"],
)
def test_credentials_that_do_not_open_are_named_and_left_and_the_others_change(
    warehouse: Warehouse, damage: Callable[[str], str]
) -> None:
    connected(warehouse, OLD)
    t = tables.integrations
    with warehouse.write() as connection:
        sealed = connection.scalar(select(t.c.credentials).where(t.c.key == "company-2"))
        damaged = damage(str(sealed))
        connection.execute(t.update().where(t.c.key == "company-2").values(credentials=damaged))

    rotation = rotate(warehouse, ACTOR, variables())

    assert (rotation.resealed, [*rotation.refused]) == (11, ["company-2"])
    assert "billcom connect company-2" in rotation.refused["company-2"]
    with warehouse.read() as connection:
        assert connection.scalar(select(t.c.credentials).where(t.c.key == "company-2")) == damaged
        assert Integrations(NEW).get(connection, "company-3").sources.username == "token-company-3"


def test_a_session_that_does_not_open_is_dropped_because_the_next_run_signs_in(warehouse: Warehouse) -> None:
    connected(warehouse, OLD)
    t = tables.bill_sessions
    with warehouse.write() as connection:
        connection.execute(t.update().where(t.c.integration == "company-2").values(session="damaged"))

    rotation = rotate(warehouse, ACTOR, variables())

    assert (rotation.resealed, rotation.dropped_sessions, rotation.refused) == (11, 1, {})
    assert SealedSessions(warehouse, NEW, "company-2").load() is None


def test_values_under_a_third_key_are_named_as_such(warehouse: Warehouse) -> None:
    connected(warehouse, Seal(os.urandom(32)))
    rotation = rotate(warehouse, ACTOR, variables())
    assert [*rotation.refused] == list(KEYS)
    assert all("sealed with another key" in reason for reason in rotation.refused.values())


@pytest.mark.parametrize(
    ("left", "told"),
    [
        ({KEY_VARIABLE}, f"{OLD_KEY_VARIABLE} is not set.*billcom keys make"),
        ({KEY_VARIABLE, OLD_KEY_VARIABLE}, "are the same key"),
    ],
    ids=["no old key", "the same key"],
)
def test_without_two_keys_it_says_what_to_set(warehouse: Warehouse, left: set[str], told: str) -> None:
    connected(warehouse, OLD)
    given = {name: value for name, value in variables(new=OLD).items() if name in left}
    with pytest.raises(WarehouseError, match=told):
        rotate(warehouse, ACTOR, given)
    assert opens(warehouse, OLD)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_without_a_key_file_none_is_made(warehouse: Warehouse) -> None:
    folder = Path(str(warehouse.engine.url.database)).parent
    with pytest.raises(WarehouseError, match="is missing"):
        rotate(warehouse, ACTOR, {})
    assert list(folder.glob("*.key*")) == []


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_the_way_from_a_key_file_to_the_environment_and_back(warehouse: Warehouse) -> None:
    in_file = find_seal(warehouse.engine.url, {})
    connected(warehouse, in_file)
    with pytest.raises(WarehouseError, match=rf"Set {OLD_KEY_VARIABLE} to the content of .*billcom\.key"):
        rotate(warehouse, ACTOR, {KEY_VARIABLE: variables()[KEY_VARIABLE]})

    assert rotate(warehouse, ACTOR, variables(in_file, NEW)).key_id == NEW.key_id
    assert opens(warehouse, NEW)
    assert rotate(warehouse, ACTOR, {OLD_KEY_VARIABLE: variables(NEW)[OLD_KEY_VARIABLE]}).key_id == in_file.key_id
    assert opens(warehouse, in_file)
