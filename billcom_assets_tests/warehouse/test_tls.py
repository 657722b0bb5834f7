"""Another host's PostgreSQL must prove who it is, unless somebody said that it need not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from billcom_assets.storage import URL_VARIABLE, EnvironmentStorage
from billcom_assets.warehouse.engine import connect, open_warehouse
from billcom_assets.warehouse.errors import WarehouseError
from billcom_assets.warehouse.tls import with_tls
from billcom_assets_tests.postgres import Postgres
from billcom_assets_tests.warehouse.tls_front import Authority, serving

VARIABLES = ("PGSSLMODE", "PGSERVICE", "PGHOST", "PGHOSTADDR", "PGSSLROOTCERT", "SSL_CERT_FILE")
REFUSED = "cannot be trusted"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://db.example.com/books",
        "postgresql://somebody:secret@db.example.com:6432/books?application_name=x",
        "postgresql://10.0.0.7/books",
        "postgresql://[2001:db8::1]:5432/books",
        "postgresql:///books?host=db.example.com",
        "postgresql:///books?host=localhost:5432&host=db.example.com:5432",
        "postgresql:///books?host=localhost,db.example.com&port=5432,5433",
        "postgresql://localhost/books?hostaddr=10.0.0.7",
        "postgresql://localhost.example.com/books",
        "postgresql://127.0.0.1.example.com/books",
        "postgresql://0.0.0.0/books",
        "postgresql://postgres/books",
        "postgres://db.example.com/books",
        "postgresql+psycopg2://db.example.com/books",
    ],
)
def test_another_host_must_prove_who_it_is(url: str) -> None:
    query = connect(url).url.query
    assert query["sslmode"] == "verify-full"
    assert b"BEGIN CERTIFICATE" in Path(str(query["sslrootcert"])).read_bytes()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://localhost/books",
        "postgresql://LOCALHOST./books",
        "postgresql://127.0.0.1:5432/books",
        "postgresql://127.8.0.1/books",
        "postgresql://[::1]:5432/books",
        "postgresql://[::ffff:127.0.0.1]/books",
        "postgresql:///books",
        "postgresql:///books?host=/var/run/postgresql",
        "postgresql://user:secret@/books?host=%2Ftmp%2Fsomewhere",
        "postgresql:///books?host=localhost:5432&host=127.0.0.1:5433&host=[::1]:5434",
        "postgresql://db.example.com/books?sslmode=require",
        "postgresql://db.example.com/books?sslmode=disable",
        "postgresql:///books?service=books",
    ],
)
def test_this_machine_and_what_the_url_says_are_left_as_they_are(url: str) -> None:
    assert with_tls(make_url(url)) == make_url(url)


@pytest.mark.parametrize(("name", "value"), [("PGSSLMODE", "require"), ("PGSERVICE", "books")])
def test_what_the_environment_says_is_respected(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    url = make_url("postgresql://db.example.com/books")
    assert with_tls(url) == url


@pytest.mark.parametrize("name", ["PGHOST", "PGHOSTADDR"])
def test_a_host_that_the_environment_names_counts(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "10.0.0.7")
    assert with_tls(make_url("postgresql:///books")).query["sslmode"] == "verify-full"


def test_certificates_that_somebody_named_are_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = with_tls(make_url("postgresql://db.example.com/books?sslrootcert=/etc/company.pem"))
    assert dict(named.query) == {"sslmode": "verify-full", "sslrootcert": "/etc/company.pem"}
    (tmp_path / ".postgresql").mkdir()
    (tmp_path / ".postgresql" / "root.crt").touch()
    plain = make_url("postgresql://db.example.com/books")
    assert dict(with_tls(plain).query) == {"sslmode": "verify-full"}


@pytest.fixture
def database(postgres: Postgres) -> Iterator[str]:
    url = postgres.create()
    yield url
    postgres.drop(url)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.new(tmp_path / "authority")


def refusal_of(url: str) -> str:
    with pytest.raises(WarehouseError) as caught:
        open_warehouse(url)
    assert REFUSED in caught.value.message
    assert "sslmode=verify-full&sslrootcert=FILE" in caught.value.next_step
    return caught.value.message


def test_a_server_with_the_right_certificate_is_used(database: str, authority: Authority) -> None:
    with serving(database, authority.context("localhost"), "localhost") as url:
        warehouse = open_warehouse(f"{url}?sslmode=verify-full&sslrootcert={authority.file}")
        with warehouse.read() as connection, warehouse.exclusive("anything"):
            driver = connection.connection.driver_connection
            assert isinstance(driver, psycopg.Connection)
            assert driver.pgconn.ssl_in_use
        warehouse.close()


def test_a_certificate_of_another_authority_is_refused(database: str, authority: Authority, tmp_path: Path) -> None:
    other = Authority.new(tmp_path / "other", "Other tests")
    impostor = Authority.new(tmp_path / "impostor")
    with serving(database, authority.context("localhost"), "localhost") as url:
        for certificates in (f"&sslrootcert={other.file}", ""):
            refused = refusal_of(f"{url}?sslmode=verify-full{certificates}")
            assert "nobody whom this machine trusts has signed its certificate" in refused
        refused = refusal_of(f"{url}?sslmode=verify-full&sslrootcert={impostor.file}")
        assert "its TLS could not be verified" in refused


def test_a_certificate_for_another_host_is_refused(database: str, authority: Authority) -> None:
    with serving(database, authority.context("other.example.com"), "localhost") as url:
        refused = refusal_of(f"{url}?sslmode=verify-full&sslrootcert={authority.file}")
    assert "its certificate is for another host name" in refused


def test_a_server_without_tls_is_refused(database: str) -> None:
    with serving(database, None, "localhost") as url:
        assert "it offers no TLS" in refusal_of(f"{url}?sslmode=verify-full")


def test_a_file_of_certificates_that_is_not_there_is_told(database: str, authority: Authority) -> None:
    with serving(database, authority.context("localhost"), "localhost") as url:
        assert "cannot be read" in refusal_of(f"{url}?sslmode=verify-full&sslrootcert=/nowhere.pem")


def test_without_a_word_about_tls_another_host_is_checked_by_what_the_system_trusts(
    database: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 127.1 reaches this machine, but nothing in the name says so.
    with serving(database, authority.context("127.1", "127.0.0.1"), "127.1") as url:
        assert "nobody whom this machine trusts" in refusal_of(url)
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        open_warehouse(url).close()
    with serving(database, None, "127.1") as url:
        assert "it offers no TLS" in refusal_of(url)
        open_warehouse(f"{url}?sslmode=disable").close()


def test_dagsters_own_storage_is_checked_alike(
    postgres: Postgres, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = postgres.create(template=None)
    with serving(database, authority.context("127.1", "127.0.0.1"), "127.1") as url:
        monkeypatch.setenv(URL_VARIABLE, url)
        with pytest.raises(WarehouseError, match=REFUSED) as caught:
            EnvironmentStorage.from_config_value(None, {})
        assert URL_VARIABLE in caught.value.next_step
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        storage = EnvironmentStorage.from_config_value(None, {})
        assert storage.run_storage.get_runs() == []
    postgres.drop(database)
