"""Turns a problem that stayed into the error that explains it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from billcom_assets.bill.answers import Kind, Problem, says_dead_session
from billcom_assets.bill.errors import (
    AuthenticationRefused,
    BillError,
    BillUnavailable,
    HourlyLimitReached,
    NotFound,
    QueryRefused,
    Refused,
    ResponseBeyondLimits,
    SessionsExhausted,
    SignInPostponed,
    TooManyAtOnce,
    Unreachable,
    UnsupportedCall,
    UntrustedSession,
    WriteOutcomeUnknown,
    WrongEntityType,
)
from billcom_assets.bill.limits import next_hour
from billcom_assets.bill.retry import OUTCOME_UNKNOWN

_ERROR_BY_KIND: Final[dict[Kind, type[BillError]]] = {
    Kind.DEAD_SESSION: SessionsExhausted,
    Kind.AUTHENTICATION: AuthenticationRefused,
    Kind.UNTRUSTED: UntrustedSession,
    Kind.HOURLY_LIMIT: HourlyLimitReached,
    Kind.TOO_MANY_AT_ONCE: TooManyAtOnce,
    Kind.NOT_FOUND: NotFound,
    Kind.WRONG_ENTITY_TYPE: WrongEntityType,
    Kind.UNSUPPORTED: UnsupportedCall,
    Kind.UNAVAILABLE: BillUnavailable,
    Kind.UNEXPLAINED: BillUnavailable,
    Kind.MALFORMED: BillUnavailable,
    Kind.BEYOND_LIMITS: ResponseBeyondLimits,
    Kind.GATEWAY: Refused,
    Kind.LOST: BillUnavailable,
    Kind.UNREACHABLE: Unreachable,
    Kind.UNTRUSTED_HOST: Unreachable,
    Kind.REDIRECT: Refused,
    Kind.REFUSED: Refused,
}

_CHECK_ADDRESS: Final = "Check the base URL: it is BILL's address up to and including /connect."

_NEXT_STEP_BY_KIND: Final = {
    Kind.REDIRECT: _CHECK_ADDRESS,
    Kind.GATEWAY: f"Something in front of BILL refused the call. {_CHECK_ADDRESS}",
    Kind.UNTRUSTED_HOST: (
        "Check the base URL and the certificates trusted by this machine. A company proxy that inspects traffic needs "
        "its certificate in the bundle that REQUESTS_CA_BUNDLE names."
    ),
}

_WHO = (
    "Check the username and password (for a sync token: its name and its value) and the organization id. They must be "
    "of BILL's {environment} environment; the environments share no users."
)
_KEY = (
    "Check the developer key: copied whole, not revoked, and made for BILL's {environment} environment. BILL also "
    "gives this message when the login belongs to the other environment."
)
_CAUSES: Final = {
    "BDC_1101": _WHO,
    "BDC_1102": _KEY,
    "BDC_1103": _KEY,
    "BDC_1104": "Sign in to BILL's developer site and accept the developer terms.",
    "BDC_1105": (
        "API access is off for this organization. Ask a BILL administrator of the organization, or BILL's support, to "
        "switch it on."
    ),
    "BDC_1106": "Use a developer key and user of the same BILL partner as the organization.",
    "BDC_1107": "BILL locked the sign-in after repeated failures.",
    "BDC_1110": "BILL locked the sign-in after repeated failures.",
    "BDC_1111": _WHO,
    "BDC_1113": _WHO,
    "BDC_1123": "Check the organization id: it begins with 008 and is of BILL's {environment} environment.",
}
_LOCK_CODES: Final = frozenset({"BDC_1107", "BDC_1110"})
_POSTPONED: Final = "POSTPONED"
"""Stands for the code of a sign-in that was refused for now, where BILL gave none that says so."""
_FOR_NOW: Final = frozenset({*_LOCK_CODES, _POSTPONED})
_LATER: Final = re.compile(r"\btry (again )?(later|in \d)|\btemporar|\btoo many\b|\blocked\b", re.I)
_REFUSALS: Final = frozenset(
    {Kind.AUTHENTICATION, Kind.DEAD_SESSION, Kind.REFUSED, Kind.WRONG_ENTITY_TYPE, Kind.UNTRUSTED}
)
"""What refuses a sign-in; other problems mean that BILL did not look at it."""
_CURED_ELSEWHERE: Final = frozenset({"", "BDC_1001", "BDC_1002", "BDC_1104", "BDC_1105", "BDC_1144", "BDC_1322"})
"""After these the same credentials may be accepted; after any other refusal of a sign-in they will not."""
_MORE_RIGHTS: Final = (
    "The signed-in user or sync token may not do this. Have a BILL administrator widen its role, or sign in as another "
    "user."
)
_QUERY_STATUSES: Final = frozenset({200, 400, 410, 414, 422})


@dataclass(frozen=True, slots=True)
class Context:
    """What a failed call was about."""

    endpoint: str
    is_login: bool = False
    is_write: bool = False
    is_query: bool = False
    cursor_in_play: bool = False


def error_for(
    problem: Problem,
    context: Context,
    *,
    integration: str,
    environment: str,
    now: datetime,
) -> BillError:
    """The error to raise for ``problem``, whose message holds no secret."""
    kind = _error_class(problem, context)
    facts: dict[str, Any] = {
        "integration": integration,
        "endpoint": context.endpoint,
        "code": problem.code,
        "http_status": problem.http_status,
        "next_step": _next_step(kind, problem, integration, environment),
    }
    if kind is QueryRefused:
        facts["cursor_in_play"] = context.cursor_in_play
    if kind is HourlyLimitReached:
        facts["counted"] = "logins" if context.is_login else "requests"
        facts["resets_at"] = next_hour(now)
    return kind(problem.message, **facts)


def _error_class(problem: Problem, context: Context) -> type[BillError]:
    if context.is_write and problem.kind in OUTCOME_UNKNOWN:
        return WriteOutcomeUnknown
    if context.is_query and _query_is_at_fault(problem, context):
        return QueryRefused
    if context.is_login or problem.kind is Kind.AUTHENTICATION:
        return _login_error_class(problem)
    if problem.kind is Kind.DEAD_SESSION:
        return _dead_session_class(problem)
    if problem.http_status == 404 and problem.code is None and (context.is_query or problem.kind is Kind.GATEWAY):
        return UnsupportedCall
    return _ERROR_BY_KIND[problem.kind]


def _dead_session_class(problem: Problem) -> type[BillError]:
    """What a session that stays dead in spite of new sign-ins really means."""
    if says_dead_session(problem):
        return SessionsExhausted
    return UntrustedSession if problem.code == "BDC_1361" else Refused


def _login_error_class(problem: Problem) -> type[BillError]:
    """At sign-in there is no session to renew and no object to find."""
    if problem.kind in _REFUSALS:
        return SignInPostponed if _is_for_now(problem) else AuthenticationRefused
    if problem.kind is Kind.NOT_FOUND:
        return AuthenticationRefused if problem.code else UnsupportedCall
    if problem.http_status == 404:
        return UnsupportedCall
    return _ERROR_BY_KIND[problem.kind]


def _is_for_now(problem: Problem) -> bool:
    """True when BILL may accept the same credentials later.

    A lock passes; so may a 403 that neither code nor wording explains, which what stands in front of BILL gives as
    well. What BILL's codes explain otherwise is final, whatever the wording.
    """
    if problem.code in _LOCK_CODES:
        return True
    if problem.code in _CAUSES:
        return False
    if problem.http_status == 423 or _LATER.search(problem.message):
        return True
    return problem.http_status == 403 and problem.code is None and problem.kind is Kind.REFUSED


def _query_is_at_fault(problem: Problem, context: Context) -> bool:
    """True when another query, or the same from its start, may be accepted."""
    if problem.kind in {Kind.REFUSED, Kind.GATEWAY}:
        return problem.http_status in _QUERY_STATUSES
    if problem.kind is Kind.NOT_FOUND:
        return context.cursor_in_play
    return problem.kind is Kind.UNEXPLAINED


def refusal_code(error: BillError) -> str | None:
    """BILL's code, or for a sign-in refused without one the HTTP status, by which ``sign_in_command`` knows it."""
    if isinstance(error, SignInPostponed) and error.code not in _LOCK_CODES:
        return _POSTPONED
    if error.code is None and isinstance(error, AuthenticationRefused):
        return f"HTTP {error.http_status}"
    return error.code


