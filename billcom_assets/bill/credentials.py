"""Who signs in to BILL, and where."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NoReturn, Self
from urllib.parse import quote, urljoin, urlsplit

from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

from billcom_assets.bill.errors import ConfigurationError
from billcom_assets.bill.ways import PARTS, SECRET_PARTS, Way, way_of

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\s]")
_NAME = re.compile(r"[a-z0-9]([a-z0-9_.-]*[a-z0-9])?\.?")
_NUMERIC = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)\.?")
"""A name that address libraries may read as an IPv4 address, as they do 127.1, 0x7f.1 and 2130706433."""


class Environment(StrEnum):
    """BILL's two environments. They share no data, users or developer keys.

    See https://developer.bill.com/docs/faq
    """

    PRODUCTION = "production"
    STAGE = "stage"

    @property
    def base_url(self) -> str:
        """Base of the v3 API, without ``/v3``."""
        return _V3[self]

    @property
    def v2_base_url(self) -> str:
        """Base of the v2 API."""
        return _V2[self]


_V3 = {
    Environment.PRODUCTION: "https://gateway.prod.bill.com/connect",
    Environment.STAGE: "https://gateway.stage.bill.com/connect",
}
_V2 = {
    Environment.PRODUCTION: "https://api.bill.com/api/v2",
    Environment.STAGE: "https://api-stage.bill.com/api/v2",
}
_ENVIRONMENT_BY_URL = {v3: environment for environment, v3 in _V3.items()}
_NOT_V3 = {
    "gateway.bill.com": Environment.PRODUCTION,
    "api.bill.com": Environment.PRODUCTION,
    "app.bill.com": Environment.PRODUCTION,
    "api-stage.bill.com": Environment.STAGE,
    "api-sandbox.bill.com": Environment.STAGE,
    "gateway.sandbox.bill.com": Environment.STAGE,
}
"""Hosts that are retired or not the v3 API, though old notes name them, and the environment they mean."""


_IN_LINKS: Final = ":/?#[]@!$&'()*+,;=%~\\"
"""What stands in a link as it is; the backslash, too, so that it is seen and refused."""
_PORTS: Final = {"http": 80, "https": 443}


def is_loopback(url: str) -> bool:
    """True when the URL's host is this machine: ``localhost``, 127.0.0.0/8 or ``::1``."""
    parts = _parsed(url)
    if parts is None:
        return False
    address = _address(parts.host or "")
    return parts.host == "localhost" if address is None else address.is_loopback


def normalised_url(url: str, setting: str) -> str:
    """``url`` without trailing slash and ``/v3``.

    Raises:
        ConfigurationError: It is no plain http(s) address, or http to another machine.
    """
    cleaned = url.strip()
    if not cleaned.lower().startswith(("http://", "https://")):
        raise ConfigurationError(f"{setting} must start with https://")
    if "@" in cleaned:
        raise ConfigurationError(f"{setting} must not contain a user name or password")
    parts = _parsed(cleaned)
    if parts is None:
        raise ConfigurationError(f"{setting} is not a valid URL")
    if "?" in cleaned or "#" in cleaned:
        raise ConfigurationError(f"{setting} must not contain a query or fragment")
    path = (parts.path or "").rstrip("/").removesuffix("/v3").rstrip("/")
    normalised = f"{parts.scheme}://{parts.netloc}{path}"
    if parts.scheme == "http" and not is_loopback(normalised):
        raise ConfigurationError(
            f"{setting} uses http://, which would send the credentials unprotected",
            next_step="Use https://; plain http is accepted for this machine (127.0.0.1, ::1, localhost) only.",
        )
    return normalised


