"""Writing ``integration_errors``: one row for each thing that is wrong, however often it is seen."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select

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
        """Opens an error for each record, by id; one that is known is counted once more and is open again.

        One that somebody ignores is counted, and stays ignored until its cause is gone.
        """
        if not found:
            return
        key = {"integration": self.integration, "entity": self.entity, "code": code}
        seen = {"occurrences": 1, "first_seen_at": now, "last_seen_at": now}
        ignored = self._ignored(connection, code)
        rows = [
            {
                **key,
                **seen,
                **one._asdict(),
                "record_id": record_id,
                "status": "ignored" if record_id in ignored else "open",
            }
            for record_id, one in found.items()
        ]
        upsert(connection, integration_errors, rows, keys=_KEYS, keep=("first_seen_at",), add=("occurrences",))

    def _ignored(self, connection: Connection, code: str) -> frozenset[str]:
        e = integration_errors.c
        mine = (e.integration == self.integration, e.entity == self.entity, e.code == code, e.status == "ignored")
        return frozenset(connection.scalars(select(e.record_id).where(*mine)))

    def resolve_list(self, connection: Connection, code: str, now: datetime) -> None:
        """Closes the error that concerns the list as a whole, if there is one."""
        self.resolve(connection, code, [WHOLE_LIST], now)

    def resolve(self, connection: Connection, code: str, records: Collection[str], now: datetime) -> None:
        """Closes the records' errors, ignored ones too: one that comes back is open again."""
        e = integration_errors.c
        about_them = e.record_id.in_(records)
        mine = (e.integration == self.integration, e.entity == self.entity, e.code == code, about_them)
        unresolved = integration_errors.update().where(*mine, e.status != "resolved")
        connection.execute(unresolved.values(status="resolved", reason=None, last_seen_at=now))
