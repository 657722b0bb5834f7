from __future__ import annotations

import inspect
import json
import pickle
from datetime import UTC, datetime

import pytest

from billcom_assets.bill import errors
from billcom_assets.bill.errors import (
    AuthenticationRefused,
    BillError,
    HourlyLimitReached,
    NotFound,
    QueryRefused,
    Refused,
)
from billcom_assets.bill.failures import Context, error_for
from billcom_assets.bill.problems import Problem, ProblemKind
from billcom_assets.bill.responses import read

FAMILY = [
    one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, BillError)
]  # fmt: skip
NOW = datetime(2026, 6, 1, 23, 59, 59, tzinfo=UTC)
READ = Context("GET /v3/bills/00n")
LIST = Context("GET /v3/bills", is_query=True)
WALK = Context("GET /v3/bills", is_query=True, cursor_in_play=True)
LOGIN = Context("POST /v3/login", is_login=True)
WRITE = Context("POST /v3/bills", is_write=True)


def raised(problem: Problem, context: Context = READ) -> BillError:
    return error_for(problem, context, integration="acme-us", environment="stage", now=NOW)


@pytest.mark.parametrize("kind", FAMILY)
def test_every_error_reads_as_one_paragraph_with_all_it_knows(kind: type[BillError]) -> None:
    error = kind(
        "Invalid Process Date : ${paramName0}",
        integration="acme-us",
        endpoint="GET /v3/bills",
        code="BDC_1152",
        http_status=422,
        next_step="Do this.",
    )
    text = str(error)
    assert "\n" not in text
    for fact in (
        "acme-us",
        "GET /v3/bills",
        "BDC_1152",
        "HTTP 422",
        "Invalid Process Date : ${paramName0}",
        "Do this.",
    ):
        assert fact in text


@pytest.mark.parametrize("kind", FAMILY)
def test_every_error_has_a_next_step_of_its_own(kind: type[BillError]) -> None:
    assert len(kind("Something.").next_step) > 20
    assert str(kind("Something.")).endswith(kind("Something.").next_step)


@pytest.mark.parametrize("kind", FAMILY)
def test_every_error_survives_pickling(kind: type[BillError]) -> None:
    error = kind("Something.", integration="acme-us", code="BDC_1", http_status=400, endpoint="GET /v3/bills")
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.__dict__) == (kind, str(error), error.__dict__)


def test_pickling_keeps_what_only_some_errors_know() -> None:
    error = QueryRefused("No.", cursor_in_play=True)
    assert pickle.loads(pickle.dumps(error)).cursor_in_play is True


def test_locating_an_error_fills_gaps_and_keeps_what_is_known() -> None:
    error = HourlyLimitReached("All used.").located(integration="acme-us", endpoint="GET /v3/bills")
    assert (error.integration, error.endpoint) == ("acme-us", "GET /v3/bills")
    assert error.located(integration="other", endpoint="other").integration == "acme-us"


def test_the_hourly_limit_names_what_was_counted_and_when_the_next_hour_starts() -> None:
    problem = Problem(
        ProblemKind.HOURLY_LIMIT, "Max number of allowed requests per hour reached: 20000.", "BDC_1144", 422
    )
    error = raised(problem)
    assert isinstance(error, HourlyLimitReached)
    assert (error.counted, error.resets_at) == ("requests", datetime(2026, 6, 2, 0, 0, tzinfo=UTC))
    assert "2026-06-02 00:00 UTC" in str(error)
    login = raised(problem, LOGIN)
    assert isinstance(login, HourlyLimitReached)
    assert login.counted == "logins"


def refusal(code: str | None, status: int) -> Problem:
    """What BILL's response means."""
    body = json.dumps([{"code": code, "message": "No."} if code else {"message": "No."}])
    problem = read(status, body.encode())
    assert isinstance(problem, Problem)
    return problem


@pytest.mark.parametrize(
    ("code", "status", "hint"),
    [
        ("BDC_1101", 401, "password"),
        ("BDC_1102", 401, "developer key"),
        ("BDC_1103", 400, "developer key"),
        ("BDC_1104", 403, "terms"),
        ("BDC_1105", 403, "API access is off"),
        ("BDC_1107", 423, "wait 15 minutes"),
        ("BDC_1110", 401, "wait 15 minutes"),
        (None, 423, "wait 15 minutes"),
        ("BDC_1123", 400, "begins with 008"),
        (None, 401, "developer key"),
    ],
)
def test_a_refused_sign_in_says_what_to_do_about_its_cause(code: str | None, status: int, hint: str) -> None:
    error = raised(refusal(code, status), LOGIN)
    for_now = hint.startswith("wait")
    assert isinstance(error, errors.SignInPostponed if for_now else AuthenticationRefused)
    assert hint in error.next_step


def test_a_wrong_password_or_key_names_the_environment_that_was_asked() -> None:
    for code in ("BDC_1101", "BDC_1102", "BDC_1123"):
        assert "stage environment" in raised(refusal(code, 401), LOGIN).next_step