def _parsed(url: str) -> Url | None:
    """The parts of ``url``; None unless every reader of URLs would see the same host.

    The HTTP library connects where its own parser says. What another parser, or a reader, may take for another host
    is refused: hosts must stand there exactly as the library writes them, as a plain name or a canonical address.
    """
    if not url.isascii() or "\\" in url or _UNPRINTABLE.search(url):
        return None
    try:
        parts, second_opinion = parse_url(url), urlsplit(url)
        same = second_opinion.netloc.lower() == parts.netloc and second_opinion.port == parts.port
    except (LocationParseError, ValueError):
        return None
    host = parts.host or ""
    is_name = bool(_NAME.fullmatch(host)) and not _NUMERIC.fullmatch(host)
    return parts if same and parts.port != 0 and (is_name or _address(host) is not None) else None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The IP address that ``host`` is; None for names, and for IPv6 forms that stand for something else."""
    try:
        if not host.startswith("["):
            return ipaddress.IPv4Address(host)
        address = ipaddress.IPv6Address(host[1:-1])
    except ValueError:
        return None
    return None if address.ipv4_mapped or address.scope_id else address


@dataclass(frozen=True, repr=False)
class Credentials:
    """What a sign-in to BILL needs, in exactly one of the ways that :class:`Way` names.

    With an AP & AR sync token, ``username`` is the token's name and ``password`` its value
    (https://developer.bill.com/docs/token-based-sign-in). Stray whitespace around values is removed: BILL reports a
    developer key with a trailing newline as an invalid key.

    Raises:
        ConfigurationError: A value is empty or malformed, values are for different ways, or ``base_url`` is not safe to
            send credentials to.
    """

    organization_id: str
    username: str = ""
    password: str = ""
    dev_key: str = ""
    environment: Environment = Environment.PRODUCTION
    base_url: str | None = None
    """Other base of the v3 API than the environment's, for a simulated BILL or a gateway of one's own."""
    v2_base_url: str | None = None
    """Other base of the v2 API; by default the one beside ``base_url``."""
    console_token: str = ""
    """Accountant Console API token, in place of the password."""
    client_id: str = ""
    client_secret: str = ""
    v2_only: bool = False
    """v3 does not serve the developer key: v2's lists stand in for v3's."""
    way: Way = field(init=False, compare=False)
    fingerprint: str = field(init=False, compare=False)
    """Identifies both addresses, user and developer key, or OAuth client, without revealing them; binds sessions."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "way", way_of([part for part in PARTS if getattr(self, part)]))
        for name in ("organization_id", *self.way.parts):
            object.__setattr__(self, name, _cleaned(getattr(self, name), name.replace("_", " ")))
        object.__setattr__(self, "environment", _environment(self.environment))
        for name in ("base_url", "v2_base_url"):
            url = getattr(self, name)
            blank = url is None or not url.strip()
            object.__setattr__(self, name, None if blank else normalised_url(url, name.replace("_", " ")))
        if self.base_url:
            object.__setattr__(self, "base_url", _v3_base(self.base_url))
            object.__setattr__(self, "environment", _ENVIRONMENT_BY_URL.get(self.v3_url, self.environment))
        if self.v2_only and self.way is not Way.LOGIN:
            raise ConfigurationError(f"BILL's v2 API takes no {self.way}; sign in with user name, password and key")
        identity = "\x00".join((self.v3_url, self.v2_url, self.dev_key, self.organization_id, self.principal))
        object.__setattr__(self, "fingerprint", _digest(identity))

    @property
    def v3_url(self) -> str:
        """Base of the v3 API in use, without ``/v3``."""
        return self.base_url or self.environment.base_url

    @property
    def v2_url(self) -> str:
        """Base of the v2 API in use: never another operator's host than that of ``v3_url``."""
        if self.v2_base_url:
            return self.v2_base_url
        if self.v3_url in _ENVIRONMENT_BY_URL:
            return _ENVIRONMENT_BY_URL[self.v3_url].v2_base_url
        parts = urlsplit(self.v3_url)
        return f"{parts.scheme}://{parts.netloc}/api/v2"

    def own_link(self, link: str) -> str | None:
        """``link``, complete, if BILL itself serves it, so that the session may be shown there; None otherwise.

        Relative ones are meant from the root of the v2 API's host. Of BILL's own addresses every host below
        ``bill.com`` is BILL; of another one only that host.
        """
        own = [urlsplit(self.v3_url), urlsplit(self.v2_url)]
        try:
            # Names of files stand in links, spaces and all.
            whole = urljoin(f"{own[1].scheme}://{own[1].netloc}/", quote(link.strip(), safe=_IN_LINKS))
        except ValueError:
            return None
        parts = _parsed(whole)
        if parts is None or parts.auth:
            return None
        there = parts.scheme, parts.port or _PORTS.get(parts.scheme or "")
        for base in own:
            # This machine has several names.
            is_same = parts.host == base.hostname or (is_loopback(whole) and is_loopback(base.geturl()))
            if is_same and there == (base.scheme, base.port or _PORTS[base.scheme]):
                return whole
        is_bills = self.v3_url in _ENVIRONMENT_BY_URL and f".{parts.host}".endswith(".bill.com")
        return whole if is_bills and there == ("https", 443) else None

    @property
    def key_digest(self) -> str:
        """Names what BILL counts requests by, at its host and without revealing it.

        That is the developer key. For OAuth BILL does not say; counted are the client and the organization.
        """
        counted = self.dev_key or f"{self.client_id}\x00{self.organization_id}"
        return _digest(f"{urlsplit(self.v3_url).netloc}\x00{counted}")

    @property
    def principal(self) -> str:
        """Who signs in: a user name, a sync token's name, or the id of an OAuth client."""
        return str(getattr(self, self.way.parts[0]))

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values that must never appear in a message."""
        return tuple(getattr(self, part) for part in self.way.parts if part in SECRET_PARTS)

    def __repr__(self) -> str:
        masked = f"{self.principal[0]}***" if len(self.principal) > 1 else "***"
        return (
            f"Credentials(organization_id={self.organization_id!r}, {self.way.parts[0]}={masked!r}, "
            f"environment={self.environment.value!r})"
        )

    def __reduce__(self) -> NoReturn:
        raise TypeError("Credentials are not pickled, so that secrets do not end up in files")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


def _v3_base(url: str) -> str:
    """``url`` with what is often forgotten; refused when it is BILL's but not of the v3 API."""
    parts = urlsplit(url)
    if environment := _NOT_V3.get(parts.hostname or ""):
        raise ConfigurationError(
            f"{parts.hostname} does not serve BILL's v3 API",
            next_step=f"Use {environment.base_url}, or leave the base URL out.",
        )
    with_connect = f"{url}/connect"
    return with_connect if with_connect in _ENVIRONMENT_BY_URL else url


def _cleaned(value: str, setting: str) -> str:
    """``value`` without surrounding whitespace."""
    cleaned = value.strip() if isinstance(value, str) else ""
    cleaned = cleaned.strip("\ufeff\u200b\x00").strip()
    if not cleaned:
        raise ConfigurationError(f"The {setting} is empty")
    if any(ord(character) < 32 or ord(character) == 127 for character in cleaned):
        raise ConfigurationError(f"The {setting} contains a line break or control character")
    if setting in {"dev key", "organization id"} and not (cleaned.isascii() and " " not in cleaned):
        raise ConfigurationError(f"The {setting} contains a space or a character that BILL never uses in one")
    return cleaned


def _environment(value: Environment | str) -> Environment:
    """``value`` as an environment."""
    try:
        return Environment(str(value).strip().lower())
    except ValueError:
        known = " or ".join(environment.value for environment in Environment)
        raise ConfigurationError(f"The environment must be {known}") from None


def _digest(text: str) -> str:
    """A short name for ``text`` that does not reveal it."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]
