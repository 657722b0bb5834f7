"""Reads what is attached in BILL: lists it, and fetches what is not kept yet.

A run that was killed, or that has used up its share, leaves the rest to the next one: what waits is what the tables
say.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import IO, Any, TypeVar

from sqlalchemy import select, update

from billcom_assets.bill.client import DOWNLOAD
from billcom_assets.bill.downloads import NoRoom
from billcom_assets.bill.errors import (
    LIST_TROUBLE,
    AuthenticationRefused,
    BillError,
    BillUnavailable,
    HourlyLimitReached,
    SessionsExhausted,
    SignInPostponed,
    TooManyAtOnce,
    Unreachable,
)
from billcom_assets.documents.files import DocumentFiles, stored_as
from billcom_assets.documents.media_types import PROGRAMS, media_type
from billcom_assets.documents.sources import Listed, Source
from billcom_assets.documents.waiting import SHARE, Record, has_used_up_its_share, is_due, sources, waiting
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.sync.fetching import Turn
from billcom_assets.sync.run import Sync
from billcom_assets.warehouse.errors import WarehouseError
from billcom_assets.warehouse.tables import document_reads, documents
from billcom_assets.warehouse.upsert import upsert

_T = TypeVar("_T")
_log = logging.getLogger(__name__)
_AT_ONCE = 60
"""Objects whose files are listed and fetched before anything is committed."""
_TRIES = 3
"""Objects in a row without a usable response that mean that BILL lists no such files, and so of downloads."""
_LONGEST_SECONDS = 600.0
"""Of one run: the next sync is not to wait for papers."""
_CONTENT = ("sha256", "size", "media_type", "stored_as")
"""Columns that say what a file holds."""
_LOOKED_AT = 4096
"""Bytes of a file that tell what it is."""
_PASSES = (HourlyLimitReached, SignInPostponed, TooManyAtOnce, Unreachable)
"""What says nothing about the file or object that was asked for."""
_SIGN_IN = (AuthenticationRefused, SessionsExhausted)


@dataclass
class DocumentReport:
    """What a run did about files."""

    listed: int = 0
    """Objects that BILL was asked about."""
    stored: int = 0
    """Files fetched."""
    size: int = 0
    """Their bytes."""
    failed: int = 0
    """Files that could not be had."""
    requests: int = 0
    stopped: str = ""
    """Why the rest waits for another run; empty when nothing does."""


def read_documents(sync: Sync, files: DocumentFiles, *, refresh: bool = False) -> DocumentReport:
    """Lists and fetches files within the run's share of time and requests.

    Args:
        sync: The run; its pulls of the objects are over.
        files: Where contents are kept.
        refresh: Ask about all objects again.

    Raises:
        BillError: BILL refuses the sign-in.
        WarehouseError: the folder for documents, or that for temporary files, cannot be used.
    """
    files.clear(sync.integration)
    reader = _Reader(sync, files, refresh)
    for source in sources(sync):
        if not reader.report.stopped:
            reader.read(source)
    reader.report.requests = reader.turn.tally.requests
    return reader.report


class _NotAFile(Exception):
    """What came is no file that is kept."""

    def __init__(self, why: str, *, may_be_the_link: bool = True) -> None:
        super().__init__(why)
        self.may_be_the_link = may_be_the_link


@dataclass
class _Reader:
    sync: Sync
    files: DocumentFiles
    refresh: bool
    report: DocumentReport = field(default_factory=DocumentReport)

    def __post_init__(self) -> None:
        self.turn = Turn(len(self.sync.planned))
        self.started_at = self.sync.clock()
        self.passed_over: set[str] = set()
        """Ids of a source's objects about which BILL gave no usable response; another run asks again."""
        self.has_answered = False
        """BILL has listed the files of one of the source's objects."""
        self.downloads_lost = 0
        """Downloads in a row without a usable response."""
        self._ends = time.monotonic() + _LONGEST_SECONDS

    def read(self, source: Source) -> None:
        """Takes the objects of one source, the youngest first."""
        self.passed_over.clear()
        self.has_answered = False
        try:
            while not self._is_over() and (records := self._waiting(source)):
                self._take(source, records)
        except _PASSES as passing:
            # What is still waiting for a worker is left alone.
            self._ends = 0
            self.report.stopped = excerpt(passing.message)
        except (*LIST_TROUBLE, *_SIGN_IN) as refusal:
            if isinstance(refusal, _SIGN_IN) and not source.is_of_v2(self.sync.client):
                raise
            # It says nothing about the files of others.
            _log.warning("%s: BILL does not list files of %s: %s", self.sync.integration, source.entity, refusal)

    def _is_over(self) -> bool:
        """Whether the rest is left to another run; says why."""
        if self._is_too_late():
            self.report.stopped = "the run's time for files is over"
        elif self.downloads_lost >= _TRIES:
            self.report.stopped = "BILL serves its lists, and no files for now"
        elif has_used_up_its_share(self.sync):
            self.report.stopped = f"{SHARE:,} requests of this clock hour are used; the rest is the syncs'"
        return bool(self.report.stopped)

    def _is_too_late(self) -> bool:
        return time.monotonic() > self._ends

    def _waiting(self, source: Source) -> list[Record]:
        # One alone finds out whether BILL lists such files for this login at all.
        most = _AT_ONCE if self.has_answered else 1
        return waiting(self.sync, source, self.started_at, most, but=self.passed_over, asked_before=self.refresh)

    def _take(self, source: Source, records: Sequence[Record]) -> None:
        found = dict(self._listings(source, records))
        self.report.listed += len(found)
        self._note_listed(source, found)
        due = self._due(source, found)
        fetched = {
            (record.id, one.id): self._submit(partial(self._fetch, source, record.id, one))
            for record, listed in found.items()
            for one in listed
            if (record.id, one.id) in due
        }
        for name, future in fetched.items():
            values = future.result()
            if values is not None:
                self._note_fetched(source, name, values)

    def _submit(self, task: Callable[[], _T | None]) -> Future[_T | None]:
        """Has a worker do it; nothing once the run's time is over, whatever was waiting before."""
        return self.sync.pool.submit(self.turn, lambda: None if self._is_too_late() else task())

    # Listing ----------------------------------------------------------------------------------------------------------

    def _listings(self, source: Source, records: Sequence[Record]) -> Iterator[tuple[Record, list[Listed]]]:
        """What is attached to the objects about which BILL gives a usable response.

        Raises:
            BillError: it gives none about several, or something else is wrong.
        """
        asked = {one: self._submit(partial(source.read, self.sync.client, one.id)) for one in records}
        for record, future in asked.items():
            try:
                listed = future.result()
            except LIST_TROUBLE:
                self.passed_over.add(record.id)
                self._note_unanswered(source, record)
                if len(self.passed_over) >= (_AT_ONCE if self.has_answered else _TRIES):
                    raise
                continue
            if listed is not None:
                self.has_answered = True
                yield record, listed

    def _note_listed(self, source: Source, found: Mapping[Record, Sequence[Listed]]) -> None:
        """Keeps what BILL lists, and that it was asked; in one transaction, so that neither is there alone."""
        sync, now = self.sync, self.sync.clock()
        fresh = {"integration": sync.integration, "entity": source.entity, "listed_at": now, "detached_at": None}
        rows = {
            (record.id, one.id): fresh | {"name": one.name, "created_time": one.created_time}
            for record, listed in found.items()
            for one in listed
        }
        named = [values | {"record_id": record, "id": one} for (record, one), values in rows.items()]
        renewed = self._renewed(source, found)
        d = documents.c
        ids = [record.id for record in found]
        mine = (d.integration == sync.integration, d.entity == source.entity, d.record_id.in_(ids))
        known = select(d.record_id, d.id).where(*mine, d.detached_at.is_(None))
        with sync.warehouse.write() as connection:
            sync.fence.check(connection)
            gone = {tuple(row) for row in connection.execute(known)} - rows.keys()
            for record_id, identifier in gone:
                one_of_them = (*mine, d.record_id == record_id, d.id == identifier)
                connection.execute(update(documents).where(*one_of_them).values(detached_at=now))
            upsert(connection, documents, [one | {"status": "waiting"} for one in named], keep=("status",))
            changed = update(documents).where(*mine, d.record_id.in_(renewed), d.detached_at.is_(None))
            connection.execute(changed.values(status="waiting", **dict.fromkeys(_CONTENT)))
            upsert(connection, document_reads, self._reads(source, list(found), answered=True))

    def _renewed(self, source: Source, found: Mapping[Record, Sequence[Listed]]) -> list[str]:
        """Ids of the objects that have changed since their pages were fetched: others may stand there now."""
        paged = [record for record, listed in found.items() if any(one.is_page for one in listed)]
        r = document_reads.c
        mine = (r.integration == self.sync.integration, r.entity == source.entity)
        query = select(r.record_id, r.updated_time).where(*mine, r.record_id.in_([one.id for one in paged]))
        with self.sync.warehouse.read() as connection:
            before = {row[0]: row[1] for row in connection.execute(query)}
        return [one.id for one in paged if one.id in before and before[one.id] != one.updated_time]

    def _note_unanswered(self, source: Source, record: Record) -> None:
        """Keeps that BILL was asked, and not what has changed since it last answered."""
        with self.sync.warehouse.write() as connection:
            self.sync.fence.check(connection)
            upsert(connection, document_reads, self._reads(source, [record], answered=False), keep=("updated_time",))

    def _reads(self, source: Source, records: Sequence[Record], *, answered: bool) -> list[dict[str, Any]]:
        common = {"integration": self.sync.integration, "entity": source.entity, "read_at": self.sync.clock()}
        asked = ({"record_id": one.id, "updated_time": one.updated_time} for one in records)
        return [common | one | {"answered": answered} for one in asked]

    # Fetching ---------------------------------------------------------------------------------------------------------

    def _due(self, source: Source, found: Mapping[Record, Sequence[Listed]]) -> set[tuple[str, str]]:
        """(object, file) of what is to be fetched."""
        d = documents.c
        mine = (d.integration == self.sync.integration, d.entity == source.entity, d.detached_at.is_(None))
        ids = d.record_id.in_([one.id for one in found])
        with self.sync.warehouse.read() as connection:
            rows = connection.execute(select(d.record_id, d.id).where(*mine, ids, is_due(self.started_at)))
            return {(row[0], row[1]) for row in rows}

    def _fetch(self, source: Source, record_id: str, listed: Listed) -> Mapping[str, Any] | None:
        """Columns of one file that was fetched, or could not be; None where it is left to another run."""
        if self.downloads_lost >= _TRIES:
            return None
        try:
            found = self._kept_or_renewed(source, record_id, listed)
        except _PASSES:
            raise
        except _SIGN_IN as refused:
            if refused.endpoint != DOWNLOAD:
                raise
            return _failed(excerpt(refused.message))
        except BillUnavailable as lost:
            self.downloads_lost += 1
            return _failed(excerpt(lost.message))
        except BillError as error:
            return _failed(excerpt(error.message))
        except _NotAFile as no_file:
            return _failed(str(no_file))
        except NoRoom as full:
            raise WarehouseError(
                f"There is no room for a file on its way from BILL: {full}.",
                "Make room in the folder for temporary files, or set TMPDIR to another one.",
            ) from None
        self.downloads_lost = 0
        return found

    def _kept_or_renewed(self, source: Source, record_id: str, listed: Listed) -> Mapping[str, Any]:
        """The file; where its link has ended, by a new one."""
        try:
            return self._kept(listed)
        except BillUnavailable:
            raise
        except (*LIST_TROUBLE, *_SIGN_IN) as ended:
            if ended.endpoint != DOWNLOAD:
                raise
        except _NotAFile as no_file:
            if not no_file.may_be_the_link:
                raise
        again = [one for one in source.read(self.sync.client, record_id) if one.id == listed.id]
        if not again:
            raise _NotAFile("BILL no longer lists the file")
        return self._kept(again[0])

    def _kept(self, listed: Listed) -> Mapping[str, Any]:
        if not listed.link:
            raise _NotAFile("BILL gives no link to the file")
        with tempfile.TemporaryFile() as file:
            self.sync.client.download(listed.link, file)
            return self._stored(listed, file)

    def _stored(self, listed: Listed, file: IO[bytes]) -> Mapping[str, Any]:
        size = file.tell()
        file.seek(0)
        begin = file.read(_LOOKED_AT)
        kind = media_type(begin, listed.name)
        if kind is None:
            raise _no_file(begin)
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
        name = stored_as(self.sync.integration, sha256, kind.ending(listed.name))
        file.seek(0)
        self.files.put(name, file, size)
        content = {"sha256": sha256, "size": size, "media_type": kind.name, "stored_as": name}
        return content | {"status": "stored", "problem": None}

    def _note_fetched(self, source: Source, name: tuple[str, str], values: Mapping[str, Any]) -> None:
        sync, d = self.sync, documents.c
        record_id, identifier = name
        mine = (d.integration == sync.integration, d.entity == source.entity, d.record_id == record_id)
        statement = update(documents).where(*mine, d.id == identifier)
        with sync.warehouse.write() as connection:
            sync.fence.check(connection)
            connection.execute(statement.values(**values, tried_at=sync.clock()))
        if values["status"] == "stored":
            self.report.stored += 1
            self.report.size += values["size"]
        else:
            self.report.failed += 1


def _failed(why: str) -> Mapping[str, Any]:
    return {"status": "failed", "problem": why}


def _no_file(begin: bytes) -> _NotAFile:
    """What is wrong with a content that begins like this."""
    if not begin:
        return _NotAFile("what BILL sent is empty")
    # A page or words in place of a file may be what an ended link leads to.
    may_be_the_link = not begin.startswith(PROGRAMS)
    return _NotAFile("what BILL sent is no kind of file that is kept", may_be_the_link=may_be_the_link)
