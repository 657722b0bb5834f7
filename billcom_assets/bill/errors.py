"""What can go wrong with BILL, as one family of errors.

Every error says what happened, where, in BILL's own words, and what to do next. No error carries a password,
a developer key or a session id: messages are cleaned before they come here.

BILL's codes: https://developer.bill.com/docs/common-api-error-codes
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Final, Self

from billcom_assets.redaction.errors import UserFacingError


class BillError(UserFacingError):
    """Base of everything this package raises about BILL.

    Attributes:
        message: What BILL said, in its own words, cleaned; or what happened when BILL said nothing.
        integration: Label of the integration given to the client, or an empty string.
        endpoint: Verb and path, for example ``GET /v3/bills``; never a query.
        code: BILL's code such as ``BDC_1109``, OAuth's such as ``invalid_client``, or None.
        http_status: Status of the response, or None when there was none.
        next_step: What the reader can do about it.
    """

    headline: ClassVar[str] = "The call to BILL failed"
    default_next_step: ClassVar[str] = "Read BILL's message, correct what it names and run again."

    def __init__(
        self,
        message: str,
        *,
        integration: str = "",
        endpoint: str = "",
        code: str | None = None,
        http_status: int | None = None,
        next_step: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.integration = integration
        self.endpoint = endpoint
        self.code = code
        self.http_status = http_status
        self.next_step = next_step or self.default_next_step

    def located(self, *, integration: str, endpoint: str) -> Self:
        """This error with the integration and endpoint filled in where they were missing."""
        self.integration = self.integration or integration
        self.endpoint = self.endpoint or endpoint
        return self

    def __str__(self) -> str:
        where = f" at {self.endpoint}" if self.endpoint else ""
        status = f"HTTP {self.http_status}" if self.http_status is not None else None
        facts = ", ".join(fact for fact in (status, self.code) if fact)
        prefix = f"{self.integration}: " if self.integration else ""
        said = self.message if self.message.endswith((".", "!", "?")) else f"{self.message}."
        return f"{prefix}{self.headline}{where}{f' ({facts})' if facts else ''}: {said} Next step: {self.next_step}"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self), self.message, dict(self.__dict__))


def _rebuilt(kind: type[BillError], message: str, state: dict[str, Any]) -> BillError:
    """An error as it was before pickling."""
    error = kind.__new__(kind, message)
    error.args = (message,)
    error.__dict__.update(state)
    return error


class ConfigurationError(BillError):
    """A credential or address that cannot be right; nothing was sent."""

    headline = "The BILL connection is not configured correctly"
    default_next_step = "Correct the setting and connect again."


class AuthenticationRefused(BillError):
    """BILL refused the sign-in. Not retried: repeated failures lock the organization."""

    headline = "BILL refused the sign-in"
    default_next_step = (
        "Check username, password (or sync token name and value), organization id and developer key, and that all "
        "four belong to the same BILL environment."
    )


class SignInPostponed(BillError):
    """BILL refuses sign-ins for now; the same credentials may be accepted later. Not retried before ``not_before``.

    Attributes:
        not_before: When the next sign-in may be tried; None when nobody keeps count.
    """

    headline = "BILL refuses the sign-in for now"
    default_next_step = "billcom validate tries at once, which may prolong a lock."
    not_before: datetime | None = None

    def until(self, not_before: datetime) -> Self:
        """This error with the time from which on the next sign-in may be tried."""
        self.not_before = not_before
        self.next_step = f"Try again at {not_before:%Y-%m-%d %H:%M} UTC; runs send no sign-in before. {self.next_step}"
        return self


class SessionsExhausted(BillError):
    """BILL kept refusing fresh sessions, or the cap on sign-ins was reached."""

    headline = "BILL keeps ending the session"
    default_next_step = (
        "Check that no other program signs this user out and that the developer key was not replaced, then test the "
        "connection and run again; finished pages are kept."
    )


class UntrustedSession(BillError):
    """The operation needs a session trusted by two-step verification.

    See https://developer.bill.com/reference/setup
    """

    headline = "BILL wants two-step verification for this operation"
    default_next_step = (
        "Do it in BILL's web application: payments, automatic payments and bank accounts need a trusted session, "
        "which a sync token or plain sign-in does not give. Signing in again does not help."
    )


class Refused(BillError):
    """BILL refused the call for good; the same call will be refused again."""

    headline = "BILL refused the call"


class QueryRefused(Refused):
    """BILL refused a list's filter, sort, page size or cursor.

    Attributes:
        cursor_in_play: True when the call continued a walk with a cursor, so that starting the walk again may work.
    """

    headline = "BILL refused the list query"
    default_next_step = "Start the walk again without the cursor, or read the whole list without this filter and sort."

    def __init__(self, message: str, *, cursor_in_play: bool = False, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.cursor_in_play = cursor_in_play


class UnsupportedCall(Refused):
    """BILL does not know this path. Says nothing about any object."""

    headline = "BILL does not know this call"
    default_next_step = "Check the base URL and that the developer key may use this part of BILL's API."


class NotFound(BillError):
    """BILL has no object with this id."""

    headline = "BILL has no such object"
    default_next_step = "Check the id and that it belongs to this organization."

    @property
    def confirmed(self) -> bool:
        """True when BILL itself said so with its code; a bare HTTP 404 may come from elsewhere."""
        return self.code == "BDC_1205"


class WrongEntityType(BillError):
    """The id names another kind of object than the call expects."""

    headline = "The id names another kind of BILL object"
    default_next_step = (
        "Check the id's prefix. Signed in with a sync token, calls about the current user are not available; sign in "
        "as a BILL user for those."
    )


class HourlyLimitReached(BillError):
    """The developer key's allowance for this clock hour is used up.

    Attributes:
        counted: ``requests`` or ``logins``.
        resets_at: Start of the next clock hour, UTC; None when unknown.
    """

    headline = "BILL's hourly limit is reached"

    def __init__(
        self, message: str, *, counted: str = "requests", resets_at: datetime | None = None, **facts: Any
    ) -> None:
        when = f"at {resets_at:%Y-%m-%d %H:%M} UTC" if resets_at else "with the next clock hour"
        facts["next_step"] = facts.get("next_step") or (
            f"BILL counts {counted} per developer key over all organizations (OAuth: per client); the next allowance "
            f"opens {when}. Run again after that; finished pages are kept."
        )
        super().__init__(message, **facts)
        self.counted = counted
        self.resets_at = resets_at


class TooManyAtOnce(BillError):
    """More than three requests in flight for the organization and developer key, for longer than we waited."""

    headline = "BILL is busy with other requests of this organization"
    default_next_step = (
        "BILL allows three requests at once per organization and developer key. Stop other programs that use the "
        "same key, or run again later."
    )


class BillUnavailable(BillError):
    """BILL did not give a usable response in a bounded number of attempts."""

    headline = "BILL is not answering properly"
    default_next_step = "Run again later; finished pages are kept."


class ResponseBeyondLimits(BillUnavailable):
    """A response was larger or slower than any of BILL's, and was given up."""

    headline = "The response went beyond what this program accepts"
    default_next_step = (
        "Check the base URL, and what stands between this machine and BILL, such as a proxy: BILL's own responses are "
        "far smaller and faster. Then run again; finished pages are kept."
    )


class Unreachable(BillError):
    """No connection to BILL: name not found, connection refused, or an untrusted certificate."""

    headline = "BILL cannot be reached"
    default_next_step = "Check the network, the proxy and the base URL."


class WriteOutcomeUnknown(BillError):
    """The response to a write was lost, so it may or may not have happened. Never replayed."""

    headline = "The outcome of a change sent to BILL is unknown"
    default_next_step = "Read the object or list again and compare before sending the change a second time."


LIST_TROUBLE: Final = (Refused, NotFound, WrongEntityType, UntrustedSession, BillUnavailable)
"""What concerns one list or object; the calls about others may succeed all the same."""
