"""No password, developer key, session id or bank detail appears in anything a reader may see."""

from __future__ import annotations

import base64
import copy
import io
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from billcom_assets.bill.client import BillClient, CallEvent
from billcom_assets.bill.errors import BillError
from billcom_assets.bill.quotas import MemoryBudget
from billcom_assets.bill.retry import RetryPolicy
from billcom_assets_tests.bill.conftest import MovableClock
from billcom_assets_tests.bill.scripted import (
    DEV_KEY,
    PASSWORD,
    SECRETS,
    SESSION_MARK,
    USERNAME,
    Got,
    Reply,
    ScriptedBill,
    error,
)

LOGIN = "/connect/v3/login"
BILLS = "/connect/v3/bills"
ECHO = f"Login {USERNAME} with {PASSWORD} and key {DEV_KEY}, tax id 12-3456789, account 021000021."


def echoing(status: int, code: str | None = None) -> Reply:
    """A BILL that quotes everything it was told."""
    return error(code, f"{ECHO} sessionId=sessionSECRET99 was refused", status=status)


def echo_headers(got: Got) -> Reply:
    return Reply(400, {"message": f"Bad headers {got.headers} and body {got.body.decode()}"})


SCRIPTS: dict[str, tuple[str, Any]] = {
    "login refused": (LOGIN, echoing(401, "BDC_1101")),
    "login key refused": (LOGIN, echoing(401, "BDC_1102")),
    "login page": (LOGIN, Reply(404, f"<title>{ECHO}</title>")),
    "login down": (LOGIN, Reply(503, ECHO)),
    "login malformed": (LOGIN, Reply(200, {"sessionId": f"bad id {PASSWORD}"})),
    "login echoes headers": (LOGIN, echo_headers),
    "login limit": (LOGIN, echoing(422, "BDC_1144")),
    "login lost": (LOGIN, Reply(drop=True)),
    "login redirect": (LOGIN, Reply(302, ECHO, headers={"Location": f"https://x/?{PASSWORD}"})),
    "refused": (BILLS, echoing(400)),
    "echoes headers": (BILLS, echo_headers),
    "forbidden": (BILLS, echoing(403)),
    "untrusted": (BILLS, echoing(403, "BDC_1361")),
    "dead": (BILLS, echoing(401, "BDC_1109")),
    "missing": (BILLS, echoing(404, "BDC_1205")),
    "unsupported": (BILLS, echoing(404, "BDC_1121")),
    "wrong type": (BILLS, echoing(422, "BDC_1302")),
    "limit": (BILLS, echoing(422, "BDC_1144")),
    "busy": (BILLS, echoing(422, "BDC_1322")),
    "down": (BILLS, echoing(500)),
    "page": (BILLS, Reply(200, f"<title>{ECHO}</title>")),
    "text": (BILLS, Reply(200, ECHO)),
    "lost": (BILLS, Reply(drop=True)),
    "cut": (BILLS, Reply(200, ECHO.encode(), content_length=5000)),
    "odd header": (BILLS, Reply(200, b"{}", headers={"Content-Encoding": "gzip"})),
}

CALLS: dict[str, Callable[[BillClient], object]] = {
    "page": lambda client: client.page("/v3/bills"),
    "get": lambda client: client.get("/v3/bills"),
    "post": lambda client: client.post("/v3/bills", {"note": "x"}),
    "v2": lambda client: client.v2_list("Bill"),
    "login": lambda client: client.login(),
}


def texts(failure: BaseException) -> list[str]:
    """Every text that a log, a crash report or a serializer may make of an exception, local variables included."""
    buffer = io.StringIO()
    traceback.print_exception(failure, file=buffer)
    with_locals = traceback.TracebackException.from_exception(failure, capture_locals=True)
    ours = [frame for frame in with_locals.stack if "/billcom_assets/bill/" in frame.filename]
    # the test's own frame holds the scripted secrets
    in_frames = [str(value) for frame in ours for value in (frame.locals or {}).values()]
    return [
        buffer.getvalue(),
        str(failure),
        repr(failure),
        repr(failure.__dict__),
        repr(failure.args),
        pickle.dumps(failure).decode("latin-1"),
        *in_frames,
    ]


