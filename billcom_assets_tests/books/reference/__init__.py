"""The posting rules a second time, in plain Python: what the books must be, worked out document by document.

It shares no code with the package and reads the warehouse only to load whole tables, so that a mistake in the one is
not a mistake in the other. ``load_snapshot`` gives what is known of one integration, ``ReferenceBooks.post`` makes one
run over it. Books that are posted to once are those of an undisturbed run; posted to again and again, after every step
that the company, BILL or a person took, they have the history too.
"""

from __future__ import annotations

from billcom_assets_tests.books.reference.books import ReferenceBooks
from billcom_assets_tests.books.reference.entries import Application, Balance, DocumentState, Entry, Line
from billcom_assets_tests.books.reference.loading import load_snapshot
from billcom_assets_tests.books.reference.policy import Policy
from billcom_assets_tests.books.reference.snapshot import ALL_KINDS, PAYABLES, RECEIVABLES, Snapshot

__all__ = [
    "ALL_KINDS",
    "PAYABLES",
    "RECEIVABLES",
    "Application",
    "Balance",
    "DocumentState",
    "Entry",
    "Line",
    "Policy",
    "ReferenceBooks",
    "Snapshot",
    "load_snapshot",
]
