"""What people decide about open errors: set a held document aside, take that back, try once more to post.

An error is named by its number (``integration_errors.id``). One of the reasons in ``held`` stands for its document as a
whole: whatever is decided counts for all of the document's reasons. Any other error stands for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, select, update

from billcom_assets.books.alone import alone
from billcom_assets.books.decisions import Action
from billcom_assets.books.held import REASONS
from billcom_assets.books.posting import PostingReport, post
from billcom_assets.clock import utc_now
from billcom_assets.redaction.counted import singular
from billcom_assets.redaction.display import one_line
from billcom_assets.redaction.errors import UserFacingError
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.audit import Actor, Decision, What
from billcom_assets.warehouse.books_tables import ledger_documents
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.tables import integration_errors

LONGEST_REASON: Final = 500
"""Characters of the reason that a person gives."""


class NotPossible(UserFacingError):
    """What was asked for cannot be done with this error; the text says why and what to do instead."""


@dataclass(frozen=True, slots=True)
class Subject:
    """An error, and the document that it holds where it is one of a document."""

    integration: str
    error_id: int
    entity: str
    record_id: str
    code: str
    status: str
    """Of the error: open, resolved or ignored."""
    next_step: str
    is_set_aside: bool
    """The document is set aside, or the error ignored."""
    ignored_because: str | None
    set_aside_by: str | None
    """None where nobody did, or the error is not one of a document."""
    number: str | None
    state: str | None
    """Of the document in the books; None where it is not in them, or the error is not one of a document."""
    out_of_scope: str | None
    """Why it is out of scope; None unless it is."""
    entry_id: str | None
    posting_date: date | None
    """Of the standing entry."""

    @property
    def is_of_document(self) -> bool:
        """True when it holds a document."""
        return self.code in REASONS

    @property
    def title(self) -> str:
        """What the error is about, in words."""
        kind = self.entity.replace("_", " ")
        name = one_line(self.number or self.record_id, limit=60)
        return f"{singular(kind)} {name}" if name else f"the list of {kind}"

    @property
    def audited_as(self) -> str:
        """What the audit log calls it."""
        code = None if self.is_of_document else self.code
        return " ".join(filter(None, (self.entity, self.record_id, code)))


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of a decision."""

    subject: Subject
    """As it is now."""
    has_changed: bool
    """False when it was so already."""


@dataclass(frozen=True, slots=True)
class _Change:
    """What the audit log keeps of a decision."""

    what: What
    after: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class StillOpen:
    """A reason that still holds a document."""

    code: str
    message: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Retried:
    """What became of a document when posting was tried once more."""

    subject: Subject
    """As it is now."""
    reasons: tuple[StillOpen, ...]
    """What still holds it, or holds its changes where it is in the books."""
    has_posted: bool
    """It has a new entry, or is in the books since now without one."""
    others_posted: int
    """Further documents that the same run has posted."""


def set_aside(
    warehouse: Warehouse,
    integration: str,
    error_id: int,
    *,
    reason: str,
    actor: Actor,
    clock: Callable[[], datetime] = utc_now,
) -> Decided:
    """Sets the held document aside until somebody reopens it; of an error that holds none, only the error.

    It counts as held, and does not post whatever becomes of its reasons.

    Args:
        warehouse: Where the books are.
        integration: Integration key.
        error_id: Any error of the document.
        reason: Why, in the words of whoever decides; not more than :data:`LONGEST_REASON` characters.
        actor: Who decides.
        clock: Tells the time.

    Raises:
        UnknownIntegration: there is no such integration.
        NotPossible: there is no such error, its document is not held, or the reason is empty or too long.
        Busy: the integration is being synced.
    """
    text = _checked(reason)
    with _deciding(warehouse, integration, clock) as (connection, now):
        before = _find(connection, integration, error_id)
        _refuse_to_set_aside(before)
        if before.is_set_aside and before.ignored_because == text:
            return Decided(before, has_changed=False)
        if before.is_of_document:
            who = {"set_aside_by": actor.name, "set_aside_at": now}
            _write_document(connection, before, {"set_aside_reason": text, **who})
        _write_errors(connection, before, ("open", "ignored"), {"status": "ignored", "reason": text})
        what = What.DOCUMENT_SET_ASIDE if before.is_of_document else What.ERROR_IGNORED
        _record(connection, before, actor, now, _Change(what, {"reason": text}))
        return Decided(_find(connection, integration, error_id), has_changed=True)


