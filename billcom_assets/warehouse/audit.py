"""Who decided what: an append-only log whose entries are chained by hash.

Each entry has a hash of its content (salt, integration, subject, before, after), and a hash of that, of the entry
before and of who, when, how and what. So an entry that was changed, removed, inserted or moved shows, and still the
content can be erased when an integration is forgotten: the content's hash stays in the chain. Triggers let nobody
update or delete anything else, and let content go only when its integration has gone; every erasure is accounted for by
the entry of the forgetting that did it. How far the log reaches stands in ``audit_head``, so that an end cut off shows.

What this does not protect from: whoever owns the database can drop the triggers and write the whole log and its head
again from some entry on, or put an old backup in its place. Keep the head that ``billcom audit --verify`` prints
somewhere else: a log written again no longer holds it. And the name is the one that the operating system has for the
process; whoever may write to the database can also insert an entry under another name.
"""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, func, insert, literal, null, select, true, update

from billcom_assets.warehouse.errors import WarehouseError
from billcom_assets.warehouse.tables import audit_head, audit_log

_SALT_BYTES: Final = 16
_FIRST_HASH: Final = "0" * 64
_READ_AT_ONCE: Final = 1_000


class How(StrEnum):
    """On what way a decision came."""

    COMMAND = "command"
    UI = "ui"
    SENSOR = "sensor"
    IMPORT = "import"
    """A file of decisions or records."""


class What(StrEnum):
    """What was done."""

    CONNECTED = "integration connected"
    SETTING_CHANGED = "setting changed"
    POLICY_CHANGED = "posting policy changed"
    CREDENTIALS_REPLACED = "credentials replaced"
    LEDGER_IMPORTED = "ledger imported"
    MAPPINGS_IMPORTED = "mappings imported"
    MAPPING_DECIDED = "mapping decided"
    DELETIONS_CONFIRMED = "deletions confirmed"
    DOCUMENT_SET_ASIDE = "document set aside"
    DOCUMENT_REOPENED = "document reopened"
    POSTING_RETRIED = "posting retried"
    BOOKS_REPOSTED = "books posted anew"
    ALIGNMENT_PLANNED = "alignment planned"
    ALIGNMENT_APPROVED = "alignment approved"
    ALIGNMENT_REJECTED = "alignment rejected"
    ERROR_IGNORED = "error ignored"
    ERROR_REOPENED = "error reopened"
    ACCOUNT_WRITTEN = "account written to BILL"
    ALIGNMENT_APPLIED = "chart plan applied"
    ALIGNMENT_UNDONE = "chart plan undone"
    DISCONNECTED = "integration disconnected"
    FORGETTING = "forgetting begun"
    FORGOTTEN = "integration forgotten"
    KEY_ROTATED = "secret key rotated"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who decides, and on what way."""

    user_id: int
    user_name: str
    how: How
    as_name: str | None = None
    """What somebody calls themselves beside the system's name, for example where many share one user."""

    @classmethod
    def of_process(cls, how: How, as_name: str | None = None) -> Actor:
        """Whoever runs this process, as the system says; the environment, which anybody can set, is not asked."""
        user_id = os.getuid()
        try:
            user_name = pwd.getpwuid(user_id).pw_name
        except KeyError:
            # A container may run as a user that has no name.
            user_name = f"user {user_id}"
        return cls(user_id, user_name, how, as_name)

    @property
    def name(self) -> str:
        """Both names in one text."""
        return f"{self.as_name} ({self.user_name})" if self.as_name else self.user_name


@dataclass(frozen=True, slots=True)
class Decision:
    """One thing that was decided; without secrets."""

    what: What
    subject: str
    integration: str | None = None
    """None for what concerns the whole database."""
    before: object = None
    """What was there before, JSON-able."""
    after: object = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the log; subject, before and after are None once erased."""

    id: int
    integration: str | None
    at: datetime
    user_id: int
    user_name: str
    as_name: str | None
    how: str
    what: str
    subject: str | None
    before: str | None
    after: str | None
    hash: str
    is_erased: bool


@dataclass(frozen=True, slots=True)
class Broken:
    """The first entry that is not as it was written."""

    id: int
    meaning: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the log is as it was written."""

    entries: int
    """How many entries there should be."""
    head: str
    """Hash of the last one: it stands for the whole log."""
    broken: Broken | None


