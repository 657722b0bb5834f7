"""How a session is opened, and how calls carry it, for each way of signing in."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final, Protocol
from urllib.parse import urlencode, urlsplit

import msgspec

from billcom_assets.bill.credentials import Credentials
from billcom_assets.bill.failures import Context
from billcom_assets.bill.session import StoredSession, opened_session
from billcom_assets.bill.transport import Request
from billcom_assets.bill.ways import Way

_ENCODER: Final = msgspec.json.Encoder()
_JSON: Final = {"Accept": "application/json"}
_ACCESS_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,7000}")
"""What can be sent as a header; servers take about 8,000 bytes of one."""
_LONGEST_LIFE: Final = timedelta(days=1)
_MARGIN: Final = timedelta(minutes=1)
"""So long before its end a token is renewed, or a tenth of its life if that is less."""


class SignIn(Protocol):
    """One way of opening sessions."""

    @property
    def context(self) -> Context:
        """What a sign-in that fails was about."""

    @property
    def names_organization(self) -> bool:
        """True when the response says for which organization the session is."""

    def addresses(self, credentials: Credentials) -> tuple[str, ...]:
        """Where it may be done, the likeliest first."""

    def request(self, credentials: Credentials, address: str) -> Request:
        """What is sent to open a session."""

    def opened(self, response: object, credentials: Credentials, now: datetime) -> StoredSession | None:
        """The session that the decoded response opens; None when it opens none."""

    def headers(self, credentials: Credentials, session: StoredSession) -> dict[str, str]:
        """Headers with which a v3 call carries the session."""


class Login:
    """``POST /v3/login``, with a password or a console token.

    See https://developer.bill.com/reference/login
    """

    context = Context("POST /v3/login", is_login=True)
    names_organization = True

    def addresses(self, credentials: Credentials) -> tuple[str, ...]:
        """The login of the v3 API."""
        return (f"{credentials.v3_url}/v3/login",)

    def request(self, credentials: Credentials, address: str) -> Request:
        """The credentials as JSON; BILL wants the developer key in the body here, not as a header."""
        body = {
            "username": credentials.username,
            "password": credentials.password,
            "consoleApiToken": credentials.console_token,
            "organizationId": credentials.organization_id,
            "devKey": credentials.dev_key,
        }
        given = {name: value for name, value in body.items() if value}
        return Request("POST", address, _JSON | {"Content-Type": "application/json"}, _ENCODER.encode(given))

    def opened(self, response: object, credentials: Credentials, now: datetime) -> StoredSession | None:
        """The session, of the organization and user that the response names."""
        return opened_session(response, credentials, now)

    def headers(self, credentials: Credentials, session: StoredSession) -> dict[str, str]:
        """Developer key and session id."""
        return _JSON | {"devKey": credentials.dev_key, "sessionId": session.session_id}


class ClientCredentials:
    """``POST /authx/token``: OAuth's client credentials.

    See https://developer.bill.com/docs/oauth-client-credentials
    """

    context = Context(
        "POST /authx/token",
        is_login=True,
        check="Check the client id and the client secret: copied whole, the app not deleted, and made in BILL's "
        "{environment} environment.",
    )
    names_organization = False

    def addresses(self, credentials: Credentials) -> tuple[str, ...]:
        """BILL's pages do not say whether the path begins at the API's base or at the host's root."""
        host = urlsplit(credentials.v3_url)
        bases = dict.fromkeys((credentials.v3_url, f"{host.scheme}://{host.netloc}"))
        return tuple(f"{base}/authx/token" for base in bases)

    def request(self, credentials: Credentials, address: str) -> Request:
        """The client's id and secret as a form."""
        form = {
            "grant_type": "client_credentials",
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret,
        }
        headers = _JSON | {"Content-Type": "application/x-www-form-urlencoded"}
        return Request("POST", address, headers, urlencode(form).encode())

    def opened(self, response: object, credentials: Credentials, now: datetime) -> StoredSession | None:
        """The access token as a session; one whose life is not stated lives as long as BILL takes it."""
        if not isinstance(response, dict):
            return None
        token, kind = response.get("access_token"), response.get("token_type", "Bearer")
        if not isinstance(token, str) or not _ACCESS_TOKEN.fullmatch(token) or str(kind).lower() != "bearer":
            return None
        life = _life(response.get("expires_in"))
        return StoredSession(
            session_id=token,
            user_id="",
            organization_id=credentials.organization_id,
            is_token=False,
            last_used_at=now,
            fingerprint=credentials.fingerprint,
            renew_at=None if life is None else now + life - min(_MARGIN, life / 10),
        )

    def headers(self, credentials: Credentials, session: StoredSession) -> dict[str, str]:  # noqa: ARG002 - the token is all
        """The access token and nothing else."""
        return _JSON | {"Authorization": f"Bearer {session.session_id}"}


class V2Login:
    """``POST /api/v2/Login.json``, which opens a session where v3 does not serve the developer key.

    See https://developer.bill.com/v2/reference/login
    """

    context = Context("POST /api/v2/Login.json", is_login=True)
    names_organization = True

    def addresses(self, credentials: Credentials) -> tuple[str, ...]:
        """The login of the v2 API."""
        return (f"{credentials.v2_url}/Login.json",)

    def request(self, credentials: Credentials, address: str) -> Request:
        """The credentials as a form."""
        form = {
            "userName": credentials.username,
            "password": credentials.password,
            "orgId": credentials.organization_id,
            "devKey": credentials.dev_key,
        }
        headers = _JSON | {"Content-Type": "application/x-www-form-urlencoded"}
        return Request("POST", address, headers, urlencode(form).encode(), v2=True)

    def opened(self, response: object, credentials: Credentials, now: datetime) -> StoredSession | None:
        """The session, of the organization and user that the response names; v2 has other names for them."""
        data = response.get("response_data") if isinstance(response, dict) else None
        if not isinstance(data, dict):
            return None
        named = {"organizationId": data.get("orgId"), "userId": data.get("usersId")}
        return opened_session(data | named, credentials, now)

    def headers(self, credentials: Credentials, session: StoredSession) -> dict[str, str]:
        """Developer key and session id."""
        return _JSON | {"devKey": credentials.dev_key, "sessionId": session.session_id}


def _life(seconds: object) -> timedelta | None:
    """``expires_in`` as a duration; None when it is none."""
    text = str(seconds)
    if isinstance(seconds, bool) or not (text.isascii() and text.isdigit()) or len(text) > 18 or not int(text):
        return None
    return min(timedelta(seconds=min(int(text), 10**9)), _LONGEST_LIFE)


def sign_in_with(credentials: Credentials) -> SignIn:
    """How their sessions are opened."""
    if credentials.v2_only:
        return V2Login()
    return ClientCredentials() if credentials.way is Way.OAUTH else Login()
