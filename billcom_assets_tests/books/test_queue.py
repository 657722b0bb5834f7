"""Held documents in people's hands: listed with reasons and amounts, closed by themselves, set aside, tried again."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Row, update

from billcom_assets.books import alone, queue, scope
from billcom_assets.books.held import REASONS
from billcom_assets.books.policy import posting_policy
from billcom_assets.books.queue import LONGEST_REASON, Decided, NotPossible
from billcom_assets.books.queue_list import Queue, Wanted
from billcom_assets.books.run import Run
from billcom_assets.redaction.masking import MASK
from billcom_assets.sandbox.kinds import BILLS
from billcom_assets.status.scope import scope as status_scope
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.error_codes import NOT_PERMITTED
from billcom_assets.warehouse.error_log import WHOLE_LIST, ErrorLog, Trouble
from billcom_assets.warehouse.errors import Busy
from billcom_assets.warehouse.integrations import UnknownIntegration
from billcom_assets_tests.books.held_company import HeldCompany
from billcom_assets_tests.books.held_page import OUT_OF_SCOPE, PAGE, page
from billcom_assets_tests.small_company import ADA, LATER, NOW, connect
from billcom_assets_tests.sync.company import INTEGRATION

TWICE = "Entered twice"


@contextmanager
def listing(held: HeldCompany, **wanted: Any) -> Iterator[Queue]:
    with held.warehouse.read() as connection:
        yield Queue(connection, held.warehouse.mirror, Wanted(INTEGRATION, **wanted))


def set_aside(held: HeldCompany, error: Row[Any], reason: str = TWICE) -> Decided:
    return queue.set_aside(held.warehouse, INTEGRATION, error.id, reason=reason, actor=ADA, clock=held.clock)


def reopen(held: HeldCompany, error: Row[Any]) -> Decided:
    return queue.reopen(held.warehouse, INTEGRATION, error.id, actor=ADA, clock=held.clock)


def retry(held: HeldCompany, error: Row[Any]) -> queue.Retried:
    return queue.retry(held.warehouse, INTEGRATION, error.id, actor=ADA, clock=held.clock)


def decisions(held: HeldCompany) -> list[tuple[str, str | None]]:
    with held.warehouse.read() as connection:
        assert audit.verify(connection).broken is None
        return [(one.what, one.subject) for one in audit.entries(connection, INTEGRATION, limit=100)]


def a_bill(held: HeldCompany) -> Row[Any]:
    """The error of a bill that nothing but its unmapped vendor holds."""
    return next(one for one in held.held_by("VENDOR_UNMAPPED") if one.entity == "bills")


# Listed --------------------------------------------------------------------------------------------------------------


def test_reasons_come_with_their_documents_and_money_by_currency_and_the_command(held: HeldCompany) -> None:
    documents = {(one.kind, one.id): one for one in held.documents(state="held")}
    expected: dict[str, Counter[str]] = defaultdict(Counter)
    for one in held.errors(status="open"):
        document = documents[one.entity, one.record_id]
        expected[one.code].update({"documents": 1, document.currency: document.amount})
    with listing(held) as found:
        reasons, total = found.reasons(), found.held()

    assert [one.code for one in reasons] == [code for code in REASONS if code in expected]
    assert {one.code: Counter({"documents": one.documents, **one.amounts}) for one in reasons} == expected
    (unmapped,) = (one for one in reasons if one.code == "VENDOR_UNMAPPED")
    assert unmapped.fix == "billcom mappings export acme-us --kind vendors --output vendors-mappings.csv"
    assert (unmapped.causes, unmapped.more_causes) == ((a_bill(held).message,), 0)
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    for document in documents.values():
        amounts[document.currency] += document.amount
    assert (total.documents, total.set_aside, total.amounts) == (len(documents), 0, amounts)


def test_every_held_document_is_listed_once_with_all_its_reasons(held: HeldCompany) -> None:
    with listing(held) as found:
        documents, total = found.documents(1000)
        few, of_all = found.documents(3)
    names = {row.id: row.name for row in held.rows_of("vendors")}

    assert (few, of_all, total) == (documents[:3], len(documents), len(documents))
    assert {(one.kind, one.id) for one in documents} == {(one.kind, one.id) for one in held.documents(state="held")}
    for one in documents:
        known = held.document(one.kind, one.id)
        mine = held.errors(entity=one.kind, record_id=one.id)
        assert one.error_id == mine[0].id
        assert (one.number, one.document_date, one.amount) == (known.number, known.document_date, known.amount)
        assert (one.party_name, one.currency, one.state) == (names[known.party], known.currency, "held")
        assert set(one.reasons) == {error.code for error in mine}
        assert (one.first_seen_at, one.attempts) == (mine[0].first_seen_at, 1)
    assert any(len(one.reasons) > 1 for one in documents)


def test_a_list_can_be_of_one_reason_or_kind(held: HeldCompany) -> None:
    with listing(held, code="VENDOR_UNMAPPED", kind="bills") as found:
        reasons, (documents, total), rows = found.reasons(), found.documents(1000), list(found.rows())
    wanted = held.errors(entity="bills", code="VENDOR_UNMAPPED")
    assert {one.code for one in reasons} == {"VENDOR_UNMAPPED"}
    assert {one.id for one in documents} == {one.record_id for one in wanted}
    assert [row["error_id"] for row in rows] == [one.id for one in wanted]
    assert total == len(wanted) > 1


def test_rows_for_scripts_have_the_names_of_the_view(held: HeldCompany) -> None:
    with listing(held) as found:
        rows = list(found.rows())
    view = held.view()
    names = set(view[0]._fields)
    common = names & set(rows[0])
    assert names - common == {"integration"}
    by_error = {row["error_id"]: {name: row[name] for name in common} for row in rows}
    assert by_error == {row.error_id: {name: row._mapping[name] for name in common} for row in view}


def test_an_error_that_holds_no_document_is_listed_beside_them_with_personal_data_masked(held: HeldCompany) -> None:
    report(held, "Nobody may see 518-64-0973\x1b[2J")
    with listing(held) as found:
        (other,), total = found.others(10)
        reasons, row = found.reasons(), list(found.rows())[-1]
    assert (other.kind, other.id, other.code, other.fix, total) == ("users", "", NOT_PERMITTED, "Ask", 1)
    assert other.message == row["message"] == f"Nobody may see {MASK} [2J"
    assert NOT_PERMITTED not in {one.code for one in reasons}


def test_a_document_in_the_books_whose_change_waits_is_told_from_one_that_is_held(held: HeldCompany) -> None:
    document = imported_bill(held)
    with held.warehouse.write() as connection:
        bills = held.warehouse.mirror.table("bills")
        changed = {"amount": bills.c.amount + 1, "payload_digest": "changed", "synced_at": held.clock()}
        connection.execute(update(bills).where(bills.c.id == document.id).values(changed))
    held.post()
    error = held.error(record_id=document.id)
    with listing(held, code="AMOUNT_MISMATCH") as found:
        (one,), _ = found.documents(10)

    assert (error.code, error.status, one.state) == ("AMOUNT_MISMATCH", "open", "imported")
    with pytest.raises(NotPossible, match="is in the books, and only what is held can be set aside"):
        set_aside(held, error)


# Closed by itself ----------------------------------------------------------------------------------------------------


def test_mapping_the_vendor_lets_its_documents_post_and_closes_their_errors(held: HeldCompany) -> None:
    waiting = held.held_by("VENDOR_UNMAPPED")
    assert len(waiting) > 1
    held.map_vendor()
    held.post()
    assert held.errors(code="VENDOR_UNMAPPED", status="open") == []
    assert {held.document(one.entity, one.record_id).state for one in waiting} == {"imported"}
    with listing(held) as found:
        assert "VENDOR_UNMAPPED" not in {one.code for one in found.reasons()}
    with listing(held, everything=True, code="VENDOR_UNMAPPED") as found:
        documents, _ = found.documents(1000)
    assert {(one.status, one.state) for one in documents} >= {("resolved", "imported")}


def test_an_approval_in_bill_lets_the_bill_post_and_closes_its_error(held: HeldCompany) -> None:
    waiting = next(one for one in held.held_by("NOT_APPROVED") if one.entity == "bills")
    with approved_in_bill(held, waiting.record_id):
        held.company.sync(held.warehouse)
        held.post()
    assert held.error(id=waiting.id).status == "resolved"
    assert held.document("bills", waiting.record_id).state == "imported"


# Set aside -----------------------------------------------------------------------------------------------------------


def test_a_document_set_aside_is_held_whatever_becomes_of_its_cause(held: HeldCompany) -> None:
    waiting = a_bill(held)
    count = len(held.documents(state="held"))
    decided = set_aside(held, waiting)

    error, document = held.error(id=waiting.id), held.document("bills", waiting.record_id)
    assert (decided.has_changed, decided.subject.is_set_aside) == (True, True)
    assert (error.status, error.reason) == ("ignored", TWICE)
    assert (document.state, document.set_aside_reason, document.set_aside_by) == ("held", TWICE, "ada")
    with listing(held) as found:
        total, (documents, _) = found.held(), found.documents(1000)
    assert (total.documents, total.set_aside) == (count, 1)
    assert waiting.record_id not in {one.id for one in documents}

    held.map_vendor()
    held.post()
    held.post(even_if_quiet=True)
    assert held.error(id=waiting.id).status == "ignored"
    assert held.document("bills", waiting.record_id).state == "held"
    assert waiting.record_id not in {one.document_id for one in held.entries()}


def test_all_errors_of_the_document_are_ignored_and_later_ones_too(held: HeldCompany) -> None:
    waiting = next(one for one in held.errors(code="VENDOR_UNMAPPED", entity="bills") if len(of(held, one)) > 1)
    set_aside(held, waiting)
    assert {one.status for one in of(held, waiting)} == {"ignored"}
    codes = {one.code for one in of(held, waiting)}
    with held.warehouse.write() as connection:
        bills = held.warehouse.mirror.table("bills")
        undated = {"invoice_date": None, "payload_digest": "changed", "synced_at": held.clock()}
        connection.execute(update(bills).where(bills.c.id == waiting.record_id).values(undated))
    held.post()
    assert {one.code for one in of(held, waiting)} - codes == {"DATE_MISSING"}
    assert {one.status for one in of(held, waiting)} == {"ignored"}
    with listing(held, everything=True, code="DATE_MISSING") as found:
        (row,) = found.rows()
    assert (row["status"], row["set_aside_reason"], row["set_aside_by"]) == ("ignored", TWICE, "ada")


def test_reopened_it_posts_when_nothing_else_holds_it(held: HeldCompany) -> None:
    waiting = a_bill(held)
    set_aside(held, waiting)
    held.map_vendor()
    held.post()
    decided = reopen(held, waiting)

    error, document = held.error(id=waiting.id), held.document("bills", waiting.record_id)
    assert (decided.has_changed, error.status, error.reason) == (True, "open", None)
    assert (document.state, document.set_aside_reason, document.set_aside_by) == ("held", None, None)
    assert document.set_aside_at is None
    held.post()
    assert held.error(id=waiting.id).status == "resolved"
    assert held.document("bills", waiting.record_id).state == "imported"


def test_what_left_the_scope_meanwhile_has_no_open_error_when_it_is_reopened(held: HeldCompany) -> None:
    waiting = a_bill(held)
    set_aside(held, waiting)
    with held.warehouse.write() as connection:
        bills = held.warehouse.mirror.table("bills")
        archived = {"archived": True, "payload_digest": "changed", "synced_at": held.clock()}
        connection.execute(update(bills).where(bills.c.id == waiting.record_id).values(archived))
    held.post()
    assert held.document("bills", waiting.record_id).reason == "ARCHIVED"
    reopen(held, waiting)
    assert held.error(id=waiting.id).status == "resolved"
    with pytest.raises(NotPossible, match=r"is out of scope \(ARCHIVED\), so nothing of it is held"):
        set_aside(held, waiting)


def test_a_decision_taken_twice_is_one_decision(held: HeldCompany) -> None:
    waiting = a_bill(held)
    assert not reopen(held, waiting).has_changed
    assert [set_aside(held, waiting).has_changed for _ in range(2)] == [True, False]
    assert set_aside(held, waiting, "Paid by hand").has_changed
    assert held.document("bills", waiting.record_id).set_aside_reason == "Paid by hand"
    assert [reopen(held, waiting).has_changed for _ in range(2)] == [True, False]
    subject = f"bills {waiting.record_id}"
    aside, back = ("document set aside", subject), ("document reopened", subject)
    assert decisions(held) == [aside, aside, back]


def test_the_audit_log_says_who_and_why_and_what_was_before(held: HeldCompany) -> None:
    waiting = a_bill(held)
    set_aside(held, waiting)
    set_aside(held, waiting, "Paid by hand")
    reopen(held, waiting)
    with held.warehouse.read() as connection:
        entries = audit.entries(connection, INTEGRATION, limit=10)
    assert {one.user_name for one in entries} == {"ada"}
    assert [(one.before, one.after) for one in entries] == [
        (None, '{"reason":"Entered twice"}'),
        ('{"reason":"Entered twice"}', '{"reason":"Paid by hand"}'),
        ('{"reason":"Paid by hand"}', None),
    ]


@pytest.mark.parametrize(
    ("reason", "said"), [(" \n", "The reason is empty"), ("x" * (LONGEST_REASON + 1), "longer than 500 characters")]
)
def test_a_reason_is_given_and_bounded(held: HeldCompany, reason: str, said: str) -> None:
    with pytest.raises(NotPossible, match=said):
        set_aside(held, a_bill(held), reason)
    assert set_aside(held, a_bill(held), "x" * LONGEST_REASON).has_changed


def test_a_number_that_is_not_of_the_integration_is_told_so(held: HeldCompany) -> None:
    with held.warehouse.write() as connection:
        connect(connection, "other-inc")
    waiting = a_bill(held)
    with pytest.raises(NotPossible, match=r"acme-us has no error 987654. .*: billcom errors acme-us"):
        queue.reopen(held.warehouse, INTEGRATION, 987654, actor=ADA)
    with pytest.raises(
        NotPossible, match=f"other-inc has no error {waiting.id}. Error {waiting.id} is one of acme-us."
    ):
        queue.reopen(held.warehouse, "other-inc", waiting.id, actor=ADA)
    with pytest.raises(UnknownIntegration):
        queue.reopen(held.warehouse, "nobody", waiting.id, actor=ADA)


def test_nothing_is_decided_while_the_integration_is_synced(held: HeldCompany, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alone, "_WAIT_SECONDS", 0)
    waiting = a_bill(held)
    for decide in (set_aside, reopen, retry):
        with held.company.connected(held.warehouse) as sync, sync.alone(), pytest.raises(Busy, match="sync of acme-us"):
            decide(held, waiting)
    assert decisions(held) == []


# Errors that hold no document ----------------------------------------------------------------------------------------


def report(held: HeldCompany, message: str = "Nobody may see users") -> None:
    with held.warehouse.write() as connection:
        log = ErrorLog(INTEGRATION, "users")
        log.report(connection, NOT_PERMITTED, {WHOLE_LIST: Trouble(message, "Ask")}, held.clock())


def test_an_error_that_is_ignored_stays_so_however_often_it_is_seen_and_until_its_cause_is_gone(
    held: HeldCompany,
) -> None:
    report(held)
    error = held.error(code=NOT_PERMITTED)
    assert [set_aside(held, error).has_changed for _ in range(2)] == [True, False]
    report(held)
    seen = held.error(id=error.id)
    assert (seen.status, seen.reason, seen.occurrences) == ("ignored", TWICE, 2)
    with held.warehouse.write() as connection:
        ErrorLog(INTEGRATION, "users").resolve_list(connection, NOT_PERMITTED, LATER)
    assert held.error(id=error.id).status == "resolved"
    with pytest.raises(NotPossible, match="is closed already"):
        set_aside(held, error)
    report(held)
    again = held.error(id=error.id)
    assert (again.status, again.reason) == ("open", None)


def test_a_list_that_bill_does_not_show_is_left_alone_although_its_error_is_ignored(held: HeldCompany) -> None:
    report(held)
    set_aside(held, held.error(code=NOT_PERMITTED))
    with held.warehouse.read() as connection:
        known = status_scope(connection, INTEGRATION)
    assert ("users" in known.left_alone(held.clock()), known.expects("users")) == (True, False)


def test_an_ignored_error_is_open_again_when_it_is_reopened(held: HeldCompany) -> None:
    report(held)
    error = held.error(code=NOT_PERMITTED)
    set_aside(held, error)
    assert [reopen(held, error).has_changed for _ in range(2)] == [True, False]
    assert held.error(id=error.id).status == "open"
    subject = f"users {NOT_PERMITTED}"
    assert decisions(held) == [("error ignored", subject), ("error reopened", subject)]
    with pytest.raises(NotPossible, match=r"holds no document, so there is nothing to post. .*: Ask"):
        retry(held, error)


# Tried again ---------------------------------------------------------------------------------------------------------


def test_a_retry_posts_at_once_and_names_the_entry(held: HeldCompany) -> None:
    waiting = a_bill(held)
    others = len(held.held_by("VENDOR_UNMAPPED")) - 1
    held.map_vendor()
    retried = retry(held, waiting)

    document = held.document("bills", waiting.record_id)
    assert retried.subject.entry_id == document.entry_id == f"bills:{waiting.record_id}:1"
    assert (retried.subject.state, retried.has_posted, retried.reasons) == ("imported", True, ())
    assert retried.others_posted == others > 0
    assert held.error(id=waiting.id).status == "resolved"
    assert decisions(held) == [("posting retried", f"bills {waiting.record_id}")]


def test_a_retry_says_what_still_holds_the_document_and_counts_although_nothing_has_changed(held: HeldCompany) -> None:
    waiting, entries = a_bill(held), held.entries()
    assert held.post().is_quiet
    retried = retry(held, waiting)
    assert (retried.subject.state, retried.has_posted, retried.others_posted) == ("held", False, 0)
    assert [(one.code, one.message) for one in retried.reasons] == [("VENDOR_UNMAPPED", waiting.message)]
    assert held.error(id=waiting.id).occurrences == waiting.occurrences + 1
    assert held.entries() == entries


def test_a_retry_of_what_has_posted_meanwhile_says_so(held: HeldCompany) -> None:
    waiting = a_bill(held)
    held.map_vendor()
    held.post()
    retried = retry(held, waiting)
    assert (retried.subject.state, retried.has_posted, retried.others_posted) == ("imported", False, 0)


def test_what_is_set_aside_is_not_tried_again(held: HeldCompany) -> None:
    waiting = a_bill(held)
    set_aside(held, waiting)
    held.map_vendor()
    with pytest.raises(NotPossible, match=f"was set aside by ada: {TWICE}. .*: billcom errors acme-us --reopen"):
        retry(held, waiting)
    assert held.document("bills", waiting.record_id).state == "held"


# The page ------------------------------------------------------------------------------------------------------------


def test_the_page_explains_every_reason_as_the_program_words_it() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m billcom_assets_tests.books.held_page"


def test_the_page_explains_everything_that_can_be_out_of_scope(held: HeldCompany) -> None:
    with held.warehouse.read() as connection:
        policy = posting_policy(connection, INTEGRATION)
    run = Run(INTEGRATION, held.warehouse.mirror, policy, None, NOW)
    assert [reason for reason, _ in scope._outside(run)] == list(OUT_OF_SCOPE)


# What tests do -------------------------------------------------------------------------------------------------------


def of(held: HeldCompany, error: Row[Any]) -> list[Row[Any]]:
    """All errors of the same document."""
    return held.errors(entity=error.entity, record_id=error.record_id)


def imported_bill(held: HeldCompany) -> Row[Any]:
    return held.documents(kind="bills", state="imported")[0]


@contextmanager
def approved_in_bill(held: HeldCompany, bill_id: str) -> Iterator[None]:
    """Approves the bill in the simulated BILL, which other tests share."""
    organization, clock = held.company.organization, held.company.server.clock
    before = next(row for row in organization.rows("bills") if row["id"] == bill_id)
    clock.advance(timedelta(minutes=11))
    organization.write(BILLS, before | {"approvalStatus": "APPROVED"})
    clock.advance(timedelta(minutes=11))
    try:
        yield
    finally:
        organization.write(BILLS, before)
