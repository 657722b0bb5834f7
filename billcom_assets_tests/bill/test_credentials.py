from __future__ import annotations

import copy
import ipaddress
import pickle
from typing import Any

import pytest
import requests
from hypothesis import example, given, settings
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter

from billcom_assets.bill.credentials import Credentials, Environment, is_loopback
from billcom_assets.bill.errors import ConfigurationError
from billcom_assets_tests.bill.scripted import DEV_KEY, ORGANIZATION, PASSWORD, USERNAME


def credentials(**changes: Any) -> Credentials:
    given_values: dict[str, Any] = {
        "organization_id": ORGANIZATION,
        "username": USERNAME,
        "password": PASSWORD,
        "dev_key": DEV_KEY,
    }
    return Credentials(**given_values | changes)


def test_stray_whitespace_around_pasted_values_is_removed() -> None:
    pasted = credentials(
        organization_id=f" {ORGANIZATION}\n",
        username=f"\t{USERNAME} ",
        password=f"{PASSWORD}\r\n",
        dev_key=f"\ufeff{DEV_KEY}\n",
    )
    assert pasted == credentials()


@pytest.mark.parametrize("name", ["organization_id", "username", "password", "dev_key"])
@pytest.mark.parametrize("empty", ["", "  \n", None])
def test_an_empty_value_is_refused_by_name(name: str, empty: str | None) -> None:
    with pytest.raises(ConfigurationError, match=name.replace("_", " ")):
        credentials(**{name: empty})


@pytest.mark.parametrize("value", ["abc\ndef", "abc\x00def", "abc\x7fdef"])
@pytest.mark.parametrize("name", ["organization_id", "username", "password", "dev_key"])
def test_a_value_that_could_break_out_of_a_header_is_refused_without_being_quoted(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        credentials(**{name: value})
    assert "def" not in str(caught.value)


@pytest.mark.parametrize("value", ["ключ", "two words"])
def test_a_developer_key_is_plain_text_without_spaces(value: str) -> None:
    with pytest.raises(ConfigurationError, match="dev key"):
        credentials(dev_key=value)


def test_a_password_may_hold_spaces_and_any_letters() -> None:
    assert credentials(password="пароль mit Leerzeichen").password == "пароль mit Leerzeichen"


@pytest.mark.parametrize(
    ("environment", "v3", "v2"),
    [
        ("production", "https://gateway.prod.bill.com/connect", "https://api.bill.com/api/v2"),
        ("stage", "https://gateway.stage.bill.com/connect", "https://api-stage.bill.com/api/v2"),
    ],
)
def test_each_environment_has_its_addresses(environment: str, v3: str, v2: str) -> None:
    chosen = credentials(environment=environment)
    assert (chosen.environment, chosen.v3_url, chosen.v2_url) == (Environment(environment), v3, v2)


def test_an_unknown_environment_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="production or stage"):
        credentials(environment="sandbox")


