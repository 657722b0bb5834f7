"""TLS to PostgreSQL: other machines must prove who they are, unless the URL or the environment says otherwise.

libpq by itself takes any certificate, and no encryption when the server offers none.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import certifi
from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

_WHAT_HAPPENED: Final = (
    ("does not support SSL", "it offers no TLS"),
    ("does not match host name", "its certificate is for another host name"),
    ("certificate verify failed", "nobody whom this machine trusts has signed its certificate"),
    ("root certificate file", "the file of trusted certificates that sslrootcert names cannot be read"),
    ("SSL error", "its TLS could not be verified"),
)
"""Pieces of libpq's messages, and what they mean; the first that fits."""


def with_tls(url: URL) -> URL:
    """The URL with ``sslmode=verify-full`` for other hosts than this one, where nothing else is said.

    ``sslmode`` or ``service`` in the URL and PGSSLMODE or PGSERVICE in the environment are respected. Certificates are
    checked against ``sslrootcert``, PGSSLROOTCERT or ``~/.postgresql/root.crt``, else against those that the operating
    system trusts.
    """
    if "service" in url.query or os.environ.get("PGSERVICE"):
        return url
    mode = url.query.get("sslmode") or os.environ.get("PGSSLMODE")
    if not mode:
        if all(_is_this_machine(host) for host in _hosts(url)):
            return url
        mode = "verify-full"
        url = url.update_query_dict({"sslmode": mode})
    if str(mode).startswith("verify-") and not _names_certificates(url):
        url = url.update_query_dict({"sslrootcert": _trusted_certificates()})
    return url


def refusal(error: DBAPIError, variable: str) -> tuple[str, str] | None:
    """What was wrong with the server's TLS and the next step; None when the connection failed for another reason.

    Args:
        error: Why it failed.
        variable: The environment variable that holds the URL.
    """
    said = str(error.orig)
    for piece, meaning in _WHAT_HAPPENED:
        if piece in said:
            return meaning, (
                f"Add ?sslmode=verify-full&sslrootcert=FILE to {variable}, FILE holding the certificate of the "
                "authority that signed the server's. On a network that you trust as much as this machine, "
                "?sslmode=require encrypts without checking who answers, and ?sslmode=disable does not encrypt."
            )
    return None


def _hosts(url: URL) -> Iterator[str]:
    """Every host that libpq may connect to; none for the default, a Unix socket."""
    named = [url.host or "", *_values(url, "host")]
    named = [host for entry in named for host in entry.split(",") if host]
    yield from named or os.environ.get("PGHOST", "").split(",")
    for entry in [*_values(url, "hostaddr"), os.environ.get("PGHOSTADDR", "")]:
        yield from entry.split(",")


def _values(url: URL, name: str) -> tuple[str, ...]:
    value = url.query.get(name, ())
    return (value,) if isinstance(value, str) else value


def _is_this_machine(host: str) -> bool:
    if not host or host.startswith(("/", "@")):
        return True  # a Unix socket
    try:
        return _is_loopback(host)
    except ValueError:
        pass
    # SQLAlchemy takes host:port in the query.
    name = host.partition(":")[0] if not host.startswith("[") else host[1:].partition("]")[0]
    try:
        return _is_loopback(name)
    except ValueError:
        return name.rstrip(".").lower() == "localhost"


def _is_loopback(address: str) -> bool:
    found = ipaddress.ip_address(address)
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_loopback


def _names_certificates(url: URL) -> bool:
    if "sslrootcert" in url.query or os.environ.get("PGSSLROOTCERT"):
        return True
    return (Path.home() / ".postgresql" / "root.crt").exists()


def _trusted_certificates() -> str:
    # Not libpq's own sslrootcert=system: in the wheels that we use it looks where no system keeps any.
    return ssl.get_default_verify_paths().cafile or certifi.where()