def assert_clean(text: str) -> None:
    for secret in (*SECRETS, "12-3456789", "021000021"):
        assert secret not in text, f"{secret} in {text}"


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("script", SCRIPTS)
def test_no_failure_tells_a_secret(
    script: str,
    call: str,
    connect: Callable[..., BillClient],
    bill: ScriptedBill,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    path, reply = SCRIPTS[script]
    bill.always(path, reply)
    bill.always("/api/v2/List/Bill.json", reply if path == BILLS else Reply(503))
    events: list[CallEvent] = []
    client = connect(on_event=events.append, retry=RetryPolicy(attempts=2, sleep=lambda _: None), timeout=(5, 5))
    try:
        CALLS[call](client)
    except BillError as failure:
        for text in texts(failure):
            assert_clean(text)
    else:
        assert call == "login"
    assert bill.got
    for event in events:
        assert_clean(repr(event))
    for record in caplog.records:
        assert_clean(record.getMessage())
        assert_clean(repr(record.args))
    assert_clean(repr(client))
    assert_clean(repr(client._pipeline))


def test_our_log_tells_endpoint_status_and_code_only(
    client: BillClient, bill: ScriptedBill, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="billcom_assets")
    bill.then(BILLS, error("BDC_1322", ECHO, status=422), Reply(200, {"results": []}))
    client.page("/v3/bills", cursor="cursor-of-a-walk")
    ours = [record for record in caplog.records if record.name.startswith("billcom_assets")]
    assert {record.levelno for record in ours} == {logging.DEBUG}
    text = "\n".join(record.getMessage() for record in ours)
    assert "GET /v3/bills: HTTP 422 BDC_1322" in text
    assert "cursor-of-a-walk" not in text


def test_a_spent_budget_is_told_without_secrets(
    connect: Callable[..., BillClient], bill: ScriptedBill, clock: MovableClock
) -> None:
    client = connect(budget=MemoryBudget(clock, requests=0))
    with pytest.raises(BillError) as caught:
        client.page("/v3/bills")
    for text in texts(caught.value):
        assert_clean(text)


def test_requests_that_fail_half_made_do_not_show_their_headers() -> None:
    from billcom_assets.bill.transport import Request

    request = Request("GET", f"https://x/?{PASSWORD}", {"devKey": DEV_KEY}, PASSWORD.encode())
    assert_clean(repr(request))


ENCODED: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "JSON": lambda text: "".join(f"\\u{ord(one):04x}" for one in text),
    "URL": lambda text: "".join(f"%{ord(one):02X}" for one in text),
    "URL twice": lambda text: "".join(f"%25{ord(one):02X}" for one in text),
    "HTML": lambda text: "".join(f"&#{ord(one)};" for one in text),
    "Base64": lambda text: base64.b64encode(f"x{text}".encode()).decode(),
    "hexadecimal": lambda text: text.encode().hex(),
    "tags": lambda text: "<b/>".join((text[:4], text[4:])),
    "another case": str.swapcase,
    "wrapped": lambda text: "\n ".join((text[:4], text[4:])),
}


def heads(text: str) -> set[str]:
    """Pieces long enough to help somebody who guesses."""
    return {text[at : at + 5] for at in range(len(text) - 4)}


@pytest.mark.parametrize("secret", [PASSWORD, DEV_KEY, USERNAME, f"{SESSION_MARK}1"])
@pytest.mark.parametrize("encoding", ENCODED)
@pytest.mark.parametrize("before", [0, 190, 196, 590, 596])
@pytest.mark.parametrize("is_json", [True, False])
def test_an_echo_is_masked_however_it_is_written_and_wherever_the_message_is_cut(
    secret: str, encoding: str, before: int, is_json: bool, client: BillClient, bill: ScriptedBill
) -> None:
    written = ENCODED[encoding](secret)
    text = f"{'. ' * (before // 2)}{written} was refused{', as ever' * 500}"
    bill.always(BILLS, Reply(400, {"message": text} if is_json else text))
    with pytest.raises(BillError) as caught:
        client.page("/v3/bills")
    assert len(caught.value.message) <= 600
    assert [piece for piece in heads(secret) | heads(written) if piece in str(caught.value)] == []


def test_errors_copied_for_every_thread_stay_clean(client: BillClient, bill: ScriptedBill) -> None:
    bill.always(LOGIN, echoing(401, "BDC_1101"))
    for _ in range(2):
        with pytest.raises(BillError) as caught:
            client.page("/v3/bills")
        assert_clean(json.dumps([str(caught.value), repr(copy.copy(caught.value))]))