def record(
    connection: Connection,
    *,
    actor: Actor,
    what: What,
    subject: str,
    now: datetime,
    integration: str | None = None,
    before: object = None,
    after: object = None,
) -> None:
    """Appends one entry in the caller's transaction, that of the change itself; see :func:`record_all`."""
    record_all(connection, actor, [Decision(what, subject, integration, before, after)], now)


def record_all(connection: Connection, actor: Actor, decisions: Iterable[Decision], now: datetime) -> None:
    """Appends one entry per decision in the caller's transaction, that of the change itself.

    Call it last: until the transaction ends no other process can record anything, so that the chain does not fork.

    Raises:
        WarehouseError: the head of the log is missing.
    """
    wanted = list(decisions)
    if not wanted:
        return
    # On SQLite the transaction holds the write lock already; PostgreSQL locks the row.
    head = connection.execute(select(audit_head.c.entries, audit_head.c.hash).with_for_update()).first()
    if head is None:
        raise WarehouseError("The audit log has lost its head, so nothing can be added to it.", "Restore a backup.")
    rows = list(_chained(actor, wanted, now, head.entries, head.hash))
    connection.execute(insert(audit_log), rows)
    connection.execute(update(audit_head).values(entries=rows[-1]["id"], hash=rows[-1]["hash"]))


def _chained(
    actor: Actor, decisions: Iterable[Decision], now: datetime, entries: int, previous: str
) -> Iterator[dict[str, Any]]:
    for number, decision in enumerate(decisions, entries + 1):
        row: dict[str, Any] = {
            "id": number,
            "integration": decision.integration,
            "at": now,
            "user_id": actor.user_id,
            "user_name": actor.user_name,
            "as_name": actor.as_name,
            "how": actor.how.value,
            "what": decision.what.value,
            "subject": decision.subject,
            "before": _json(decision.before),
            "after": _json(decision.after),
            "salt": secrets.token_hex(_SALT_BYTES),
            "previous_hash": previous,
        }
        row["content_hash"] = _content_hash(row)
        row["hash"] = previous = _entry_hash(row)
        yield row


def _json(value: object) -> str | None:
    return None if value is None else msgspec.json.encode(value, enc_hook=_plain, order="sorted").decode()


def _plain(value: object) -> str:
    if isinstance(value, str):  # such as the names of tables, which are of a class of their own
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} has no JSON form")


def _content_hash(row: dict[str, Any]) -> str:
    return _digest([row[name] for name in ("salt", "integration", "subject", "before", "after")])


def _entry_hash(row: dict[str, Any]) -> str:
    at = row["at"].astimezone(UTC).isoformat(timespec="microseconds")
    who = [row[name] for name in ("user_id", "user_name", "as_name", "how", "what")]
    return _digest([row["previous_hash"], row["id"], at, *who, row["content_hash"]])


def _digest(values: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(values, separators=(",", ":")).encode()).hexdigest()


def entries(connection: Connection, integration: str | None = None, *, limit: int) -> list[Entry]:
    """The last entries, oldest first: of one integration and of its forgetting, or of all."""
    query = select(audit_log).where(_about(integration)).order_by(audit_log.c.id.desc()).limit(limit)
    found = connection.execute(query).mappings().all()
    names = [name for name in Entry.__dataclass_fields__ if name != "is_erased"]
    return [Entry(**{name: row[name] for name in names}, is_erased=row["salt"] is None) for row in reversed(found)]


def count(connection: Connection, integration: str | None = None) -> int:
    """How many entries :func:`entries` would return without a limit."""
    return connection.scalar(select(func.count()).select_from(audit_log).where(_about(integration))) or 0


def _about(integration: str | None) -> ColumnElement[bool]:
    a = audit_log.c
    if integration is None:
        return true()
    return (a.integration == integration) | (a.integration.is_(None) & (a.subject == integration))


