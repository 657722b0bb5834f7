"""A company's whole life, refusals and failures included, full of secrets and personal data; every trace is read."""

from __future__ import annotations

import logging
import os
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import make_url

from billcom_assets.cli.demo_ledger import write_ledger
from billcom_assets.environment import open_database
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets_tests import planted
from billcom_assets_tests.cli.commands import Answered, billcom_command
from billcom_assets_tests.planted import Piece

SECRET_KEY = "c2stNzdRcFdtM3ZSejBYazlMdDJCbjVIajhHZjRUczY="
ESCAPED = quote(planted.DATABASE_PASSWORD, safe="")
WRONG = (
    f"postgresql://books:{ESCAPED}@127.0.0.1:1/books",
    f"postgresql://books:{planted.DATABASE_PASSWORD}@127.0.0.1:1/books",
    f"postgresql://books@127.0.0.1:1/books?password={ESCAPED}&sslpassword={ESCAPED}",
    f"postgresq://books:{ESCAPED}@127.0.0.1:1/books",
)
"""Addresses that nobody serves: with a password where it belongs, not escaped, elsewhere, and of no known database."""


@dataclass
class Life:
    """What a company's people did, and where the traces are."""

    folder: Path
    umask: int
    server: SandboxServer
    database: str | None = None
    dagsters: str | None = None
    """PostgreSQL databases; files of the home folder when None."""
    answers: dict[str, Answered] = field(default_factory=dict)
    logged: list[str] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    mirror: set[str] = field(default_factory=set)

    def step(self, name: str, *arguments: str, stdin: str = "") -> Answered:
        """Runs a command as a process of its own would: with the shell's umask."""
        os.umask(self.umask)
        self.answers[name] = billcom_command(*arguments, stdin=stdin)
        return self.answers[name]

    def pieces(self) -> Iterator[Piece]:
        """Everything that was stored, printed or logged."""
        for name, answered in self.answers.items():
            yield Piece(f"standard output of {name}", answered.out.encode())
            yield Piece(f"standard error of {name}", answered.err.encode())
        yield from (Piece("the log", line.encode()) for line in self.logged)
        yield from planted.pieces_of_folder(self.folder, self.mirror)
        for url in filter(None, (self.database, self.dagsters)):
            yield from planted.pieces_of_postgresql(url, self.mirror)

    def secrets(self) -> dict[str, set[bytes]]:
        known = {
            "the password": planted.PASSWORD,
            "the wrong password": planted.WRONG_PASSWORD,
            "the password of the environment": planted.ENVIRONMENT_PASSWORD,
            "the developer key": planted.DEV_KEY,
            "the database's password": planted.DATABASE_PASSWORD,
            "the secret key": self.secret_key(),
        }
        sessions = {f"session {number}": one for number, one in enumerate(self.sessions, 1)}
        return {name: planted.forms(value) for name, value in (known | sessions).items()}

    def secret_key(self) -> str:
        return SECRET_KEY if self.database else (self.folder / "home" / "billcom.key").read_text().strip()


class _Logged(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.NOTSET)
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))
        self.lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@contextmanager
def _log_kept(lines: list[str]) -> Iterator[None]:
    handler = _Logged(lines)
    logging.getLogger().addHandler(handler)
    yield
    logging.getLogger().removeHandler(handler)


@contextmanager
def _umask_kept() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


@contextmanager
def _echoing_bill() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), planted.Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/connect"
        server.shutdown()


