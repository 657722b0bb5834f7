from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from billcom_assets.bill.client import decode as decode_row
from billcom_assets.bill.errors import BillUnavailable
from billcom_assets.bill.json_text import Malformed, decode, decode_any
from billcom_assets.bill.pages import Page
from billcom_assets.bill.problems import Problem, ProblemKind
from billcom_assets.bill.responses import Response, read, read_page, read_value, read_written

ARRAY = [{"timestamp": "t", "severity": "ERROR", "category": "DOWNSTREAM", "message": "Something."}]


def coded(code: str | None, message: str = "Something.") -> list[dict[str, Any]]:
    return [ARRAY[0] | ({"code": code} if code else {}) | {"message": message}]


def v2_error(code: str, message: str = "Something.") -> dict[str, Any]:
    return {
        "response_status": 1,
        "response_message": "Error",
        "response_data": {"error_code": code, "error_message": message},
    }


def problem(status: int, body: Any, *, v2: bool = False) -> Problem:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    outcome = read(status, raw, v2=v2)
    assert isinstance(outcome, Problem)
    return outcome.shown(str)


CODES = {
    "BDC_1001": ProblemKind.UNAVAILABLE,
    "BDC_1101": ProblemKind.CREDENTIALS,
    "BDC_1102": ProblemKind.DEVELOPER_KEY,
    "BDC_1103": ProblemKind.DEVELOPER_KEY,
    "BDC_1105": ProblemKind.API_ACCESS,
    "BDC_1107": ProblemKind.LOCKED,
    "BDC_1109": ProblemKind.DEAD_SESSION,
    "BDC_1110": ProblemKind.LOCKED,
    "BDC_1120": ProblemKind.DEAD_SESSION,
    "BDC_1121": ProblemKind.UNSUPPORTED,
    "BDC_1144": ProblemKind.HOURLY_LIMIT,
    "BDC_1205": ProblemKind.NOT_FOUND,
    "BDC_1302": ProblemKind.WRONG_ENTITY_TYPE,
    "BDC_1322": ProblemKind.TOO_MANY_AT_ONCE,
    "BDC_1361": ProblemKind.UNTRUSTED,
}


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 409, 422, 423, 429, 500, 502, 503])
@pytest.mark.parametrize(("code", "kind"), CODES.items())
def test_the_code_in_the_body_decides_whatever_the_http_status(code: str, kind: ProblemKind, status: int) -> None:
    shapes: tuple[Any, ...] = (
        coded(code),
        coded(code)[0],
        {"errors": coded(code)},
        {"error": {"code": code, "message": "Something."}},
        {"error": "Bad Request", "code": code, "message": "Something."},
        v2_error(code),
    )
    for shape in shapes:
        found = problem(status, shape)
        assert (found.kind, found.code, found.message) == (kind, code, "Something."), shape
    assert problem(status, v2_error(code), v2=True).kind is kind


@pytest.mark.parametrize("spelling", ["BDC_1109", "bdc_1109", "BDC-1109", " BDC_1109 ", "BDC1109"])
def test_a_code_is_recognised_in_any_spelling(spelling: str) -> None:
    assert problem(422, coded(spelling)).code == "BDC_1109"


def test_a_code_counts_even_beside_an_id() -> None:
    assert problem(200, {"id": "request 5", "code": "BDC_1109", "message": "x"}).kind is ProblemKind.DEAD_SESSION


def test_a_code_we_know_decides_among_several() -> None:
    both = coded("BDC_9999", "First.") + coded("BDC_1322", "Second.")
    found = problem(422, both)
    assert (found.kind, found.code, found.message) == (ProblemKind.TOO_MANY_AT_ONCE, "BDC_1322", "First.; Second.")


