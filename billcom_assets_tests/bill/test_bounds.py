"""A hostile or broken server costs a bounded amount of time, memory and work, and what it did is said in words."""

from __future__ import annotations

import gzip
import itertools
import json
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from billcom_assets.bill.bounded import ResponseLimits
from billcom_assets.bill.client import BillClient
from billcom_assets.bill.errors import BillUnavailable, ResponseBeyondLimits, WriteOutcomeUnknown
from billcom_assets.bill.json_text import Malformed, decode_any
from billcom_assets.bill.pages import Page, readable_id
from billcom_assets.bill.problems import Problem, ProblemKind
from billcom_assets.bill.responses import Response, read, read_page, read_value
from billcom_assets.redaction.secrets import Redactor
from billcom_assets_tests.bill.conftest import Waits
from billcom_assets_tests.bill.scripted import ORGANIZATION, Reply, ScriptedBill, rows

BILLS, LOGIN = "/connect/v3/bills", "/connect/v3/login"
MEGABYTE = 2**20
SMALL = ResponseLimits(size=MEGABYTE)
Connect = Callable[..., BillClient]


def gzipped(size: int) -> bytes:
    return gzip.compress(b"0" * size, 9)


def encoded(body: bytes, encoding: str = "gzip", status: int = 200, **headers: str) -> Reply:
    return Reply(status, body, headers={"Content-Encoding": encoding, **headers})