def erase(connection: Connection, integration: str) -> list[tuple[int, int]]:
    """Erases what the integration's entries were about; who, when and what stay. Returns the entries as ranges.

    The integration's own row must be gone already, and the ranges must go into the entry of its forgetting.
    """
    mine = audit_log.c.integration == integration
    erased = _Ranges()
    for number in connection.scalars(select(audit_log.c.id).where(mine).order_by(audit_log.c.id)):
        erased.add(number)
    nothing = dict.fromkeys(("integration", "subject", "before", "after", "salt"), null())
    connection.execute(update(audit_log).where(mine).values(nothing))
    return erased.ranges


def verify(connection: Connection) -> Verdict:
    """Reads the whole log and finds the first entry that is not as it was written."""
    one = select(literal(1).label("one")).subquery()
    everything = (
        select(audit_log, audit_head.c.entries.label("head_entries"), audit_head.c.hash.label("head_hash"))
        .select_from(one.outerjoin(audit_head, true()).outerjoin(audit_log, true()))
        .order_by(audit_log.c.id)
    )
    # One statement, so that what others append meanwhile does not look like a difference between log and head.
    check = _Check()
    head_entries, head_hash = None, None
    for row in connection.execute(everything.execution_options(yield_per=_READ_AT_ONCE)):
        head_entries, head_hash = row.head_entries, row.head_hash
        if row.id is not None and (broken := check.look(row)) is not None:
            return Verdict(head_entries or 0, head_hash or "", broken)
    return Verdict(head_entries or 0, head_hash or "", check.end(head_entries, head_hash))


@dataclass(slots=True)
class _Ranges:
    """Ascending numbers as ranges."""

    ranges: list[tuple[int, int]] = field(default_factory=list)

    def add(self, number: int) -> None:
        """Takes the next number."""
        if self.ranges and self.ranges[-1][1] == number - 1:
            self.ranges[-1] = (self.ranges[-1][0], number)
        else:
            self.ranges.append((number, number))


@dataclass(slots=True)
class _Check:
    """Follows the chain from its first entry."""

    last: int = 0
    hash: str = _FIRST_HASH
    erased: _Ranges = field(default_factory=_Ranges)
    accounted: list[tuple[int, int]] = field(default_factory=list)
    """Entries that forgettings say they erased."""

    def look(self, row: Row[Any]) -> Broken | None:
        """Takes the next entry; what is wrong with it."""
        values = dict(row._mapping)
        if row.id != self.last + 1:
            number = self.last + 1
            return Broken(number, "it is missing: it was removed, or the entries after it were given other numbers")
        is_erased = all(values[name] is None for name in ("integration", "subject", "before", "after", "salt"))
        if not is_erased and _content_hash(values) != row.content_hash:
            return Broken(row.id, "what it says was changed after it was written")
        if _entry_hash(values) != row.hash:
            return Broken(row.id, "it was changed after it was written: who, when, how, what or its place in the log")
        if row.previous_hash != self.hash:
            return Broken(row.id, "it does not follow the entry before: one of them was put in or put elsewhere")
        if is_erased:
            self.erased.add(row.id)
        elif row.what == What.FORGOTTEN.value:
            self.accounted += [(first, last) for first, last in json.loads(row.after)["erased_entries"]]
        self.last, self.hash = row.id, row.hash
        return None

    def end(self, head_entries: int | None, head_hash: str | None) -> Broken | None:
        """What is wrong with the log as a whole."""
        if head_entries is None:
            return Broken(self.last + 1, "the head of the log is missing, so nobody can say whether entries are")
        if head_entries > self.last:
            return Broken(self.last + 1, f"it is missing, and so is every entry up to {head_entries}: the end was cut")
        if head_entries < self.last:
            return Broken(head_entries + 1, "it was put in behind the end of the log, or the head was set back")
        if head_hash != self.hash:
            return Broken(self.last, "it is not the entry that the head of the log names as the last")
        for first, last in self.erased.ranges:
            reached = first
            for start, end in sorted(self.accounted):
                if start <= reached <= end:
                    reached = end + 1
            if reached <= last:
                return Broken(reached, "what it was about was erased, and no forgetting of an integration says so")
        return None
