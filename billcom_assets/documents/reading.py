"""Reads what is attached in BILL: lists it, and fetches what is not kept yet.

A run that was killed, or that has used up its share, leaves the rest to the next one: what waits is what the tables
say.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import IO, Any

from sqlalchemy import select, update

from billcom_assets.bill.errors import (
    LIST_TROUBLE,
    AuthenticationRefused,
    BillError,
    HourlyLimitReached,
    SessionsExhausted,
    Unreachable,
)
from billcom_assets.bill.quotas import REQUESTS_PER_HOUR, hour_of
from billcom_assets.documents.files import DocumentFiles, stored_as
from billcom_assets.documents.media_types import media_type
from billcom_assets.documents.sources import SOURCES, Listed, Source
from billcom_assets.documents.waiting import Record, is_due, waiting
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.sync.fetching import Turn
from billcom_assets.sync.run import Sync
from billcom_assets.warehouse.tables import document_reads, documents, request_budget
from billcom_assets.warehouse.upsert import upsert

_log = logging.getLogger(__name__)
_AT_ONCE = 60
"""Objects whose files are listed and fetched before anything is committed."""
_TRIES = 3
"""Objects in a row without a usable response that mean that BILL lists no such files."""
_LONGEST_SECONDS = 600.0
"""Of one run: the next sync is not to wait for papers."""
_SHARE = REQUESTS_PER_HOUR // 2
"""Once so many of the hour's requests are used, by whomever, files wait for the next hour."""
_LINK_ENDED = (*LIST_TROUBLE, AuthenticationRefused, SessionsExhausted)
"""What BILL may say about a link that has ended; it is asked for a new one."""


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


@dataclass(frozen=True, slots=True)
class _Fetched:
    """What came of fetching a file."""

    values: Mapping[str, Any]
    """Columns of ``documents``."""

    @property
    def is_stored(self) -> bool:
        return bool(self.values["status"] == "stored")