STATUSES = {
    400: ProblemKind.REFUSED,
    401: ProblemKind.DEAD_SESSION,
    403: ProblemKind.REFUSED,
    404: ProblemKind.NOT_FOUND,
    405: ProblemKind.REFUSED,
    408: ProblemKind.UNAVAILABLE,
    409: ProblemKind.REFUSED,
    415: ProblemKind.REFUSED,
    422: ProblemKind.REFUSED,
    423: ProblemKind.LOCKED,
    429: ProblemKind.TOO_MANY_AT_ONCE,
    500: ProblemKind.UNAVAILABLE,
    502: ProblemKind.UNAVAILABLE,
    503: ProblemKind.UNAVAILABLE,
    504: ProblemKind.UNAVAILABLE,
    520: ProblemKind.UNAVAILABLE,
    999: ProblemKind.UNAVAILABLE,
}


@pytest.mark.parametrize(("status", "kind"), STATUSES.items())
@pytest.mark.parametrize(
    "body",
    [
        {"message": "Something."},
        {"errors": ["Something."]},
        {"errors": [{"message": "Something."}]},
        {"error": "Something."},
        {"error": {"message": "Something."}},
        {"error_description": "Something."},
        {"code": 1234, "message": "Something."},
        {"code": "NOT_OURS", "message": "Something."},
        ARRAY,
        ["Something."],
        "Something.",
    ],
)
def test_without_a_code_the_status_decides_and_the_words_are_kept(status: int, kind: ProblemKind, body: Any) -> None:
    found = problem(status, body)
    assert (found.kind, found.code, found.message, found.http_status) == (kind, None, "Something.", status)


@pytest.mark.parametrize("status", [400, 422])
def test_an_unknown_code_is_kept_and_the_status_decides(status: int) -> None:
    assert problem(status, coded("BDC_1171", "Number exists.")) == Problem(
        ProblemKind.REFUSED, "Number exists.", "BDC_1171", status
    )
    assert problem(503, coded("BDC_7777")).kind is ProblemKind.UNAVAILABLE


def test_an_unknown_code_with_a_success_status_is_a_refusal() -> None:
    assert problem(200, coded("BDC_7777")).kind is ProblemKind.REFUSED
    assert problem(200, v2_error("BDC_1130", "Invalid list filter field: x."), v2=True).kind is ProblemKind.REFUSED


def test_the_unknown_error_is_only_a_passing_one_when_bill_blames_itself() -> None:
    assert problem(500, coded("BDC_1002")).kind is ProblemKind.UNEXPLAINED
    assert problem(400, coded("BDC_1002")).kind is ProblemKind.REFUSED


@pytest.mark.parametrize(("status", "kind"), STATUSES.items())
@pytest.mark.parametrize("body", [b"", b"  \r\n"])
def test_an_empty_failure_is_judged_by_its_status(status: int, kind: ProblemKind, body: bytes) -> None:
    found = problem(status, body)
    assert (found.kind, found.message) == (kind, f"HTTP {status} without a message")


HTML = b"<!DOCTYPE html><html><head><title>\n 502 Bad   Gateway </title></head><body><b>nginx</b></body></html>"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, ProblemKind.MALFORMED),
        (201, ProblemKind.MALFORMED),
        (400, ProblemKind.GATEWAY),
        (401, ProblemKind.DEAD_SESSION),
        (403, ProblemKind.GATEWAY),
        (404, ProblemKind.GATEWAY),
        (429, ProblemKind.TOO_MANY_AT_ONCE),
        (500, ProblemKind.UNAVAILABLE),
        (502, ProblemKind.UNAVAILABLE),
    ],
)
def test_a_web_page_never_counts_as_an_answer_of_bill(status: int, kind: ProblemKind) -> None:
    found = problem(status, HTML)
    assert found.kind is kind
    assert "a web page (502 Bad Gateway)" in found.message
    assert "<" not in found.message


def test_a_web_page_with_404_does_not_say_that_an_object_is_gone() -> None:
    assert problem(404, HTML).kind is not ProblemKind.NOT_FOUND
    assert problem(404, b"Not Found").kind is not ProblemKind.NOT_FOUND