@pytest.mark.parametrize(
    ("url", "normalised"),
    [
        ("https://bill.example/connect/", "https://bill.example/connect"),
        ("https://bill.example/connect/v3", "https://bill.example/connect"),
        (" https://BILL.example/connect/v3/ ", "https://bill.example/connect"),
        ("http://127.0.0.1:8080/connect", "http://127.0.0.1:8080/connect"),
        ("http://127.9.9.9/connect", "http://127.9.9.9/connect"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:8080/connect", "http://[::1]:8080/connect"),
        ("http://[0:0:0:0:0:0:0:1]/connect", "http://[0:0:0:0:0:0:0:1]/connect"),
        ("http://LOCALHOST:8080", "http://localhost:8080"),
        ("https://[2001:DB8::1]/connect", "https://[2001:db8::1]/connect"),
        ("https://10.1.2.3/connect", "https://10.1.2.3/connect"),
        ("https://xn--mnchen-3ya.example", "https://xn--mnchen-3ya.example"),
        ("https://bill_1.example.:8443/a", "https://bill_1.example.:8443/a"),
        ("HTTPS://gateway.prod.bill.com", "https://gateway.prod.bill.com/connect"),
        ("https://gateway.stage.bill.com/", "https://gateway.stage.bill.com/connect"),
    ],
)
def test_a_base_url_is_normalised(url: str, normalised: str) -> None:
    assert credentials(base_url=url).v3_url == normalised


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_without_a_base_url_the_environment_decides(blank: str | None) -> None:
    assert credentials(base_url=blank).v3_url == Environment.PRODUCTION.base_url


@pytest.mark.parametrize(
    "url",
    [
        "http://bill.example/connect",
        "http://127.0.0.1.bill.example/connect",
        "http://localhost.bill.example",
        "http://10.0.0.1/connect",
        "http://[2001:db8::1]/connect",
        "http://0.0.0.0/connect",
        "ftp://bill.example",
        "bill.example/connect",
        "//bill.example",
        "https://",
        "https:///connect",
        "https://user:word@bill.example",
        "http://127.0.0.1@bill.example",
        "http://localhost:1@bill.example",
        "http://127.0.0.1\\@bill.example",
        "https://bill.example/connect?x=1",
        "https://bill.example/connect#x",
        "https://bill.example:port",
        "https://bill.example:99999",
        "https://bill.example:0",
        "https://bill example",
        "https://bill.exa\nmple",
        "https://[::1",
        "https://bill%2eexample",
        "https://-bill.example",
        "https://münchen.example",
        "not a url",
        "http://[::1].evil.com",
        "http://[::1]evil.com",
        "http://[::1].evil.com:8080/connect",
        "http://[::1]:80.evil.com",
        "http://evil.com[::1]",
        "http://[::1]@evil.com",
        "http://[::ffff:127.0.0.1]",
        "http://[::1%25lo]",
        "http://[::1%lo]",
        "http://[::1%251]",
        "http://[127.0.0.1]",
        "http://[v1.localhost]",
        "http://127.1",
        "http://0x7f.1",
        "http://0x7f000001",
        "http://2130706433",
        "http://0177.0.0.1",
        "http://127.0.0.01",
        "http://127.0.0.1.",
        "https://127.1",
        "https://2130706433",
        "https://evil.0x7f",
        "http://127.0.0.1.evil.com",
        "http://localhost.evil.com",
        "http://localhost.",
        "http://localhostevil.com",
        "http://127.0.0.1@evil.com:80",
        "http://127.0.0.1:80@evil.com",
        "http://127.0.0.1%40evil.com",
        "http://127.0.0.1%2eevil.com",
        "http://127.0.0.1;evil.com",
        "http://127.0.0.1,evil.com",
        "http://127.0.0.1\\.evil.com",
        "http:\\\\127.0.0.1",
        "http:/\\evil.com",
        "http://127.0.0.1\t.evil.com",
        "http://127.0.0.1\r\n.evil.com",
        "http://127.0.0.1 .evil.com",
        "http://127.0.0.1\u3002evil.com",
        "http://\u2460\u2461\u2466.0.0.1",
        "http://loc\u00e0lhost",
        "http://xn--lclhost-9wa",
        "http:///127.0.0.1",
        "http:/127.0.0.1",
        "http:127.0.0.1",
        "http://",
        "http://:80",
        "http://127.0.0.1:",
        "http://127.0.0.1:080x",
        "http://127.0.0.1:00080",
        "http://127.0.0.1:80:90",
        "http://127.0.0.1:+80",
        "http://[::1]:-1",
    ],
)
def test_an_address_that_is_not_safe_to_send_credentials_to_is_refused(url: str) -> None:
    for name in ("base_url", "v2_base_url"):
        with pytest.raises(ConfigurationError):
            credentials(**{name: url})


@pytest.mark.parametrize(
    ("url", "right"),
    [
        ("https://gateway.bill.com/connect", "https://gateway.prod.bill.com/connect"),
        ("https://api.bill.com/api/v2", "https://gateway.prod.bill.com/connect"),
        ("https://api-sandbox.bill.com/api/v2", "https://gateway.stage.bill.com/connect"),
        ("https://gateway.sandbox.bill.com/connect", "https://gateway.stage.bill.com/connect"),
    ],
)
def test_a_retired_or_mistaken_bill_host_is_refused_with_the_right_one(url: str, right: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        credentials(base_url=url)
    assert right in caught.value.next_step


def test_credentials_given_to_another_host_never_go_to_bill_over_v2() -> None:
    assert credentials(base_url="http://127.0.0.1:9/connect").v2_url == "http://127.0.0.1:9/api/v2"
    assert credentials(base_url="https://mock.example/x/connect").v2_url == "https://mock.example/api/v2"


def test_a_v2_address_of_ones_own_is_used() -> None:
    chosen = credentials(base_url="http://127.0.0.1:9/connect", v2_base_url="http://127.0.0.1:8/api/v2/")
    assert chosen.v2_url == "http://127.0.0.1:8/api/v2"


def test_bills_stage_address_means_the_stage_environment() -> None:
    chosen = credentials(base_url="https://gateway.stage.bill.com/connect")
    assert chosen.environment is Environment.STAGE
    assert chosen.v2_url == Environment.STAGE.v2_base_url


def test_text_forms_show_the_organization_and_environment_and_no_secret() -> None:
    for text in (repr(credentials()), str(credentials()), f"{credentials()!r:>10}", repr([credentials()])):
        assert ORGANIZATION in text
        assert "production" in text
        assert not any(secret in text for secret in (PASSWORD, DEV_KEY, USERNAME))


def test_credentials_are_not_pickled() -> None:
    with pytest.raises(TypeError, match="secrets"):
        pickle.dumps(credentials())


def test_credentials_copy_to_themselves() -> None:
    one = credentials()
    assert copy.copy(one) is one
    assert copy.deepcopy({"a": one})["a"] is one


def test_credentials_are_frozen() -> None:
    with pytest.raises(AttributeError):
        credentials().password = "other"  # type: ignore[misc]


def test_the_fingerprint_tells_users_keys_and_addresses_apart_but_not_passwords() -> None:
    changes: list[dict[str, str]] = [
        {},
        {"username": "other@acme.example"},
        {"dev_key": "OTHERKEY"},
        {"organization_id": "00802OTHER"},
        {"environment": "stage"},
        {"base_url": "https://gateway.acme.example/connect"},
        {"v2_base_url": "https://gateway.acme.example/v2"},
    ]
    assert len({credentials(**change).fingerprint for change in changes}) == len(changes)
    assert credentials(password="a new one").fingerprint == credentials().fingerprint


def test_the_key_digest_counts_one_key_per_host_over_all_organizations() -> None:
    assert credentials(organization_id="008OTHER").key_digest == credentials().key_digest
    assert credentials(environment="stage").key_digest != credentials().key_digest
    assert DEV_KEY not in credentials().key_digest


@given(st.text(max_size=40))
def test_any_text_as_address_is_either_safe_or_refused(text: str) -> None:
    try:
        chosen = credentials(base_url=text)
    except ConfigurationError:
        return
    assert chosen.v3_url.startswith("https://") or is_loopback(chosen.v3_url)


HOST_PIECES = st.lists(
    st.sampled_from(
        [
            *"[]:@./\\?#%;,\t -",
            "::1",
            "127.0.0.1",
            "127.1",
            "localhost",
            "evil.com",
            "0x7f",
            "::ffff:",
            "80",
            "%25",
            "xn--a",
        ]
    )
    | st.text(max_size=2),
    max_size=8,
).map("".join)


@settings(max_examples=500)
@given(scheme=st.sampled_from(["http://", "https://", "HTTP://", "http:", "//"]), rest=HOST_PIECES)
@example(scheme="http://", rest="[::1].evil.com")
def test_an_accepted_address_is_the_one_that_the_http_library_connects_to(scheme: str, rest: str) -> None:
    try:
        accepted = credentials(base_url=scheme + rest).v3_url
    except ConfigurationError:
        return
    prepared = requests.Request("GET", f"{accepted}/v3/bills").prepare()
    connects_to, _ = HTTPAdapter().build_connection_pool_key_attributes(prepared, True)
    host = str(connects_to["host"])
    written = accepted.split("//", 1)[1].split("/", 1)[0]
    assert written in {host, f"[{host}]", f"{host}:{connects_to['port']}", f"[{host}]:{connects_to['port']}"}
    if connects_to["scheme"] == "http":
        assert is_loopback(accepted)
        assert host == "localhost" or ipaddress.ip_address(host).is_loopback


@given(st.text(min_size=1, max_size=60))
def test_any_text_as_credential_is_either_sendable_or_refused(text: str) -> None:
    try:
        chosen = credentials(dev_key=text, password=text, username=text)
    except ConfigurationError:
        return
    assert chosen.dev_key == chosen.dev_key.strip()
    assert chosen.dev_key.isascii()
    assert chosen.dev_key.isprintable()


CLIENT = {"username": "", "password": "", "dev_key": "", "client_id": "client-77", "client_secret": "s3cret-of-nobody"}


@pytest.mark.parametrize(
    "more", [{"client_id": "client-77"}, {"console_token": "t"}, CLIENT | {"dev_key": DEV_KEY}], ids=str
)
def test_credentials_of_different_ways_are_refused_together(more: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="do not belong together") as caught:
        credentials(**more)
    assert "client id and client secret" in caught.value.next_step


@pytest.mark.parametrize("name", ["client_id", "client_secret"])
def test_an_oauth_client_has_both_an_id_and_a_secret(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"The {name.replace('_', ' ')} is empty"):
        credentials(**CLIENT | {name: ""})


def test_an_oauth_client_is_counted_by_client_and_organization() -> None:
    one = credentials(**CLIENT)
    assert credentials(**CLIENT | {"client_secret": "a new one"}).key_digest == one.key_digest
    others = ({"client_id": "client-78"}, {"organization_id": "008OTHER"})
    assert len({one.key_digest, *(credentials(**CLIENT | other).key_digest for other in others)}) == 3
    assert len({one.fingerprint, *(credentials(**CLIENT | other).fingerprint for other in others)}) == 3