def read_documents(sync: Sync, files: DocumentFiles, *, refresh: bool = False) -> DocumentReport:
    """Lists and fetches files within the run's share of time and requests.

    Args:
        sync: The run; its pulls of the objects are over.
        files: Where contents are kept.
        refresh: Ask about all objects again.

    Raises:
        BillError: BILL refuses the sign-in.
        WarehouseError: the folder for documents cannot be used.
    """
    files.clear(sync.integration)
    reader = _Reader(sync, files, refresh)
    for source in SOURCES:
        if source.entity not in sync.excluded and (sync.asks_v2 or not source.is_of_v2) and not reader.report.stopped:
            reader.read(source)
    reader.report.requests = reader.turn.tally.requests
    return reader.report


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
        self._ends = time.monotonic() + _LONGEST_SECONDS

    def read(self, source: Source) -> None:
        """Takes the objects of one source, the youngest first."""
        self.passed_over.clear()
        self.has_answered = False
        try:
            while records := self._waiting(source):
                if self._has_used_up_its_share():
                    return
                self._take(source, records)
        except HourlyLimitReached as limit:
            self.report.stopped = excerpt(limit.message)
        except Unreachable as away:
            self.report.stopped = excerpt(away.message)
        except (*LIST_TROUBLE, AuthenticationRefused, SessionsExhausted) as refusal:
            if isinstance(refusal, AuthenticationRefused | SessionsExhausted) and not source.is_of_v2:
                raise
            # It says nothing about the files of others.
            _log.warning("%s: BILL does not list files of %s: %s", self.sync.integration, source.entity, refusal)

    def _has_used_up_its_share(self) -> bool:
        if time.monotonic() > self._ends:
            self.report.stopped = "the run's time for files is over"
        elif self._requests_of_the_hour() >= _SHARE:
            self.report.stopped = f"{_SHARE:,} requests of this clock hour are used; the rest is the syncs'"
        return bool(self.report.stopped)

    def _requests_of_the_hour(self) -> int:
        t = request_budget.c
        mine = (t.developer_key == self.sync.client.credentials.key_digest, t.hour == hour_of(self.sync.clock()))
        with self.sync.warehouse.read() as connection:
            return connection.scalar(select(t.requests).where(*mine)) or 0

    def _waiting(self, source: Source) -> list[Record]:
        # One alone finds out whether BILL lists such files for this login at all.
        at_once = _AT_ONCE if self.has_answered else 1
        return waiting(self.sync, source, self.started_at, at_once, but=self.passed_over, asked_before=self.refresh)

    # Listing ----------------------------------------------------------------------------------------------------------

    def _take(self, source: Source, records: Sequence[Record]) -> None:
        asked = {one: self._submit(partial(source.read, self.sync.client, one.id)) for one in records}
        found = {one: listed for one, future in asked.items() if (listed := self._answer(one, future)) is not None}
        self.report.listed += len(found)
        self._note_listed(source, found)
        with self.sync.warehouse.read() as connection:
            d = documents.c
            mine = (d.integration == self.sync.integration, d.entity == source.entity, d.detached_at.is_(None))
            ids = d.record_id.in_([one.id for one in found])
            due = select(d.record_id, d.id).where(*mine, ids, is_due(self.started_at))
            wanted = {tuple(row) for row in connection.execute(due)}
        fetched = {
            (record.id, one.id): self._submit(partial(self._fetch, source, record.id, one))
            for record, listed in found.items()
            for one in listed
            if (record.id, one.id) in wanted
        }
        for name, future in fetched.items():
            self._note_fetched(source, name, future.result())

    def _submit(self, task: Any) -> Future[Any]:
        return self.sync.pool.submit(self.turn, task)

    def _answer(self, record: Record, listed: Future[list[Listed]]) -> list[Listed] | None:
        """What is attached to an object; None where BILL gives no usable response, unless that is so for many.

        Raises:
            BillError: BILL's.
        """
        try:
            found = listed.result()
        except LIST_TROUBLE:
            self.passed_over.add(record.id)
            if len(self.passed_over) == (_AT_ONCE if self.has_answered else _TRIES):
                raise
            return None
        self.has_answered = True
        return found

    def _note_listed(self, source: Source, found: Mapping[Record, Sequence[Listed]]) -> None:
        """Keeps what BILL lists, and that it was asked; in one transaction, so that neither is there alone."""
        sync, now = self.sync, self.sync.clock()
        common: dict[str, Any] = {"integration": sync.integration, "entity": source.entity}
        fresh = {"status": "waiting", "listed_at": now, "detached_at": None}
        rows = [
            common | fresh | {"record_id": record.id, "id": one.id, "name": one.name, "created_time": one.created_time}
            for record, listed in found.items()
            for one in listed
        ]
        reads = [common | {"record_id": one.id, "updated_time": one.updated_time, "read_at": now} for one in found]
        d = documents.c
        of_them = (d.entity == source.entity, d.record_id.in_([one.id for one in found]), d.detached_at.is_(None))
        known = select(d.record_id, d.id).where(d.integration == sync.integration, *of_them)
        listed = {(row["record_id"], row["id"]) for row in rows}
        with sync.warehouse.write() as connection:
            sync.fence.check(connection)
            for record_id, identifier in {tuple(row) for row in connection.execute(known)} - listed:
                one = (d.integration == sync.integration, d.entity == source.entity, d.record_id == record_id)
                connection.execute(update(documents).where(*one, d.id == identifier).values(detached_at=now))
            upsert(connection, documents, rows, keep=("status",))
            upsert(connection, document_reads, reads)

    # Fetching ---------------------------------------------------------------------------------------------------------

    def _fetch(self, source: Source, record_id: str, listed: Listed) -> _Fetched:
        """One file; where its link has ended, by a new one."""
        try:
            try:
                return self._kept(listed)
            except (*_LINK_ENDED, _NotAFile):
                again = [one for one in source.read(self.sync.client, record_id) if one.id == listed.id]
                if not again:
                    return self._failed("BILL no longer lists the file")
                return self._kept(again[0])
        except (HourlyLimitReached, Unreachable):
            # Nothing is wrong with the file.
            raise
        except BillError as error:
            return self._failed(excerpt(error.message))
        except _NotAFile as found:
            return self._failed(str(found))

    def _kept(self, listed: Listed) -> _Fetched:
        if not listed.link:
            raise _NotAFile("BILL gives no link to the file")
        with tempfile.TemporaryFile() as file:
            self.sync.client.download(listed.link, file)
            return self._stored(listed, file)

    def _stored(self, listed: Listed, file: IO[bytes]) -> _Fetched:
        size = file.tell()
        file.seek(0)
        kind = media_type(file.read(4096))
        if kind is None:
            raise _NotAFile("what BILL sent is empty" if not size else "what BILL sent is no kind of file that is kept")
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
        name = stored_as(self.sync.integration, sha256, kind.ending(listed.name))
        file.seek(0)
        self.files.put(name, file, size)
        values = {"sha256": sha256, "size": size, "media_type": kind.name, "stored_as": name, "problem": None}
        return _Fetched({**values, "status": "stored"})

    def _failed(self, why: str) -> _Fetched:
        return _Fetched({"status": "failed", "problem": why})

    def _note_fetched(self, source: Source, name: tuple[str, str], fetched: _Fetched) -> None:
        sync, d = self.sync, documents.c
        record_id, identifier = name
        mine = (d.integration == sync.integration, d.entity == source.entity, d.record_id == record_id)
        statement = update(documents).where(*mine, d.id == identifier)
        with sync.warehouse.write() as connection:
            sync.fence.check(connection)
            connection.execute(statement.values(**fetched.values, tried_at=sync.clock()))
        if fetched.is_stored:
            self.report.stored += 1
            self.report.size += fetched.values["size"]
        else:
            self.report.failed += 1


class _NotAFile(Exception):
    """What came is no file that is kept."""
