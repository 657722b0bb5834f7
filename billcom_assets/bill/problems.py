"""What BILL's errors mean: one row per kind of problem, and nothing about them anywhere else.

A response is classified by its code first, then by BILL's well-known wording, then by its HTTP status. BILL's codes:
https://developer.bill.com/docs/common-api-error-codes; its limits: https://developer.bill.com/docs/api-rate-limits.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum
from typing import Final

from billcom_assets.bill import errors
from billcom_assets.bill.errors import BillError
from billcom_assets.redaction.display import one_line

_MESSAGE_LIMIT: Final = 600
_TAG: Final = re.compile(r"<[^>]*>")
_SESSION_ENDED: Final = re.compile(
    r"session\w*\b.{0,30}\b(invalid|expired|timed out)|\b(invalid|expired) session", re.I
)
_NO_DATA: Final = re.compile(r"no data found", re.I)
_CHECK_ADDRESS: Final = "Check the base URL: it is BILL's address up to and including /connect."


class ProblemKind(StrEnum):
    """What kind of problem a response is, or the lack of one."""

    DEAD_SESSION = "dead session"
    CREDENTIALS = "credentials refused"
    CLIENT = "OAuth client refused"
    DEVELOPER_KEY = "developer key refused"
    ORGANIZATION_ID = "organization refused"
    TERMS = "developer terms not accepted"
    API_ACCESS = "API access off"
    OTHER_PARTNER = "other partner"
    LOCKED = "sign-in locked"
    UNTRUSTED = "untrusted session"
    HOURLY_LIMIT = "hourly limit"
    TOO_MANY_AT_ONCE = "too many at once"
    NOT_FOUND = "not found"
    WRONG_ENTITY_TYPE = "wrong entity type"
    UNSUPPORTED = "unsupported call"
    UNAVAILABLE = "unavailable"
    UNEXPLAINED = "unexplained error"
    """BILL's "unknown error", often a misspelt parameter: worth a try or two, no more."""
    MALFORMED = "malformed response"
    BEYOND_LIMITS = "beyond limits"
    """More bytes, values or time than any response of BILL's takes."""
    GATEWAY = "refused before BILL"
    """A 4xx that is not JSON: something in front of BILL sent it."""
    LOST = "lost response"
    """Sent, but the connection broke or time ran out before the response was complete."""
    UNREACHABLE = "unreachable"
    """Surely never sent."""
    UNTRUSTED_HOST = "untrusted certificate"
    REDIRECT = "redirect"
    REFUSED = "refused"

    @property
    def meaning(self) -> Meaning:
        """What follows from it."""
        return MEANINGS[self]


class Write(Enum):
    """What a problem says about a write that was sent."""

    REFUSED = "did not happen, and the same one will not"
    NOT_DONE = "surely did not happen, and may be sent again"
    UNKNOWN = "may have happened"


@dataclass(frozen=True)
class Meaning:
    """One row of the table."""

    error: type[BillError]
    """What is raised when the problem stays."""
    codes: tuple[str, ...] = ()
    wording: re.Pattern[str] | None = None
    """Of a message without a code."""
    statuses: tuple[int, ...] = ()
    """Of a response without code or known wording."""
    passes: bool = False
    """It may pass by itself: a read is repeated."""
    patience: int | None = None
    """Attempts that end in it before it is believed; None for the policy's own number."""
    is_throttling: bool = False
    """BILL's limits are behind it."""
    write: Write = Write.REFUSED
    refuses_sign_in: bool = False
    """It is BILL's word on a sign-in; other problems mean that BILL did not look at it."""
    is_about_sign_in: bool = False
    """It speaks of the sign-in, whatever call it came with."""
    same_credentials_may_do: bool = False
    """The same credentials may be accepted later, when somebody has put something else right."""
    next_step: str = ""
    """Where the error's own does not do; ``{environment}`` is BILL's environment that was called."""


def _sign_in(next_step: str, *codes: str, wording: str | None = None, same_credentials_may_do: bool = False) -> Meaning:
    return Meaning(
        errors.AuthenticationRefused,
        codes,
        re.compile(wording, re.I) if wording else None,
        refuses_sign_in=True,
        is_about_sign_in=True,
        same_credentials_may_do=same_credentials_may_do,
        next_step=next_step,
    )