def test_plain_text_from_the_edge_is_kept_short() -> None:
    assert problem(503, b"upstream connect error " * 50).message.startswith("upstream connect error")
    assert len(problem(503, b"upstream connect error " * 50).message) <= 600


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Session is invalid.  Please log in.", ProblemKind.DEAD_SESSION),
        ("Your session has expired", ProblemKind.DEAD_SESSION),
        ("sessionId is invalid", ProblemKind.DEAD_SESSION),
        ("Invalid session.", ProblemKind.DEAD_SESSION),
        ("Untrusted session.", ProblemKind.UNTRUSTED),
        ("Max number of allowed requests per hour reached: 20000.", ProblemKind.HOURLY_LIMIT),
        ("Max number of concurrent requests per organization reached.", ProblemKind.TOO_MANY_AT_ONCE),
        ("User name and/or password do not match our records.", ProblemKind.CREDENTIALS),
        ("Developer key is invalid.", ProblemKind.DEVELOPER_KEY),
        ("API not supported.", ProblemKind.UNSUPPORTED),
    ],
)
@pytest.mark.parametrize("status", [400, 403, 422, 500])
def test_bills_well_known_wording_decides_when_the_code_is_missing(
    message: str, kind: ProblemKind, status: int
) -> None:
    assert problem(status, {"message": message}).kind is kind
    assert problem(status, message.encode()).kind is kind


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Untrusted session.", ProblemKind.UNTRUSTED),
        ("Something.", ProblemKind.UNTRUSTED),
        ("Your session has expired.", ProblemKind.DEAD_SESSION),
        ("Session is invalid. Please log in.", ProblemKind.DEAD_SESSION),
    ],
)
def test_code_1361_is_a_dead_session_only_when_it_says_so(message: str, kind: ProblemKind) -> None:
    assert problem(403, coded("BDC_1361", message)).kind is kind


def test_code_1120_is_a_dead_session_unless_it_says_no_data() -> None:
    assert problem(401, coded("BDC_1120", "No data found.")).kind is ProblemKind.DEAD_SESSION
    assert problem(400, coded("BDC_1120", "Session gone.")).kind is ProblemKind.DEAD_SESSION
    assert problem(200, v2_error("BDC_1120", "No data found."), v2=True).kind is ProblemKind.NOT_FOUND


@pytest.mark.parametrize("status", [401, 403])
def test_a_v2_answer_with_a_bare_401_or_403_is_a_dead_session(status: int) -> None:
    assert problem(status, {"message": "Forbidden"}, v2=True).kind is ProblemKind.DEAD_SESSION
    assert problem(status, b"", v2=True).kind is ProblemKind.DEAD_SESSION


@pytest.mark.parametrize("status", [301, 302, 303, 304, 307, 308])
def test_redirects_are_their_own_problem(status: int) -> None:
    assert problem(status, b"").kind is ProblemKind.REDIRECT


def test_field_errors_are_joined_in_order_and_once() -> None:
    body = [{"message": "email: must not be blank"}, {"message": "address: must not be null"}] * 2
    assert problem(400, body).message == "email: must not be blank; address: must not be null"


def test_a_message_repeated_with_the_objects_id_is_told_once_with_the_id() -> None:
    body = [{"message": "Cannot pay."}, {"message": "00n02JZNIEYMNPY99iz9: Cannot pay."}]
    assert problem(422, body).message == "00n02JZNIEYMNPY99iz9: Cannot pay."


def test_placeholders_that_bill_did_not_fill_stay_visible() -> None:
    assert problem(422, coded("BDC_1152", "Invalid Process Date : ${paramName0}.")).message.endswith("${paramName0}.")


def test_messages_are_one_short_line_without_control_characters() -> None:
    message = problem(400, {"message": "a\r\nb\x1b[31m\u202ec\x00" + "x" * 5000}).message
    assert message.isprintable()
    assert len(message) <= 600