def reopen(
    warehouse: Warehouse,
    integration: str,
    error_id: int,
    *,
    actor: Actor,
    clock: Callable[[], datetime] = utc_now,
) -> Decided:
    """Takes back that a document was set aside, or an error ignored; the next posting looks at the document again.

    Raises:
        UnknownIntegration: there is no such integration.
        NotPossible: there is no such error.
        Busy: the integration is being synced.
    """
    with _deciding(warehouse, integration, clock) as (connection, now):
        before = _find(connection, integration, error_id)
        if not before.is_set_aside:
            return Decided(before, has_changed=False)
        status = "open"
        if before.is_of_document:
            _write_document(connection, before, dict.fromkeys(("set_aside_reason", "set_aside_by", "set_aside_at")))
            # What has left the scope meanwhile is not looked at again, so that nobody would close its errors.
            status = "open" if before.state == "held" else "resolved"
        _write_errors(connection, before, ("ignored",), {"status": status, "reason": None})
        what = What.DOCUMENT_REOPENED if before.is_of_document else What.ERROR_REOPENED
        _record(connection, before, actor, now, _Change(what))
        return Decided(_find(connection, integration, error_id), has_changed=True)


def retry(
    warehouse: Warehouse,
    integration: str,
    error_id: int,
    *,
    actor: Actor,
    clock: Callable[[], datetime] = utc_now,
) -> Retried:
    """Posts what can be posted now, although nothing may have changed, and says what became of one document.

    Raises:
        UnknownIntegration: there is no such integration.
        NotPossible: there is no such error, it holds no document, or the document is set aside.
        Busy: the integration is being synced.
    """
    with alone(warehouse, integration, clock) as fence:
        with warehouse.read() as connection:
            before = _find(connection, integration, error_id)
        _refuse_to_retry(before)
        report = post(warehouse, integration, clock=clock, fence=fence.check, even_if_quiet=True)
        with warehouse.write() as connection:
            after = _find(connection, integration, error_id)
            reasons = _still_open(connection, after)
            became = {"state": after.state, "entry_id": after.entry_id, "reasons": [one.code for one in reasons]}
            _record(connection, before, actor, clock(), _Change(What.POSTING_RETRIED, became))
    has_posted = after.state == "imported" and (after.state, after.entry_id) != (before.state, before.entry_id)
    return Retried(after, reasons, has_posted, _posted(report) - has_posted)


def _checked(reason: str) -> str:
    text = one_line(reason, limit=LONGEST_REASON + 1)
    if not text:
        raise NotPossible("The reason is empty. Say in a few words why this is set aside.")
    if len(text) > LONGEST_REASON:
        raise NotPossible(f"The reason is longer than {LONGEST_REASON} characters. Make it shorter.")
    return text


@contextmanager
def _deciding(
    warehouse: Warehouse, integration: str, clock: Callable[[], datetime]
) -> Iterator[tuple[Connection, datetime]]:
    # A posting that has begun would not see the decision, and post the document all the same.
    with alone(warehouse, integration, clock) as fence, warehouse.write() as connection:
        fence.check(connection)
        yield connection, clock()


