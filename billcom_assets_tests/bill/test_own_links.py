"""The session is shown to BILL alone, wherever a link leads."""

from __future__ import annotations

import io

import pytest

from billcom_assets.bill.client import BillClient
from billcom_assets.bill.credentials import Credentials
from billcom_assets.bill.errors import Refused

LIVE = Credentials("00801AAAAAAAAAA00000", "user", "password", "key")
LOCAL = Credentials("00801AAAAAAAAAA00000", "user", "password", "key", base_url="http://127.0.0.1:8700/connect")


@pytest.mark.parametrize(
    "link",
    [
        "https://gateway.prod.bill.com/connect/v3/download/1?key=2",
        "https://app01.us.bill.com/FileServlet?id=00h",
        "https://api.bill.com/is/BillImageServlet?entityId=vcr",
    ],
)
def test_links_to_bills_own_hosts_are_followed(link: str) -> None:
    assert LIVE.own_link(link) == link


@pytest.mark.parametrize(
    "link",
    [
        "",
        "http://app01.us.bill.com/FileServlet",
        "https://bill.com.evil.example/x",
        "https://evilbill.com/x",
        "https://evil.example/?https://api.bill.com/",
        "https://user@api.bill.com/x",
        "https://api.bill.com:8443/x",
        "https://api.bill.com\\@evil.example/x",
        "https://169.254.169.254/latest",
        "//evil.example/x",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://[bad/x",
        "https://[::1",
        "http://127.0.0.1:8700/x",
    ],
)
def test_other_links_are_not(link: str) -> None:
    if link:
        assert LIVE.own_link(link) is None
    with BillClient(LIVE, integration="acme-us") as client:
        with pytest.raises(Refused, match="somebody else than BILL"):
            client.download(link or "https://evil.example", io.BytesIO())
        assert client.stats.requests == 0


def test_names_of_files_in_links_are_encoded() -> None:
    assert LIVE.own_link("/f?name=a b.pdf") == "https://api.bill.com/f?name=a%20b.pdf"
    assert LIVE.own_link("https://gateway.prod.bill.com/f/März%20.pdf") == (
        "https://gateway.prod.bill.com/f/M%C3%A4rz%20.pdf"
    )


def test_of_another_address_only_that_host_counts() -> None:
    assert LOCAL.own_link("http://127.0.0.1:8700/connect/v3/download/1") is not None
    assert LOCAL.own_link("/is/BillImageServlet?entityId=1") == "http://127.0.0.1:8700/is/BillImageServlet?entityId=1"
    assert LOCAL.own_link("http://localhost:8700/x") is not None
    assert LOCAL.own_link("http://127.0.0.1:8701/connect") is None
    assert LOCAL.own_link("https://api.bill.com/x") is None