@pytest.mark.parametrize(
    "body",
    [
        {"results": []},
        {"results": [{"id": "1", "message": "a note", "code": "BDC_1109"}]},
        {"id": "1", "message": "a note", "error": "none", "code": "X1"},
        {"status": "SUCCESS"},
        {"status": "SUCCESS", "message": "Sent."},
        [],
        [{"id": "1", "message": "a note", "severity": "ERROR"}],
        [{"message": "a note", "author": "someone"}],
        [{"policyName": "Over 1000"}],
        {"bills": [{"billId": "1"}]},
        {"message": "a note", "billId": "1"},
        {"errors": []},
        "text",
        5,
        None,
    ],
)
def test_objects_that_only_resemble_errors_are_successes(body: Any) -> None:
    raw = json.dumps(body).encode()
    assert read(200, raw) == Response(200, raw)


@pytest.mark.parametrize("body", [ARRAY, {"message": "Unauthorized"}, {"error": "x"}, {"errors": [{"message": "x"}]}])
def test_an_error_without_code_on_a_success_status_may_pass(body: Any) -> None:
    assert problem(200, body).kind is ProblemKind.MALFORMED


@pytest.mark.parametrize(
    "body",
    [
        b'{"results":[{"id":"1"},{"id"',
        b'{"results":[{"id":"1"}]',
        b'{"results":[{"id":"1"}]}}',
        b'{"results":{"id":"1"}}',
        b'{"results":"none"}',
        b'{"results":null}',
        b"{}",
        b'{"bills":[]}',
        b'{"results":[1]}',
        b'{"results":[null]}',
        b'{"results":[[]]}',
        b'{"results":[],"nextPage":true}',
        b'{"results":[],"nextPage":{}}',
        b'{"results":[],"nextPage":["x"]}',
        b'[{"id":"1"},',
        b"[1]",
        b"null",
        b'"text"',
        b"{" * 100_000,
        b'{"a":' * 100_000,
        b'{"results":[' + b"[" * 100_000,
    ],
)
def test_a_list_that_is_cut_off_or_misshapen_is_malformed_and_never_an_empty_page(body: bytes) -> None:
    answer = read(200, body)
    found = answer if isinstance(answer, Problem) else read_page(answer)
    assert isinstance(found, Problem)
    assert found.kind is ProblemKind.MALFORMED


def page(body: bytes) -> Page:
    answer = read(200, body)
    assert isinstance(answer, Response)
    found = read_page(answer)
    assert isinstance(found, Page)
    return found


def test_rows_are_the_bytes_that_bill_sent() -> None:
    body = b'{"nextPage" : "abc","prevPage":null,"results":[ {"amount":149.00, "name":"\\u00e9"} ,{"id":"2"}],"new":1}'
    assert page(body) == Page((b'{"amount":149.00, "name":"\\u00e9"}', b'{"id":"2"}'), "abc")


@pytest.mark.parametrize("ending", ["", ',"nextPage":null', ',"nextPage":""'])
def test_absent_null_and_empty_cursors_all_mean_the_last_page(ending: str) -> None:
    assert page(f'{{"results":[]{ending}}}'.encode()).next_cursor is None


def test_a_numeric_cursor_is_text() -> None:
    assert page(b'{"results":[],"nextPage":17}').next_cursor == "17"


def test_a_bare_array_is_one_page() -> None:
    assert page(b' [{"id":"1"},{"id":"2"}]') == Page((b'{"id":"1"}', b'{"id":"2"}'), None)


def test_a_byte_order_mark_is_ignored() -> None:
    assert page(b'\xef\xbb\xbf{"results":[{"id":"1"}]}').rows == (b'{"id":"1"}',)


def test_half_a_surrogate_pair_in_a_name_does_not_stop_a_sync() -> None:
    (row,) = page(b'{"results":[{"id":"1","name":"a\\ud83d","amount":1.10}]}').rows
    assert decode(row) == {"id": "1", "name": "a\ufffd", "amount": Decimal("1.10")}