def sign_in_command(integration: str, code: str | None) -> str:
    """What to run after a sign-in that failed with this ``refusal_code``: never what would only fail again.

    BILL locks organizations after repeated failures, for 5 to 15 minutes.
    """
    validate = f"billcom validate {integration}"
    connect = (
        f"billcom connect {integration} --organization-id ID --username NAME --password - --dev-key KEY "
        "with the right credentials"
    )
    if code in _FOR_NOW:
        return f"wait 15 minutes, in which nobody tries, then {validate}; if the credentials were wrong, {connect}"
    if (code or "") in _CURED_ELSEWHERE:
        return f"{validate}, or with other credentials billcom connect {integration} ..."
    return f"{connect} (repeated failures lock the organization)"


def _next_step(kind: type[BillError], problem: Problem, integration: str, environment: str) -> str:
    if kind is AuthenticationRefused:
        return _sign_in_step(problem, integration, environment)
    if kind is SignInPostponed:
        cause = _CAUSES.get(problem.code or "", "It may be a lock after repeated failures.")
        return f"{cause} Then {sign_in_command(integration or 'KEY', _POSTPONED)}."
    if kind in {SessionsExhausted, WriteOutcomeUnknown, QueryRefused}:
        return ""
    if kind is Refused and problem.http_status in {401, 403}:
        return _MORE_RIGHTS
    return _NEXT_STEP_BY_KIND.get(problem.kind, "")


def _sign_in_step(problem: Problem, integration: str, environment: str) -> str:
    """What to check, and the command with which to go on."""
    code = problem.code or f"HTTP {problem.http_status}"
    cause = _CAUSES.get(code, AuthenticationRefused.default_next_step)
    return f"{cause.format(environment=environment)} Then {sign_in_command(integration or 'KEY', code)}."