@pytest.fixture(scope="module", params=[("sqlite", 0o000), ("postgresql", 0o022)], ids=["sqlite", "postgresql"])
def life(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    dialect, umask = request.param
    postgres = request.getfixturevalue("postgres") if dialect == "postgresql" else None
    folder = tmp_path_factory.mktemp(f"life-{dialect}")
    settings = Settings(bills=20, orgs=1, dev_keys=(planted.DEV_KEY,))
    with SandboxServer(settings) as server, pytest.MonkeyPatch.context() as patch, _umask_kept():
        life = Life(folder, umask, server)
        for name in ("home", "work", "temporary"):
            (folder / name).mkdir(0o700)
        patch.chdir(folder / "work")
        patch.setattr(tempfile, "tempdir", str(folder / "temporary"))
        patch.setenv("TMPDIR", str(folder / "temporary"))
        patch.setenv("DAGSTER_HOME", str(folder / "home"))
        patch.setenv("THE_PASSWORD", planted.ENVIRONMENT_PASSWORD)
        for variable in ("BILLCOM_DATABASE_URL", "BILLCOM_DAGSTER_DATABASE_URL", "BILLCOM_SECRET_KEY"):
            patch.delenv(variable, raising=False)
        if postgres is not None:
            life.database, life.dagsters = postgres.create(template=None), postgres.create(template=None)
            for variable, url in (
                ("BILLCOM_DATABASE_URL", life.database),
                ("BILLCOM_DAGSTER_DATABASE_URL", life.dagsters),
            ):
                known = make_url(url).set(password=planted.DATABASE_PASSWORD)
                patch.setenv(variable, known.render_as_string(hide_password=False))
            patch.setenv("BILLCOM_SECRET_KEY", SECRET_KEY)
        with _log_kept(life.logged):
            _live(life, tmp_path_factory.mktemp("files"), patch)
        yield life
    if postgres is not None:
        for url in (life.database, life.dagsters):
            postgres.drop(str(url))


def _live(life: Life, files: Path, patch: pytest.MonkeyPatch) -> None:
    organization = life.server.world.organization()
    ledger = write_ledger(organization, files)
    planted.plant(organization)
    _keep_sessions(life, patch)
    _connect(life)
    life.step("seed", "seed", "acme")
    life.step("early sync", "sync", "acme", "--only", "bills", "--json")
    words = [word for kind, path in ledger.items() for word in (f"--{kind}", path)]
    life.step("ledger", "ledger", "import", "acme", *words)
    life.step("suggest", "mappings", "suggest", "acme", "--accept", "exact")
    with _refusing_customers():
        life.step("sync that the database refuses", "sync", "acme", "--only", "customers", "--debug")
    life.step("sync", "sync", "acme")
    for number, arguments in enumerate(
        (
            ("status",),
            ("status", "acme"),
            ("mappings", "show", "acme", "--all"),
            ("mappings", "export", "acme", "--output", "mappings.csv"),
            ("ledger", "export", "acme", "--chart-of-accounts", "--output", "chart.csv"),
            ("validate", "acme"),
        )
    ):
        life.step(" ".join(arguments), *arguments)
        if number < 3:
            life.step(f"{' '.join(arguments)} as json", *arguments, "--json")
    life.mirror = _mirror_tables()
    with patch.context() as elsewhere:
        for number, url in enumerate(WRONG):
            elsewhere.setenv("BILLCOM_DATABASE_URL", url)
            life.step(f"status of a wrong database {number}", "status", "--debug")


def _connect(life: Life) -> None:
    organization = life.server.world.organization()
    common = ("connect", "acme", "--company", "Acme", "--organization-id", organization.id, "--username")
    name = organization.token.username
    to_bill = (name, "--base-url", life.server.base_url, "--v2-base-url", life.server.v2_base_url)
    life.step("wrong password", *common, *to_bill, "--password", planted.WRONG_PASSWORD, "--dev-key", planted.DEV_KEY)
    life.step("misspelled", "connect", "acme", planted.PASSWORD, "--passwort", planted.PASSWORD, "--debug")
    with _echoing_bill() as url:
        for form in ((), ("--json",), ("--debug",)):
            to_echo = (name, "--base-url", url, "--password", "env:THE_PASSWORD", "--dev-key", planted.DEV_KEY)
            life.step(f"connect to an echo {form}", *common, *to_echo, *form)
    typed = f"{planted.PASSWORD}\n{planted.DEV_KEY}\n"
    life.step("connect", *common, *to_bill, "--password", "-", "--dev-key", "-", stdin=typed)


def _keep_sessions(life: Life, patch: pytest.MonkeyPatch) -> None:
    sessions = life.server.sandbox.sessions
    opened = sessions.open

    def kept(**values: str) -> object:
        session = opened(**values)
        life.sessions.append(session.id)
        return session

    patch.setattr(sessions, "open", kept)


@contextmanager
def _refusing_customers() -> Iterator[None]:
    """Makes the database refuse every customer, as a full disk or a rule of somebody's own would."""
    warehouse = open_database()
    if warehouse.is_postgresql:
        put = "ALTER TABLE billcom.customers ADD CONSTRAINT refused CHECK (name = '') NOT VALID"
        take = "ALTER TABLE billcom.customers DROP CONSTRAINT refused"
    else:
        put = "CREATE TRIGGER refused BEFORE INSERT ON customers BEGIN SELECT RAISE(ABORT, 'refused'); END"
        take = "DROP TRIGGER refused"
    for statement in (put, take):
        with warehouse.write() as connection:
            connection.exec_driver_sql(statement)
        if statement == put:
            yield
    warehouse.close()


def _mirror_tables() -> set[str]:
    warehouse = open_database()
    names = {table.name for table in warehouse.mirror.metadata.tables.values()}
    warehouse.close()
    return names


def test_it_went_as_it_should_and_the_search_finds_what_is_there(life: Life) -> None:
    failed = {name: answered.code for name, answered in life.answers.items() if answered.code}
    wrong = [failed.pop(f"status of a wrong database {number}", 0) for number in range(len(WRONG))]
    assert all(wrong)
    refused = [f"connect to an echo {form}" for form in ((), ("--json",), ("--debug",))]
    assert failed == {
        "wrong password": 1,
        "misspelled": 2,
        **dict.fromkeys(refused, 1),
        "early sync": 3,
        "sync that the database refuses": 1,
    }, [answered.everything for answered in life.answers.values() if answered.code]
    assert len(life.sessions) >= 2
    mirrored = [piece for piece in life.pieces() if piece.is_mirror]
    everything = {name: planted.written_personal(value) for name, value in planted.PERSONAL.items()}
    assert {line.split(" in ")[0] for line in planted.found(everything, mirrored)} == set(planted.PERSONAL)


def test_no_secret_is_stored_printed_or_logged_anywhere(life: Life) -> None:
    key_file = str(Path("home") / "billcom.key")
    pieces = (piece for piece in life.pieces() if piece.where != key_file)
    leaks = planted.found(life.secrets(), pieces)
    assert leaks == [], "\n".join(leaks)


def test_personal_data_is_in_the_mirrored_rows_and_nowhere_else(life: Life) -> None:
    needles = {name: planted.written_personal(value) for name, value in planted.PERSONAL.items()}
    leaks = planted.found(needles, (piece for piece in life.pieces() if not piece.is_mirror))
    assert leaks == [], "\n".join(leaks)


def test_everything_that_was_made_is_its_owners_alone(life: Life) -> None:
    made = {path: path.lstat() for path in life.folder.rglob("*")}
    assert {path.name for path in made} >= {"dagster.yaml", "mappings.csv", "chart.csv"}
    assert {path.name for path in made if path.suffix == ".db"} or life.database
    wide = {str(path): oct(one.st_mode) for path, one in made.items() if stat.S_IMODE(one.st_mode) & 0o077}
    assert wide == {}
    assert {one.st_uid for one in made.values()} == {os.geteuid()}