@pytest.mark.parametrize(
    ("problem", "context", "kind"),
    [
        (Problem(ProblemKind.REFUSED, "Bad field.", None, 400), LIST, errors.QueryRefused),
        (Problem(ProblemKind.REFUSED, "Bad field.", "BDC_1130", 422), LIST, errors.QueryRefused),
        (Problem(ProblemKind.REFUSED, "Bad field.", "BDC_1130", 200), LIST, errors.QueryRefused),
        (Problem(ProblemKind.REFUSED, "Bad field.", None, 400), READ, errors.Refused),
        (Problem(ProblemKind.REFUSED, "Role.", None, 403), LIST, errors.Refused),
        (Problem(ProblemKind.GATEWAY, "a web page", None, 400), LIST, errors.QueryRefused),
        (Problem(ProblemKind.GATEWAY, "a web page", None, 404), READ, errors.UnsupportedCall),
        (Problem(ProblemKind.UNEXPLAINED, "Unknown error", "BDC_1002", 500), LIST, errors.QueryRefused),
        (Problem(ProblemKind.UNEXPLAINED, "Unknown error", "BDC_1002", 500), READ, errors.BillUnavailable),
        (Problem(ProblemKind.NOT_FOUND, "No data", "BDC_1205", 404), READ, errors.NotFound),
        (Problem(ProblemKind.NOT_FOUND, "No cursor", "BDC_1205", 404), WALK, errors.QueryRefused),
        (Problem(ProblemKind.NOT_FOUND, "No route", None, 404), LIST, errors.UnsupportedCall),
        (Problem(ProblemKind.UNSUPPORTED, "API not supported.", "BDC_1121", 404), LIST, errors.UnsupportedCall),
        (Problem(ProblemKind.DEAD_SESSION, "Session is invalid.", "BDC_1109", 401), READ, errors.SessionsExhausted),
        (Problem(ProblemKind.DEAD_SESSION, "Session expired.", "BDC_1361", 403), READ, errors.UntrustedSession),
        (Problem(ProblemKind.DEAD_SESSION, "Unauthorized", None, 401), READ, errors.Refused),
        (Problem(ProblemKind.DEAD_SESSION, "Forbidden", None, 403), READ, errors.Refused),
        (Problem(ProblemKind.DEAD_SESSION, "Something new.", "BDC_7777", 401), READ, errors.Refused),
        (Problem(ProblemKind.UNTRUSTED, "Untrusted session.", "BDC_1361", 403), WRITE, errors.UntrustedSession),
        (Problem(ProblemKind.DEAD_SESSION, "Unauthorized", None, 401), LOGIN, errors.AuthenticationRefused),
        (Problem(ProblemKind.REFUSED, "devKey: must not be null", None, 400), LOGIN, errors.AuthenticationRefused),
        (Problem(ProblemKind.NOT_FOUND, "No such organization", "BDC_1205", 404), LOGIN, errors.AuthenticationRefused),
        (Problem(ProblemKind.NOT_FOUND, "No route", None, 404), LOGIN, errors.UnsupportedCall),
        (Problem(ProblemKind.GATEWAY, "a web page", None, 404), LOGIN, errors.UnsupportedCall),
        (Problem(ProblemKind.UNAVAILABLE, "down", None, 503), LOGIN, errors.BillUnavailable),
        (Problem(ProblemKind.LOST, "reset"), WRITE, errors.WriteOutcomeUnknown),
        (Problem(ProblemKind.UNAVAILABLE, "down", None, 502), WRITE, errors.WriteOutcomeUnknown),
        (Problem(ProblemKind.MALFORMED, "cut off", None, 201), WRITE, errors.WriteOutcomeUnknown),
        (Problem(ProblemKind.UNREACHABLE, "refused"), WRITE, errors.Unreachable),
        (Problem(ProblemKind.TOO_MANY_AT_ONCE, "busy", "BDC_1322", 422), WRITE, errors.TooManyAtOnce),
        (Problem(ProblemKind.UNTRUSTED_HOST, "certificate"), READ, errors.Unreachable),
        (Problem(ProblemKind.REDIRECT, "redirect", None, 302), READ, errors.Refused),
        (Problem(ProblemKind.WRONG_ENTITY_TYPE, "type", "BDC_1302", 400), READ, errors.WrongEntityType),
    ],
)
def test_each_problem_becomes_the_error_that_explains_it(
    problem: Problem, context: Context, kind: type[BillError]
) -> None:
    assert type(raised(problem, context)) is kind


@pytest.mark.parametrize("context", [READ, LIST, WALK, LOGIN, WRITE])
@pytest.mark.parametrize("kind", ProblemKind)
def test_every_kind_of_problem_becomes_an_error_with_a_next_step(kind: ProblemKind, context: Context) -> None:
    error = raised(Problem(kind, "Something.", None, 400), context)
    assert error.next_step
    assert error.message == "Something."


def test_a_refused_query_knows_whether_a_cursor_was_in_play() -> None:
    for context, in_play in ((LIST, False), (WALK, True)):
        error = raised(Problem(ProblemKind.REFUSED, "Bad.", None, 400), context)
        assert isinstance(error, QueryRefused)
        assert error.cursor_in_play is in_play


def test_a_missing_right_says_whom_to_ask() -> None:
    error = raised(Problem(ProblemKind.REFUSED, "Forbidden", None, 403))
    assert isinstance(error, Refused)
    assert "administrator" in error.next_step


def test_only_bills_own_code_confirms_that_an_object_is_not_there() -> None:
    assert NotFound("No data.", code="BDC_1205", http_status=404).confirmed
    assert not NotFound("Not Found", http_status=404).confirmed