MEANINGS: Final[dict[ProblemKind, Meaning]] = {
    ProblemKind.HOURLY_LIMIT: Meaning(
        errors.HourlyLimitReached,
        ("BDC_1144",),
        re.compile(r"requests?\b.{0,40}\bper hour", re.I),
        passes=True,
        # BILL sometimes reports it although allowance is left; a true one will not pass in seconds.
        patience=4,
        is_throttling=True,
        write=Write.NOT_DONE,
        same_credentials_may_do=True,
    ),
    ProblemKind.TOO_MANY_AT_ONCE: Meaning(
        errors.TooManyAtOnce,
        ("BDC_1322",),
        re.compile(r"concurrent requests", re.I),
        (429,),
        passes=True,
        is_throttling=True,
        write=Write.NOT_DONE,
        same_credentials_may_do=True,
    ),
    ProblemKind.DEAD_SESSION: Meaning(
        errors.SessionsExhausted,
        ("BDC_1109", "BDC_1120"),
        _SESSION_ENDED,
        (401,),
        refuses_sign_in=True,
    ),
    ProblemKind.UNTRUSTED: Meaning(
        errors.UntrustedSession, ("BDC_1361",), re.compile(r"untrusted session", re.I), refuses_sign_in=True
    ),
    ProblemKind.CREDENTIALS: _sign_in(
        "Check the username and password (for a sync token: its name and its value; for an accountant: the console "
        "token) and the organization id. They must be of BILL's {environment} environment; the environments share no "
        "users.",
        *("BDC_1101", "BDC_1111", "BDC_1113"),
        wording="do not match our records",
    ),
    # OAuth's own words, RFC 6749 section 5.2; what to check says the sign-in.
    ProblemKind.CLIENT: _sign_in("", "invalid_client", "unauthorized_client"),
    ProblemKind.DEVELOPER_KEY: _sign_in(
        "Check the developer key: copied whole, not revoked, and made for BILL's {environment} environment. BILL also "
        "shows this message when the login belongs to the other environment, or when the key serves only its older "
        "API: then billcom connect KEY --api v2.",
        *("BDC_1102", "BDC_1103"),
        wording="developer key is invalid",
    ),
    ProblemKind.ORGANIZATION_ID: _sign_in(
        "Check the organization id: it begins with 008 and is of BILL's {environment} environment.", "BDC_1123"
    ),
    ProblemKind.TERMS: _sign_in(
        "Sign in to BILL's developer site and accept the developer terms.", "BDC_1104", same_credentials_may_do=True
    ),
    ProblemKind.API_ACCESS: _sign_in(
        "API access is off for this organization. Ask a BILL administrator of the organization, or BILL's support, to "
        "switch it on.",
        "BDC_1105",
        same_credentials_may_do=True,
    ),
    ProblemKind.OTHER_PARTNER: _sign_in(
        "Use a developer key and user of the same BILL partner as the organization.", "BDC_1106"
    ),
    ProblemKind.LOCKED: Meaning(
        errors.SignInPostponed,
        ("BDC_1107", "BDC_1110"),
        statuses=(423,),
        refuses_sign_in=True,
        is_about_sign_in=True,
        next_step="BILL locked the sign-in after repeated failures.",
    ),
    ProblemKind.NOT_FOUND: Meaning(errors.NotFound, ("BDC_1205",), statuses=(404,)),
    ProblemKind.WRONG_ENTITY_TYPE: Meaning(errors.WrongEntityType, ("BDC_1302",), refuses_sign_in=True),
    ProblemKind.UNSUPPORTED: Meaning(errors.UnsupportedCall, ("BDC_1121",), re.compile(r"api not supported", re.I)),
    ProblemKind.UNAVAILABLE: Meaning(
        errors.BillUnavailable,
        ("BDC_1001",),
        statuses=(408, 425),
        passes=True,
        write=Write.UNKNOWN,
        same_credentials_may_do=True,
    ),
    ProblemKind.UNEXPLAINED: Meaning(
        errors.BillUnavailable,
        ("BDC_1002",),
        passes=True,
        patience=3,
        write=Write.UNKNOWN,
        same_credentials_may_do=True,
    ),
    ProblemKind.MALFORMED: Meaning(errors.BillUnavailable, passes=True, write=Write.UNKNOWN),
    # Each attempt may take minutes.
    ProblemKind.BEYOND_LIMITS: Meaning(errors.ResponseBeyondLimits, passes=True, patience=3, write=Write.UNKNOWN),
    ProblemKind.GATEWAY: Meaning(
        errors.Refused,
        passes=True,
        patience=3,
        next_step=f"Something in front of BILL refused the call. {_CHECK_ADDRESS}",
    ),
    ProblemKind.LOST: Meaning(errors.BillUnavailable, passes=True, write=Write.UNKNOWN),
    ProblemKind.UNREACHABLE: Meaning(errors.Unreachable, passes=True, patience=4, write=Write.NOT_DONE),
    ProblemKind.UNTRUSTED_HOST: Meaning(
        errors.Unreachable,
        next_step="Check the base URL and the certificates trusted by this machine. A company proxy that inspects "
        "traffic needs its certificate in the bundle that REQUESTS_CA_BUNDLE names.",
    ),
    ProblemKind.REDIRECT: Meaning(errors.Refused, next_step=_CHECK_ADDRESS),
    ProblemKind.REFUSED: Meaning(errors.Refused, refuses_sign_in=True),
}
"""The order in which wordings are looked for."""

