"""Writing ``integration_errors``: one row for each thing that is wrong, however often it is seen."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from billcom_assets.warehouse.tables import integration_errors
from billcom_assets.warehouse.upsert import upsert

_KEYS = ("integration", "entity", "record_id", "code")
WHOLE_LIST = ""
"""The record of an error that concerns a list as a whole."""


class Trouble(NamedTuple):
    """What is wrong, and what to do about it."""

    message: str
    next_step: str


@dataclass(frozen=True, slots=True)
class ErrorLog:
    """The errors of one entity of an integration."""

    integration: str
    entity: str

    def report(self, connection: Connection, code: str, found: Mapping[str, Trouble], now: datetime) -> None:
        """Opens an error for each record, by id; one that is known is counted once more and is open again."""
        key = {"integration": self.integration, "entity": self.entity, "code": code}
        state = {"status": "open", "occurrences": 1, "first_seen_at": now, "last_seen_at": now}
        rows = [{**key, **state, "record_id": record_id, **one._asdict()} for record_id, one in found.items()]
        upsert(connection, integration_errors, rows, keys=_KEYS, keep=("first_seen_at",), add=("occurrences",))

    def resolve_list(self, connection: Connection, code: str, now: datetime) -> None:
        """Closes the error that concerns the list as a whole, if it is open."""
        self.resolve(connection, code, [WHOLE_LIST], now)

    def resolve(self, connection: Connection, code: str, records: Collection[str], now: datetime) -> None:
        """Closes the records' errors that are open."""
        e = integration_errors.c
        about_them = e.record_id.in_(records)
        mine = (e.integration == self.integration, e.entity == self.entity, e.code == code, about_them)
        connection.execute(
            integration_errors.update().where(*mine, e.status == "open").values(status="resolved", last_seen_at=now)
        )
