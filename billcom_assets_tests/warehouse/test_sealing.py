"""Sealed values open with their key and for their purpose; anything else says what it is."""

from __future__ import annotations

import base64
import os
from dataclasses import asdict, replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as some

from billcom_assets.bill.credentials import Environment
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.errors import WarehouseError
from billcom_assets.warehouse.integrations import CredentialSources, Destination, Integration, Integrations
from billcom_assets.warehouse.sealing import Purpose, Seal
from billcom_assets.warehouse.tables import integrations

KEY = b"sixteen bytes and sixteen more.."
SEAL = Seal(KEY)
PURPOSE = Purpose("credentials", "acme-us")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ACME = Integration(
    key="acme-us",
    company="Acme",
    organization_id="00802ABCDEFGHIJ00001",
    environment=Environment.PRODUCTION,
    base_url="https://gateway.acme.example/connect",
    v2_base_url=None,
    sources=CredentialSources("a-token", "pa55word", "env:DEV_KEY"),
    cutoff=None,
    history_start=None,
)


def refused(sealed: str, seal: Seal = SEAL, purpose: Purpose = PURPOSE) -> str:
    with pytest.raises(WarehouseError) as caught:
        seal.open(sealed, purpose)
    return str(caught.value)


@given(text=some.text(), key=some.binary(min_size=32, max_size=32))
def test_what_was_sealed_opens_again_and_never_looks_the_same(text: str, key: bytes) -> None:
    sealed = Seal(key).close(text, PURPOSE)
    assert Seal(key).open(sealed, PURPOSE) == text
    assert Seal(key).close(text, PURPOSE) != sealed


def test_neither_the_text_nor_the_key_shows() -> None:
    sealed = SEAL.close("pa55word", PURPOSE)
    for shown in (sealed, repr(SEAL), SEAL.key_id):
        assert "pa55word" not in shown
        assert KEY.decode() not in shown
        assert base64.b64encode(KEY).decode() not in shown
        assert KEY[:8].hex() not in shown


@given(text=some.text(max_size=40), data=some.data())
def test_no_character_can_be_changed(text: str, data: some.DataObject) -> None:
    sealed = SEAL.close(text, PURPOSE)
    position = data.draw(some.integers(0, len(sealed) - 1))
    other = data.draw(some.characters())
    assume(other != sealed[position])
    refused(sealed[:position] + other + sealed[position + 1 :])


@given(text=some.text(max_size=40), data=some.data())
def test_no_bit_can_be_changed(text: str, data: some.DataObject) -> None:
    head, _, content = SEAL.close(text, PURPOSE).rpartition(".")
    raw = bytearray(base64.b64decode(content))
    bit = data.draw(some.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    assert "was changed after it was sealed" in refused(f"{head}.{base64.b64encode(raw).decode()}")


@given(text=some.text(max_size=40), data=some.data())
def test_nothing_can_be_cut_off_or_added(text: str, data: some.DataObject) -> None:
    sealed = SEAL.close(text, PURPOSE)
    refused(sealed[: data.draw(some.integers(0, len(sealed) - 1))])
    refused(sealed[data.draw(some.integers(1, len(sealed))) :])
    more = data.draw(some.text(min_size=1, max_size=9))
    refused(sealed + more)
    refused(more + sealed)


@given(noise=some.text() | some.text(alphabet="v2.0123456789abcdefABC+/=\n "))
def test_anything_else_is_refused_in_words(noise: str) -> None:
    assert "The stored credentials of acme-us cannot be used: " in refused(noise)


def test_each_kind_of_refusal_says_which_it_is() -> None:
    sealed = SEAL.close("pa55word", PURPOSE)
    other = Seal(os.urandom(32))
    nonce = os.urandom(12)
    before = base64.b64encode(nonce + AESGCM(KEY).encrypt(nonce, b"pa55word", b"acme-us")).decode()
    assert f"another key (key id {SEAL.key_id}; that of the key in use is {other.key_id})" in refused(sealed, other)
    assert "was changed after it was sealed" in refused(sealed, purpose=Purpose("credentials", "acme-eu"))
    assert "was changed after it was sealed" in refused(sealed, purpose=Purpose("session", "acme-us"))
    assert "is empty" in refused("")
    assert "is damaged" in refused(sealed[:40])
    assert "the format v3" in refused(sealed.replace("v2", "v3", 1))
    assert "sealed by an earlier version" in refused(before)
    assert "pa55word" not in refused(before)


# The destination of credentials --------------------------------------------------------------------------------------

SETTINGS = {
    "organization_id": some.text(max_size=20),
    "environment": some.text(max_size=20),
    "base_url": some.none() | some.text(max_size=40),
    "v2_base_url": some.none() | some.text(max_size=40),
}


def test_the_destination_is_everything_that_says_where_credentials_are_sent() -> None:
    assert {*Destination.__dataclass_fields__} == {*SETTINGS}
    # What is left of an integration decides neither where a credential goes nor for whom.
    assert {*Integration.__dataclass_fields__} - {*SETTINGS} == {
        "key",
        "company",
        "sources",
        "cutoff",
        "history_start",
        "time_zone",
        "owner",
        "excluded_entities",
        "api",
        "documents",
        "alignment",
        "source_of_truth",
        "second_approver",
        "status",
        "status_code",
        "status_message",
        "checked_at",
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=some.data())
def test_any_changed_setting_is_refused_and_put_back_is_not(warehouse: Warehouse, data: some.DataObject) -> None:
    store = Integrations(SEAL)
    now = asdict(Destination(ACME.organization_id, ACME.environment.value, ACME.base_url, ACME.v2_base_url))
    name = data.draw(some.sampled_from(sorted(SETTINGS)))
    # PostgreSQL keeps no NUL, and nobody can write a lone surrogate into a database.
    changed = data.draw(SETTINGS[name].filter(lambda one: one is None or ("\0" not in one and one.isprintable())))
    assume(changed != now[name])
    with warehouse.write() as connection:
        store.save(connection, ACME, NOW)
        connection.execute(integrations.update().values({name: changed}))
        with pytest.raises(WarehouseError, match=f"{name.split('_')[0]} .*was .*, is ") as caught:
            store.get(connection, ACME.key)
        assert "pa55word" not in str(caught.value)
        assert store.refusal(connection, ACME.key) == str(caught.value)
        connection.execute(integrations.update().values({name: now[name]}))
        assert store.get(connection, ACME.key).sources == ACME.sources
        assert store.refusal(connection, ACME.key) is None


def test_what_is_not_about_the_destination_may_change(warehouse: Warehouse) -> None:
    store = Integrations(SEAL)
    with warehouse.write() as connection:
        store.save(connection, ACME, NOW)
        connection.execute(integrations.update().values(company="Acme US", cutoff=NOW.date(), time_zone="Asia/Tokyo"))
        changed = replace(ACME, company="Acme US", cutoff=NOW.date(), time_zone="Asia/Tokyo")
        assert store.get(connection, ACME.key) == changed
