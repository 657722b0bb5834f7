"""Which documents belong in the books at all, and when one that was posted leaves them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from billcom_assets_tests.books.reference.policy import Policy
from billcom_assets_tests.books.reference.snapshot import Document, MoneyMovement, ReceivedPayment, VendorPayment

_DRAFTS = ("DRAFT", "DRAFT_DELETED")
_VOID = ("VOID", "CANCELLED", "CANCELED")
_UNDER_WAY = ("SCHEDULED", "APPROVING")
PAYMENT_STATUSES = (*_VOID, *_UNDER_WAY, "PAID")
"""The statuses of payments whose meaning for the books is known."""
_THROUGH_CLEARING = ("1", "2")
_CONFIRMED = "1"


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What decides whether a document is in scope.

    Attributes:
        policy: The posting policy.
        cutoff: First day of the books, ``date.min`` without one.
        today: The UTC day of the run.
        was_reversed: Whether the document was in the books and has left them.
    """

    policy: Policy
    cutoff: date
    today: date
    was_reversed: bool = False


_Test = Callable[[Document, Scope], bool]


def _is_payment(document: Document) -> bool:
    return isinstance(document, VendorPayment | ReceivedPayment)


def _before_cutoff(document: Document, scope: Scope) -> bool:
    return document.date is not None and document.date < scope.cutoff


def _draft(document: Document, scope: Scope) -> bool:
    return document.record_status in _DRAFTS


def _archived(document: Document, scope: Scope) -> bool:
    return document.archived


def _voided(document: Document, scope: Scope) -> bool:
    return _is_payment(document) and document.status in _VOID


def _not_processed(document: Document, scope: Scope) -> bool:
    is_ahead = document.date is not None and document.date > scope.today
    return _is_payment(document) and (document.status in _UNDER_WAY or is_ahead)


def _not_confirmed(document: Document, scope: Scope) -> bool:
    return isinstance(document, MoneyMovement) and document.status != _CONFIRMED


def _not_clearing(document: Document, scope: Scope) -> bool:
    through = isinstance(document, MoneyMovement) and document.type in _THROUGH_CLEARING
    return through and not scope.policy.clears


def _deleted(document: Document, scope: Scope) -> bool:
    return document.deleted


_REASONS: tuple[tuple[str, _Test], ...] = (
    ("BEFORE_CUTOFF", _before_cutoff),
    ("DRAFT", _draft),
    ("ARCHIVED", _archived),
    ("VOIDED", _voided),
    ("NOT_PROCESSED", _not_processed),
    ("NOT_CONFIRMED", _not_confirmed),
    ("NOT_CLEARING", _not_clearing),
    ("DELETED", _deleted),
)
"""In the order in which they are looked at."""
_LEAVING = frozenset({"DRAFT", "ARCHIVED", "VOIDED", "NOT_CONFIRMED", "DELETED"})
"""For which an entry that stands is reversed."""
_HAPPENS_LATER = ("VOIDED", "NOT_CONFIRMED")
"""What comes to pass on a day of its own and not on that of the document."""


def out_of_scope(document: Document, scope: Scope) -> str | None:
    """Why a document of which no entry stands is out of scope; None when it is in scope."""
    return _first(document, scope, lifted=_lifted(document, scope))


def leaves_books(document: Document, scope: Scope, *, as_opposite: bool, reposting: bool) -> str | None:
    """Why an entry that stands must be reversed; None when it may stand.

    Args:
        document: The document as it is now.
        scope: With the earlier of the present cutoff and that under which the document came in.
        as_opposite: Whether the entry is the opposite of a payment.
        reposting: Whether a person confirmed that entries follow the present policy.
    """
    if as_opposite and not posts_as_opposite(document, scope):
        return out_of_scope(document, scope)
    lifted = _lifted(document, scope) if as_opposite else frozenset()
    leaving = _LEAVING | ({"NOT_CLEARING"} if reposting else set())
    return _first(document, scope, lifted=lifted, among=leaving)


def posts_as_opposite(document: Document, scope: Scope) -> bool:
    """Whether the document is a payment that the opening balances hold as made and that was voided after the cutoff."""
    if not isinstance(document, VendorPayment) or not _voided(document, scope) or scope.was_reversed:
        return False
    day = accepted_void_day(document)
    return _before_cutoff(document, scope) and day is not None and day >= scope.cutoff


def may_not_change_to(document: Document, scope: Scope) -> bool:
    """Whether what the document has become posts nothing, though the entry that stands is not reversed for it."""
    return _not_clearing(document, scope)


def accepted_void_day(payment: VendorPayment) -> date | None:
    """The UTC day on which BILL accepted the last request to void the payment; None when it accepted none."""
    accepted = [one.updated for one in payment.void_requests if one.status == "ACCEPTED" and one.updated is not None]
    return _utc_day(max(accepted, default=None) or payment.voided)


def reversal_day(document: Document, reason: str, posted_on: date) -> date:
    """The day on which a document that leaves the books for this reason does so, were all periods open."""
    day = None
    if reason in _HAPPENS_LATER:
        accepted = accepted_void_day(document) if isinstance(document, VendorPayment) else None
        day = accepted or _utc_day(document.updated)
    return max(day or posted_on, posted_on)


def _lifted(document: Document, scope: Scope) -> frozenset[str]:
    return frozenset({"BEFORE_CUTOFF", "VOIDED"}) if posts_as_opposite(document, scope) else frozenset()


def _first(
    document: Document, scope: Scope, *, lifted: frozenset[str], among: frozenset[str] | None = None
) -> str | None:
    for reason, applies in _REASONS:
        if reason not in lifted and (among is None or reason in among) and applies(document, scope):
            return reason
    return None


def _utc_day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.astimezone(UTC).date()