def _find(connection: Connection, integration: str, error_id: int) -> Subject:
    e, d = integration_errors.c, ledger_documents.c
    same = and_(d.integration == e.integration, d.kind == e.entity, d.id == e.record_id, e.code.in_(list(REASONS)))
    query = (
        select(
            *(e.integration, e.entity, e.record_id, e.code, e.status, e.next_step, e.reason),
            *(d.number, d.state, d.reason.label("out_of_scope"), d.entry_id, d.posting_date),
            *(d.set_aside_reason, d.set_aside_by, d.set_aside_at),
        )
        .select_from(integration_errors.outerjoin(ledger_documents, same))
        .where(e.id == error_id)
    )
    row = connection.execute(query).one_or_none()
    if row is None or row.integration != integration:
        theirs = "" if row is None else f" Error {error_id} is one of {row.integration}."
        raise NotPossible(
            f"{integration} has no error {error_id}.{theirs} The errors and their numbers: billcom errors {integration}"
        )
    is_of_document = row.code in REASONS
    return Subject(
        integration,
        error_id,
        row.entity,
        row.record_id,
        row.code,
        row.status,
        row.next_step,
        is_set_aside=row.set_aside_at is not None if is_of_document else row.status == "ignored",
        ignored_because=row.set_aside_reason if is_of_document else row.reason,
        set_aside_by=row.set_aside_by,
        number=row.number,
        state=row.state,
        out_of_scope=row.out_of_scope,
        entry_id=row.entry_id,
        posting_date=row.posting_date,
    )


def _refuse_to_set_aside(subject: Subject) -> None:
    if not subject.is_of_document:
        if subject.status == "resolved":
            raise NotPossible(f"Error {subject.error_id} is closed already: its cause is gone.")
        return
    because = {
        "imported": "is in the books, and only what is held can be set aside. What was posted stands; a change of it "
        "in BILL that may not post waits until its cause is gone",
        "out_of_scope": f"is out of scope ({subject.out_of_scope}), so nothing of it is held",
        None: "is not known to the books any more, so nothing of it is held",
    }
    if subject.state in because:
        raise NotPossible(f"{subject.integration}: {subject.title} {because[subject.state]}.")


def _refuse_to_retry(subject: Subject) -> None:
    if not subject.is_of_document:
        raise NotPossible(
            f"Error {subject.error_id} ({subject.code}) holds no document, so there is nothing to post. What to do "
            f"about it: {subject.next_step}"
        )
    if subject.is_set_aside:
        raise NotPossible(
            f"{subject.integration}: {subject.title} was set aside by {excerpt(subject.set_aside_by or 'somebody')}: "
            f"{excerpt(subject.ignored_because or '')}. Take that back first: "
            f"billcom errors {subject.integration} --reopen {subject.error_id}"
        )


def _still_open(connection: Connection, subject: Subject) -> tuple[StillOpen, ...]:
    e = integration_errors.c
    query = select(e.code, e.message, e.next_step).where(_errors_of(subject), e.status == "open")
    rows = sorted(connection.execute(query), key=lambda row: list(REASONS).index(row.code))
    return tuple(StillOpen(*row) for row in rows)


def _posted(report: PostingReport) -> int:
    made = (Action.POST.value, Action.REPOST.value)
    return sum(count for (_, action), count in report.actions.items() if action in made)


def _errors_of(subject: Subject) -> ColumnElement[bool]:
    """All of the document's reasons; of another error only itself."""
    e = integration_errors.c
    if not subject.is_of_document:
        return e.id == subject.error_id
    return and_(
        e.integration == subject.integration,
        e.entity == subject.entity,
        e.record_id == subject.record_id,
        e.code.in_(list(REASONS)),
    )


def _write_document(connection: Connection, subject: Subject, values: Mapping[str, Any]) -> None:
    d = ledger_documents.c
    mine = (d.integration == subject.integration, d.kind == subject.entity, d.id == subject.record_id)
    connection.execute(update(ledger_documents).where(*mine).values(values))


def _write_errors(
    connection: Connection, subject: Subject, of_status: Sequence[str], values: Mapping[str, Any]
) -> None:
    statement = update(integration_errors).where(_errors_of(subject), integration_errors.c.status.in_(of_status))
    connection.execute(statement.values(values))


def _record(connection: Connection, subject: Subject, actor: Actor, now: datetime, change: _Change) -> None:
    before = {"reason": subject.ignored_because} if subject.ignored_because is not None else None
    decision = Decision(change.what, subject.audited_as, subject.integration, before, change.after)
    audit.record_all(connection, actor, [decision], now)
