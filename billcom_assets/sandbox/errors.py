"""BILL's refusals: one exception, and the bodies that carry it in v3 and v2."""

from __future__ import annotations

from typing import Any

from billcom_assets.sandbox.codec import encode
from billcom_assets.sandbox.settings import DeadToken, TokenErrors


class Refusal(Exception):
    """A request that BILL refuses.

    Args:
        status: HTTP status of the v3 response (v2 responds with 200).
        code: BDC code; None where BILL gives none.
        messages: BILL's words; field validation gives one per field.
        category: REQUEST, APPLICATION, SERVER or DOWNSTREAM.
    """

    def __init__(self, status: int, code: str | None, *messages: str, category: str = "DOWNSTREAM") -> None:
        super().__init__(code, *messages)
        self.status = status
        self.code = code
        self.messages = messages
        self.category = category

    def v3_body(self, timestamp: str) -> bytes:
        """The JSON array of section 2.1, one element per message."""
        return encode([self._element(message, timestamp) for message in self.messages])

    def _element(self, message: str, timestamp: str) -> dict[str, Any]:
        element: dict[str, Any] = {"timestamp": timestamp}
        if self.code is not None:
            element["code"] = self.code
        return element | {"severity": "ERROR", "category": self.category, "message": message}

    def v2_body(self) -> bytes:
        """The v2 envelope of a failure."""
        message = "; ".join(self.messages)
        if self.code == "BDC_1109":
            message = message.replace(". ", ".  ")  # v2 prints two spaces, clients look for the text
        data = {"error_code": self.code or "BDC_1002", "error_message": message}
        return encode({"response_status": 1, "response_message": "Error", "response_data": data})


class OAuthRefusal(Refusal):
    """A refusal of the token endpoint, in the form that OAuth 2 gives it (RFC 6749, section 5.2)."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(status, error, description)

    def v3_body(self, timestamp: str) -> bytes:  # noqa: ARG002 - OAuth errors carry no time
        """One object without a BDC code."""
        return encode({"error": self.code, "error_description": self.messages[0]})


class GatewayRefusal(Refusal):
    """A refusal by the gateway in front of the API."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, None, message, category="REQUEST")

    def v3_body(self, timestamp: str) -> bytes:  # noqa: ARG002 - the gateway tells no time
        """One object with a message only."""
        return encode({"message": self.messages[0]})


def invalid(*messages: str) -> Refusal:
    """A query or body that the gateway does not accept: 400 without a code."""
    return Refusal(400, None, *messages, category="REQUEST")


def missing(*fields: str) -> Refusal:
    """Required fields that were not sent."""
    return invalid(*(f"{field}: must not be null" for field in fields))


def dead_session() -> Refusal:
    """The session is unknown, expired, logged out or of another developer key."""
    return Refusal(401, "BDC_1109", "Session is invalid. Please log in.")


def dead_token(kind: DeadToken) -> Refusal:
    """The access token is unknown, expired or revoked."""
    return GatewayRefusal(401, "Unauthorized") if kind is DeadToken.GATEWAY else dead_session()


def wrong_client(shape: TokenErrors) -> Refusal:
    """The OAuth client is unknown or revoked, or the secret is not its own."""
    said = "Client authentication failed."
    return OAuthRefusal(401, "invalid_client", said) if shape is TokenErrors.OAUTH else Refusal(401, None, said)


def out_of_scope() -> Refusal:
    """The scope of the OAuth client does not hold the operation."""
    return Refusal(403, None, "The application's scope does not permit this operation.", category="REQUEST")


def not_allowed() -> Refusal:
    """The user's role does not hold the operation; what BILL says then is not published."""
    return Refusal(403, None, "You do not have permission to perform this action.", category="APPLICATION")


def wrong_password() -> Refusal:
    """User name, password and organization do not belong together."""
    return Refusal(401, "BDC_1101", "User name and/or password do not match our records.")


def wrong_dev_key() -> Refusal:
    """The developer key is unknown here."""
    return Refusal(401, "BDC_1102", "Developer key is invalid.")


def no_api_access() -> Refusal:
    """The organization is not open to the API."""
    return Refusal(403, "BDC_1105", "Organization does not have API access.")


def organization_locked() -> Refusal:
    """Too many failures, or locked on purpose."""
    return Refusal(423, "BDC_1107", "Organization is locked out. Please try again later.")


def untrusted() -> Refusal:
    """The operation needs a session with multi-factor authentication."""
    return Refusal(403, "BDC_1361", "Untrusted session.")


def no_such_object() -> Refusal:
    """No object has this id."""
    return Refusal(404, "BDC_1205", "No data found for object with given id.")


def wrong_kind(object_id: str, expected: str, status: int = 400) -> Refusal:
    """The id belongs to another kind of object."""
    message = f"The entity type of id {object_id} does not match any of the expected entity types: {expected}."
    return Refusal(status, "BDC_1302", message)


def no_such_api() -> Refusal:
    """No route has this path and verb."""
    return Refusal(404, "BDC_1121", "API not supported.", category="REQUEST")


def hourly_limit(status: int, limit: int) -> Refusal:
    """The developer key has used up its clock hour."""
    return Refusal(status, "BDC_1144", f"Max number of allowed requests per hour reached: {limit}.")


def too_many_at_once(status: int) -> Refusal:
    """More requests in flight than BILL allows per developer key and organization."""
    return Refusal(status, "BDC_1322", "Max number of concurrent requests per organization reached.")


def bad_data(*problems: str) -> Refusal:
    """Well-formed fields with contents that the BILL core refuses."""
    return Refusal(400, "BDC_1143", *(f"Invalid entity data. {problem}" for problem in problems))
