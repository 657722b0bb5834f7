"""``POST /authx/token``: access tokens for OAuth clients."""

from __future__ import annotations

from collections.abc import Iterator

from billcom_assets.sandbox.errors import OAuthRefusal
from billcom_assets.sandbox.gateway import Call, Operation
from billcom_assets.sandbox.responses import ApiResponse
from billcom_assets.sandbox.sessions import BEARER

TOKEN_PATH = "/authx/token"  # noqa: S105 - a path


def give_token(call: Call) -> ApiResponse:
    """An access token for the client that the form names."""
    if call.form.get("grant_type") != "client_credentials":
        raise OAuthRefusal(400, "unsupported_grant_type", "The grant type must be client_credentials.")
    session = call.sandbox.sessions.open_for_client(call.form.get("client_id", ""), call.form.get("client_secret", ""))
    return ApiResponse.json(
        {
            "access_token": session.id.removeprefix(BEARER),
            "token_type": "Bearer",
            "expires_in": call.sandbox.settings.oauth_token_minutes * 60,
        }
    )


def operations() -> Iterator[Operation]:
    """The token endpoint, wherever it is served."""
    yield Operation("POST", TOKEN_PATH, give_token, session=False, login=True)
