"""A sync that meets a table which somebody else has locked ends soon, in words; the next one does its work."""

from __future__ import annotations

import base64
import os
import time

import pytest
from sqlalchemy import create_engine, make_url, text

from billcom_assets.sandbox import SandboxServer
from billcom_assets_tests.cli.commands import Desk


@pytest.fixture
def connected(
    empty_home: object,
    database_url: str,
    simulated_bill: SandboxServer,
    tmp_path: object,
    monkeypatch: pytest.MonkeyPatch,
) -> Desk:
    """A desk whose integration is connected, on each database."""
    monkeypatch.setenv("BILLCOM_DATABASE_URL", database_url)
    monkeypatch.setenv("BILLCOM_SECRET_KEY", base64.b64encode(os.urandom(32)).decode())
    monkeypatch.setenv("BILLCOM_LOCK_SECONDS", "0.5")
    desk = Desk(empty_home, simulated_bill)
    assert desk.connect("acme").code == 0
    return desk


def test_a_sync_that_meets_a_locked_table_ends_in_words_and_the_next_one_goes_on(
    connected: Desk, database_url: str
) -> None:
    url = make_url(database_url)
    is_postgresql = url.get_backend_name() == "postgresql"
    if is_postgresql:
        url = url.set(drivername="postgresql+psycopg")
    engine = create_engine(url)
    with engine.connect() as other:
        other.execute(text("LOCK TABLE billcom.vendors" if is_postgresql else "BEGIN IMMEDIATE"))
        began = time.monotonic()
        found = connected.run("sync", "acme", "--only", "vendors")
        assert time.monotonic() - began < 60
    engine.dispose()
    assert found.code == 1
    for words in ("billcom.vendors", "by session", "Let that") if is_postgresql else ("billcom.db", "Close"):
        assert words in " ".join(found.err.split())
    assert "unexpected" not in found.err
    assert connected.run("sync", "acme", "--only", "vendors").code in (0, 3)