BOMB = gzipped(100 * MEGABYTE)
BOMBS = {
    "gzip": encoded(BOMB),
    "deflate": encoded(zlib.compress(b"0" * 100 * MEGABYTE), "deflate"),
    "deflate without its header": encoded(zlib.compress(b"0" * 100 * MEGABYTE)[2:-4], "deflate"),
    "with an error status": encoded(BOMB, status=500),
    "in a redirect": encoded(BOMB, status=302, Location="/elsewhere"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_response_that_decompresses_into_masses_is_given_up_early(
    name: str, connect: Connect, bill: ScriptedBill
) -> None:
    bill.always(BILLS, BOMBS[name])
    client = connect(limits=SMALL)
    client.login()
    tracemalloc.start()
    try:
        with pytest.raises(ResponseBeyondLimits, match="larger than 1,048,576 bytes"):
            client.page("/v3/bills")
        assert tracemalloc.get_traced_memory()[1] < 8 * MEGABYTE
    finally:
        tracemalloc.stop()
    assert bill.count(BILLS) == 3


@pytest.mark.parametrize("encoding", ["gzip, gzip", "gzip,deflate", "br", "zstd", "compress", "GZIP, GZIP, GZIP"])
def test_a_compression_that_was_not_asked_for_is_not_undone(
    encoding: str, connect: Connect, bill: ScriptedBill
) -> None:
    bill.always(BILLS, encoded(gzip.compress(gzip.compress(b'{"results":[]}')), encoding))
    with pytest.raises(BillUnavailable, match="decompressed"):
        connect().page("/v3/bills")


@pytest.mark.parametrize("encoding", ["", "identity", "gzip", "GZIP", "x-gzip", "deflate"])
def test_a_compression_that_was_asked_for_is_undone(encoding: str, client: BillClient, bill: ScriptedBill) -> None:
    packed = {"gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress}.get(encoding.lower(), bytes)
    bill.always(BILLS, encoded(packed(b'{"results":[{"id":"1"}]}'), encoding))
    assert client.page("/v3/bills").rows == (b'{"id":"1"}',)


def test_a_page_just_within_the_limit_is_read(connect: Connect, bill: ScriptedBill) -> None:
    page = b'{"results":[{"id":"1","description":"%s"}]}' % (b"x" * (MEGABYTE - 1_000))
    bill.always(BILLS, encoded(gzip.compress(page)))
    assert len(connect(limits=SMALL).page("/v3/bills").rows[0]) > MEGABYTE - 2_000


HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
FILL = b"0" * 65_536


def endless(head: bytes, piece: bytes) -> Callable[[], Iterable[bytes]]:
    """A response that goes on until the other side hangs up, or the test has clearly failed."""
    return lambda: itertools.chain([head], itertools.repeat(piece, 64 * MEGABYTE // len(piece)))


ENDLESS = {
    "a body": (HEAD + b"\r\n", FILL),
    "a body of a length": (HEAD + b"Content-Length: 99999999999\r\n\r\n", FILL),
    "chunks": (CHUNKED, b"10000\r\n%s\r\n" % FILL),
    "a chunk": (CHUNKED + b"FFFFFFFFFF\r\n", FILL),
    "trailers": (CHUNKED + b"0\r\n", b"X: %s\r\n" % FILL[:1_000]),
    "interim responses": (b"", b"HTTP/1.1 100 Continue\r\nX: %s\r\n\r\n" % FILL[:1_000]),
    "empty gzip members": (HEAD + b"Content-Encoding: gzip\r\n\r\n", gzip.compress(b"") * 1_000),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_response_without_an_end_is_given_up_after_a_bounded_number_of_bytes(
    name: str, connect: Connect, bill: ScriptedBill
) -> None:
    bill.always(BILLS, Reply(wire=endless(*ENDLESS[name])))
    with pytest.raises(ResponseBeyondLimits, match="larger than"):
        connect(limits=SMALL).page("/v3/bills")
    # Three attempts, and what lies in buffers on the way.
    assert bill.bytes_sent < 40 * MEGABYTE


ENDLESS_LINES = {
    "a status line": (b"", FILL),
    "a header": (HEAD + b"X: ", FILL),
    "headers": (HEAD, b"X-More: %s\r\n" % FILL[:10_000]),
    "a trailer": (CHUNKED + b"0\r\nX: ", FILL),
}


@pytest.mark.parametrize("name", ENDLESS_LINES)
def test_endless_headers_are_given_up(name: str, connect: Connect, bill: ScriptedBill) -> None:
    bill.always(BILLS, Reply(wire=endless(*ENDLESS_LINES[name])))
    with pytest.raises(BillUnavailable):
        connect(limits=SMALL).page("/v3/bills")
    assert bill.bytes_sent < 100 * MEGABYTE


def one_by_one(text: bytes) -> Callable[[], Iterable[bytes]]:
    return lambda: (bytes([one]) for one in text)


PAGE = b'{"results":[{"id":"1"}]}'
DRIPS = {
    "the status line": HEAD + b"Content-Length: 24\r\n\r\n" + PAGE,
    "a header": HEAD + b"X: %s\r\nContent-Length: 24\r\n\r\n" % (b"y" * 300) + PAGE,
    "the body": HEAD + b"Content-Length: 324\r\n\r\n" + b" " * 300 + PAGE,
    "chunks": CHUNKED + b"1\r\n \r\n" * 60 + b"18\r\n" + PAGE + b"\r\n0\r\n\r\n",
    "interim responses": b"HTTP/1.1 100 Continue\r\n\r\n" * 12 + HEAD + b"Content-Length: 24\r\n\r\n" + PAGE,
}


@pytest.mark.parametrize("name", DRIPS)
def test_a_response_that_comes_drop_by_drop_is_given_up_when_its_time_is_over(
    name: str, connect: Connect, bill: ScriptedBill
) -> None:
    bill.always(BILLS, Reply(wire=one_by_one(DRIPS[name]), pause=0.01))
    with pytest.raises(ResponseBeyondLimits, match=r"not complete after 0\.3 seconds"):
        connect(limits=ResponseLimits(seconds=0.3)).page("/v3/bills")


@pytest.mark.parametrize("name", DRIPS)
def test_a_slow_response_is_read_while_there_is_time(name: str, connect: Connect, bill: ScriptedBill) -> None:
    bill.always(BILLS, Reply(wire=one_by_one(DRIPS[name])))
    assert connect().page("/v3/bills").rows == (b'{"id":"1"}',)


def test_the_time_of_a_sign_in_is_bounded_too(connect: Connect, bill: ScriptedBill) -> None:
    bill.always(LOGIN, Reply(wire=one_by_one(DRIPS["the body"]), pause=0.01))
    with pytest.raises(ResponseBeyondLimits) as caught:
        connect(limits=ResponseLimits(seconds=0.3)).login()
    assert caught.value.endpoint == "POST /v3/login"


def test_a_kept_connection_gets_fresh_allowances(connect: Connect, bill: ScriptedBill) -> None:
    bill.always(BILLS, Reply(200, b'{"results":[{"id":"%s"}]}' % (b"1" * 500_000)))
    client = connect(limits=SMALL)
    for _ in range(5):
        client.page("/v3/bills")
    assert len({got.headers["x-test-port"] for got in bill.got}) == 1


def test_what_went_beyond_the_limits_is_said_with_what_to_check(connect: Connect, bill: ScriptedBill) -> None:
    bill.always(BILLS, encoded(BOMB))
    with pytest.raises(ResponseBeyondLimits) as caught:
        connect(limits=SMALL).page("/v3/bills")
    text = str(caught.value)
    assert text.startswith("acme-us: The response went beyond what this program accepts at GET /v3/bills")
    assert "Check the base URL" in caught.value.next_step


def test_after_a_write_whose_response_was_given_up_nobody_pretends_to_know(
    connect: Connect, bill: ScriptedBill
) -> None:
    bill.always(BILLS, encoded(BOMB))
    with pytest.raises(WriteOutcomeUnknown):
        connect(limits=SMALL).post("/v3/bills", {})
    assert bill.count(BILLS) == 1


def test_garbage_behind_a_response_does_not_become_the_next_one(client: BillClient, bill: ScriptedBill) -> None:
    forged = HEAD + b"Content-Length: 24\r\n\r\n" + PAGE.replace(b"1", b"9")
    whole = CHUNKED + b"18\r\n" + PAGE + b"\r\n0\r\n\r\n" + forged
    bill.then(BILLS, Reply(wire=lambda: [whole]), rows("2"))
    assert client.page("/v3/bills").rows == (b'{"id":"1"}',)
    assert json.loads(client.page("/v3/bills").rows[0]) == {"id": "2"}


@pytest.mark.parametrize("asked", ["1e300", "9" * 60_000, "99999999999999", "inf", "nan", "-5", "x" * 60_000])
def test_the_server_does_not_decide_how_long_we_wait(
    asked: str, connect: Connect, bill: ScriptedBill, waits: Waits
) -> None:
    bill.then(BILLS, Reply(503, b"", headers={"Retry-After": asked}), rows())
    connect().page("/v3/bills")
    assert [seconds <= 30 for seconds in waits.seconds] == [True]


OPENED: dict[str, Any] = {"sessionId": "s1", "userId": "006", "organizationId": ORGANIZATION}


def test_a_session_too_long_for_a_header_is_none(connect: Connect, bill: ScriptedBill) -> None:
    bill.always(LOGIN, Reply(200, OPENED | {"sessionId": "x" * 100_000}))
    with pytest.raises(BillUnavailable, match="without a session"):
        connect().login()


def test_an_enormous_user_id_is_not_kept(connect: Connect, bill: ScriptedBill) -> None:
    bill.always(LOGIN, Reply(200, OPENED | {"userId": "x" * 100_000}))
    assert connect().login().user_id == ""


def test_a_cursor_too_long_for_a_url_is_a_malformed_page(client: BillClient, bill: ScriptedBill) -> None:
    bill.always(BILLS, rows("1", cursor="x" * 10_000))
    with pytest.raises(BillUnavailable, match="cut off or not of BILL's shape"):
        client.page("/v3/bills")


# --- what is read of a body ---


def test_ten_thousand_distinct_errors_are_not_compared_with_each_other() -> None:
    complaints = [{"code": "BDC_1171", "message": f"Bill {number} has a problem."} for number in range(10_000)]
    started = time.process_time()
    problem = read(422, json.dumps(complaints).encode())
    assert time.process_time() - started < 5  # it took half a minute
    assert isinstance(problem, Problem)
    assert problem.code == "BDC_1171"
    shown = problem.shown(Redactor(()))
    assert shown.message.startswith("Bill 0 has a problem.; Bill 1 has")
    assert len(shown.message) <= 600


@pytest.mark.parametrize("status", [200, 400, 500])
def test_an_enormous_message_is_shortened(status: int) -> None:
    problem = read(status, json.dumps({"message": "word " * 2_000_000}).encode())
    assert isinstance(problem, Problem)
    assert 500 < len(problem.shown(Redactor(())).message) <= 600


def nested(levels: int, opening: bytes, closing: bytes) -> bytes:
    return opening * levels + b"1" + closing * levels


SHAPES = {
    "objects": (b'{"a":', b"}"),
    "lists": (b"[", b"]"),
    "both": (b'[{"a":', b"}]"),
    "errors": (b'{"errors":[', b"]}"),
    "error": (b'{"error":', b"}"),
    "objects with texts full of brackets": (b'{"}}\\"]]":"[{\\\\","a":', b"}"),
}
DEPTHS = (101, 480, 800, 950, 990, 5_000, 100_000)


@pytest.mark.parametrize("levels", DEPTHS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("status", [200, 422])
def test_deep_nesting_is_a_problem_and_nothing_else(status: int, shape: str, levels: int) -> None:
    found = read(status, nested(levels, *SHAPES[shape]))
    if isinstance(found, Response):
        found = read_value(found)
    assert isinstance(found, Problem)
    assert found.kind in {ProblemKind.MALFORMED, ProblemKind.GATEWAY, ProblemKind.REFUSED}


@pytest.mark.parametrize("levels", DEPTHS)
@pytest.mark.parametrize("shape", SHAPES)
def test_one_deeply_nested_row_costs_itself_and_not_the_page(shape: str, levels: int) -> None:
    row = b'{"id":"1","x":' + nested(levels, *SHAPES[shape]) + b"}"
    answer = read(200, b'{"results":[{"id":"0"},' + row + b"]}")
    assert isinstance(answer, Response)
    found = read_page(answer)
    assert isinstance(found, Page)
    good, bad = found.rows
    assert decode_any(good) == {"id": "0"}
    with pytest.raises(Malformed):
        decode_any(bad)
    assert readable_id(bad) == "1"


@pytest.mark.parametrize("shape", SHAPES)
def test_as_deep_as_is_allowed_is_read(shape: str) -> None:
    assert decode_any(nested(50, *SHAPES[shape])) is not None


def test_many_objects_side_by_side_are_not_deep() -> None:
    value = {"id": "1", "lines": [{"n": [{"a": "[" * 50 + '\\"{'}]}] * 500}
    assert decode_any(json.dumps(value).encode()) == value


def test_text_that_only_looks_nested_is_read() -> None:
    for text in ("[" * 5_000, "{" * 5_000, '"[' * 3_000, "\\" * 5_001 + "[" * 500):
        assert decode_any(json.dumps({"a": text}).encode()) == {"a": text}


@pytest.mark.parametrize("piece", [b"{},", b"[],", b"1,", b'"",'])
def test_a_response_of_millions_of_values_is_given_up_before_it_is_decoded(piece: bytes) -> None:
    problem = read(200, b'{"results":[' + piece * 1_500_000 + b"1]}")
    assert isinstance(problem, Problem)
    assert problem.kind is ProblemKind.BEYOND_LIMITS


UNPAIRED = {
    "quotes": b"{" * 200 + b'"' + b'\\"' * 500_000,
    "backslashes": b"{" * 200 + b'"\\' * 400_000,
    "angles": b"<" * 1_000_000,
    "titles": b"<title>" * 200_000,
}


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("name", UNPAIRED)
def test_no_body_takes_more_than_a_moment_to_be_understood(name: str, status: int) -> None:
    started = time.process_time()
    found = read(status, UNPAIRED[name])
    assert isinstance(read_value(found) if isinstance(found, Response) else found, Problem)
    assert time.process_time() - started < 5
