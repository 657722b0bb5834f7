"""Turns a problem that stayed into the error that explains it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from billcom_assets.bill.errors import (
    AuthenticationRefused,
    BillError,
    HourlyLimitReached,
    QueryRefused,
    Refused,
    SessionsExhausted,
    SignInPostponed,
    UnsupportedCall,
    UntrustedSession,
    WriteOutcomeUnknown,
)
from billcom_assets.bill.problems import Problem, ProblemKind, Write, kind_of
from billcom_assets.bill.quotas import next_hour

_POSTPONED: Final = "POSTPONED"
"""Stands for the code of a sign-in that was refused for now, where BILL gave none that says so."""
_LATER: Final = re.compile(r"\btry (again )?(later|in \d)|\btemporar|\btoo many\b|\blocked\b", re.I)
_MORE_RIGHTS: Final = (
    "The signed-in user, sync token or OAuth client may not do this. Have a BILL administrator widen its role or "
    "scope, or sign in as another one."
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
    check: str = ""
    """Of a sign-in: what to check when BILL's refusal does not say; ``{environment}`` is BILL's environment."""


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
        "next_step": _next_step(kind, problem, context, integration, environment),
    }
    if kind is QueryRefused:
        facts["cursor_in_play"] = context.cursor_in_play
    if kind is HourlyLimitReached:
        facts["counted"] = "logins" if context.is_login else "requests"
        facts["resets_at"] = next_hour(now)
    return kind(problem.message, **facts)


def _error_class(problem: Problem, context: Context) -> type[BillError]:
    meaning = problem.kind.meaning
    if context.is_write and meaning.write is Write.UNKNOWN:
        return WriteOutcomeUnknown
    if context.is_query and _query_is_at_fault(problem, context):
        return QueryRefused
    if context.is_login or meaning.is_about_sign_in:
        return _login_error_class(problem)
    if problem.kind is ProblemKind.DEAD_SESSION:
        return _dead_session_class(problem)
    if (
        problem.http_status == 404
        and problem.code is None
        and (context.is_query or problem.kind is ProblemKind.GATEWAY)
    ):
        return UnsupportedCall
    return meaning.error


def _dead_session_class(problem: Problem) -> type[BillError]:
    """What a session that stays dead in spite of new sign-ins really means."""
    if problem.says_dead_session:
        return SessionsExhausted
    return UntrustedSession if problem.code == "BDC_1361" else Refused


def _login_error_class(problem: Problem) -> type[BillError]:
    """At sign-in there is no session to renew and no object to find."""
    if problem.kind.meaning.refuses_sign_in:
        return SignInPostponed if _is_for_now(problem) else AuthenticationRefused
    if problem.kind is ProblemKind.NOT_FOUND:
        return AuthenticationRefused if problem.code else UnsupportedCall
    if problem.http_status == 404:
        return UnsupportedCall
    return problem.kind.meaning.error


def _is_for_now(problem: Problem) -> bool:
    """True when BILL may accept the same credentials later.

    A lock passes; so may a 403 that neither code nor wording explains, which what stands in front of BILL gives as
    well. What BILL's codes explain otherwise is final, whatever the wording.
    """
    explained = kind_of(problem.code)
    if explained is not None and explained.meaning.is_about_sign_in:
        return explained is ProblemKind.LOCKED
    if problem.http_status == 423 or _LATER.search(problem.message):
        return True
    return problem.http_status == 403 and problem.code is None and problem.kind is ProblemKind.REFUSED


def _query_is_at_fault(problem: Problem, context: Context) -> bool:
    """True when another query, or the same from its start, may be accepted."""
    if problem.kind in {ProblemKind.REFUSED, ProblemKind.GATEWAY}:
        return problem.http_status in _QUERY_STATUSES
    if problem.kind is ProblemKind.NOT_FOUND:
        return context.cursor_in_play
    return problem.kind is ProblemKind.UNEXPLAINED


def refusal_code(error: BillError) -> str | None:
    """BILL's code, or for a sign-in refused without one the HTTP status, by which ``sign_in_command`` knows it."""
    if isinstance(error, SignInPostponed) and kind_of(error.code) is not ProblemKind.LOCKED:
        return _POSTPONED
    if error.code is None and isinstance(error, AuthenticationRefused):
        return f"HTTP {error.http_status}"
    return error.code


def sign_in_command(integration: str, code: str | None) -> str:
    """What to run after a sign-in that failed with this ``refusal_code``: never what would only fail again.

    BILL locks organizations after repeated failures, for 5 to 15 minutes.
    """
    validate = f"billcom validate {integration}"
    connect = f"billcom connect {integration}"
    kind = kind_of(code)
    if code == _POSTPONED or kind is ProblemKind.LOCKED:
        return f"wait 15 minutes, in which nobody tries, then {validate}; if the credentials were wrong: {connect}"
    if code is None or (kind is not None and kind.meaning.same_credentials_may_do):
        return f"{validate}, or with other credentials: {connect}"
    return f"{connect} (it asks for the right credentials; repeated failures lock the organization)"


def _next_step(kind: type[BillError], problem: Problem, context: Context, integration: str, environment: str) -> str:
    if kind is AuthenticationRefused:
        return _sign_in_step(problem, context, integration, environment)
    if kind is SignInPostponed:
        known = kind_of(problem.code)
        cause = known.meaning.next_step if known is not None else "It may be a lock after repeated failures."
        return f"{cause} Then {sign_in_command(integration or 'KEY', _POSTPONED)}."
    if kind in {SessionsExhausted, WriteOutcomeUnknown, QueryRefused}:
        return ""
    if kind is Refused and problem.http_status in {401, 403}:
        return _MORE_RIGHTS
    return problem.kind.meaning.next_step


def _sign_in_step(problem: Problem, context: Context, integration: str, environment: str) -> str:
    """What to check, and the command with which to go on."""
    cause = problem.kind.meaning.next_step or context.check or AuthenticationRefused.default_next_step
    command = sign_in_command(integration or "KEY", problem.code or f"HTTP {problem.http_status}")
    return f"{cause.format(environment=environment)} Then {command}."