_BY_CODE: Final = {code: kind for kind, meaning in MEANINGS.items() for code in meaning.codes}
_BY_STATUS: Final = {status: kind for kind, meaning in MEANINGS.items() for status in meaning.statuses}


@dataclass(frozen=True, slots=True)
class Problem:
    """A response that is no success, or the lack of one."""

    kind: ProblemKind
    message: str = field(repr=False)
    """BILL's own words as they came, or what happened; what may be shown of it is in :meth:`shown`."""
    code: str | None = None
    http_status: int | None = None
    retry_after: float | None = None
    """Seconds that something in front of BILL asked us to wait; BILL itself never says."""
    is_markup: bool = False

    def shown(self, redact: Callable[[str], str]) -> Problem:
        """This problem with a message to show: redacted before anything else is done to it, then cleaned and cut."""
        message = redact(self.message)
        if self.is_markup:
            message = _TAG.sub(" ", message)
        return replace(self, message=one_line(message, limit=_MESSAGE_LIMIT) or "an unreadable response")

    @property
    def says_dead_session(self) -> bool:
        """True when there is no doubt that a session ended.

        Code 1361 means "untrusted" as well as "expired", a bare 403 from v2's gatekeeper or a 401 that neither a code
        nor its wording explains may mean other things too: one new session shows which.
        """
        if self.code is None:
            return _SESSION_ENDED.search(self.message) is not None
        return self.code in ProblemKind.DEAD_SESSION.meaning.codes


def kind_of(code: str | None) -> ProblemKind | None:
    """The kind that BILL's code stands for; None for a code that is not in the table."""
    return _BY_CODE.get(code or "")


def kind_by_content(code: str | None, message: str, status: int) -> ProblemKind | None:
    """The kind that code or wording decide; None leaves it to the status."""
    if code == "BDC_1361" and _SESSION_ENDED.search(message):
        return ProblemKind.DEAD_SESSION
    if code == "BDC_1120" and status != 401 and _NO_DATA.search(message):
        return ProblemKind.NOT_FOUND  # BILL's list of codes says so; clients have met the code for dead sessions
    if code == "BDC_1002" and status < 500:
        return ProblemKind.REFUSED if status < 300 else None
    if code is not None:
        # An unknown code on a success status is still an error, a permanent one.
        return _BY_CODE.get(code) or (ProblemKind.REFUSED if status < 300 else None)
    return kind_by_wording(message)


def kind_by_wording(message: str) -> ProblemKind | None:
    """The kind that BILL's well-known wording stands for."""
    said = one_line(message, limit=_MESSAGE_LIMIT)
    return next((kind for kind, one in MEANINGS.items() if one.wording and one.wording.search(said)), None)


def kind_by_status(status: int, *, v2: bool) -> ProblemKind:
    """The kind that is left when nothing but the HTTP status tells."""
    if status >= 500 or status < 200:
        return ProblemKind.UNAVAILABLE
    if v2 and status == 403:
        return ProblemKind.DEAD_SESSION  # v2 reports its errors with 200, so this comes from its gatekeeper
    return _BY_STATUS.get(status, ProblemKind.REFUSED)