def test_bytes_that_are_not_utf8_are_malformed() -> None:
    assert problem(200, b'{"results":[{"name":"\xff"}]}').kind is ProblemKind.MALFORMED
    assert problem(200, '{"results":[]}'.encode("utf-16")).kind is ProblemKind.MALFORMED


def test_numbers_are_exact_and_never_floats() -> None:
    row = decode(b'{"a":228.99,"b":149,"c":149.00,"d":1e2,"e":12345678901234567890.123456789,"f":true,"g":-0.0}')
    assert row["a"] == Decimal("228.99")
    assert str(row["c"]) == "149.00"
    assert row["e"] == Decimal("12345678901234567890.123456789")
    assert [type(row[key]) for key in "abcdefg"] == [Decimal, int, Decimal, Decimal, Decimal, bool, Decimal]


@pytest.mark.parametrize("raw", [b"", b"[]", b"1", b"{", b'{"a":1e99999999999999999999}', b'{"a":Infinity}'])
def test_what_is_no_object_cannot_be_decoded_as_a_row(raw: bytes) -> None:
    with pytest.raises(Malformed):
        decode(raw)
    with pytest.raises(BillUnavailable):
        decode_row(raw)


def test_an_empty_answer_is_nothing_only_where_the_status_says_so() -> None:
    assert read_value(Response(204, b"")) is None
    assert read_written(Response(200, b"")) is None
    found = read_value(Response(200, b""))
    assert isinstance(found, Problem)
    assert found.kind is ProblemKind.MALFORMED


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"response_data":[]}',
        b'{"response_status":0,"response_data":[',
        b'{"response_status":2,"response_message":"Timeout"}',
        b'{"response_status":1}',
        b"<html></html>",
    ],
)
def test_a_v2_answer_without_bills_envelope_is_malformed(body: bytes) -> None:
    assert problem(200, body, v2=True).kind is ProblemKind.MALFORMED


@pytest.mark.parametrize("zero", [0, "0"])
def test_a_v2_success_is_told_by_its_envelope(zero: Any) -> None:
    raw = json.dumps({"response_status": zero, "response_message": "Success", "response_data": []}).encode()
    assert read(200, raw, v2=True) == Response(200, raw)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["message", "code", "errors", "error", "results", "nextPage", "id", "response_status", "response_data"]
            )
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(
    status=st.integers(100, 1000),
    body=st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()),
    v2=st.booleans(),
)
@example(status=200, body=b"\xef\xbb\xbf", v2=False)
@example(status=404, body=b'{"errors":{"errors":{"errors":[[[{}]]]}}}', v2=False)
def test_any_bytes_with_any_status_are_an_answer_or_a_problem(status: int, body: bytes, v2: bool) -> None:
    outcome = read(status, body, v2=v2)
    if isinstance(outcome, Problem):
        assert outcome.shown(str).message.isprintable()
        assert outcome.shown(str).message
        assert outcome.http_status == status
        return
    assert 200 <= status < 300
    found = read_page(outcome)
    assert isinstance(found, Page | Problem)
    if isinstance(found, Page):
        assert all(row.startswith(b"{") for row in found.rows)
    read_value(outcome)
    read_written(outcome)


@given(json_values)
def test_any_json_without_floats_survives_decoding(value: Any) -> None:
    assert decode_any(json.dumps(value).encode()) == json.loads(json.dumps(value), parse_float=Decimal)


@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=8) | st.integers(), max_size=4), max_size=5))
def test_any_rows_come_out_as_they_went_in(rows: list[dict[str, Any]]) -> None:
    body = json.dumps({"results": rows, "nextPage": "x"}, ensure_ascii=False).encode("utf-8", "surrogatepass")
    found = page(body)
    assert [json.loads(row) for row in found.rows] == rows
