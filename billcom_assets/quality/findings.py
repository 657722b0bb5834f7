"""What measures found when they last looked at everything, kept up to date by what each sync changes.

Following every reference of a large company takes long, and hardly any has changed since an hour ago.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, insert, select

from billcom_assets.warehouse.tables import quality_findings

Changes = Mapping[str, Collection[str] | None]
"""Ids of what a run has written by entity, None for a whole list; entities that it did not pull are left out."""


@dataclass(frozen=True)
class MeasureFindings:
    """What one measure knows to be wrong with one entity of an integration."""

    integration: str
    entity: str
    measure: str

    def known(self, connection: Connection) -> set[str]:
        """Everything that was found and not yet put right."""
        return set(connection.scalars(select(quality_findings.c.found).where(*self._mine)))

    def keep(self, connection: Connection, found: Collection[str], now: datetime) -> None:
        """Takes ``found`` for all that is wrong now; what was known before keeps its time."""
        known = self.known(connection)
        for one in known.difference(found):
            connection.execute(quality_findings.delete().where(*self._mine, quality_findings.c.found == one))
        key = {"integration": self.integration, "entity": self.entity, "measure": self.measure, "found_at": now}
        rows = [{**key, "found": one} for one in sorted(set(found) - known)]
        if rows:
            connection.execute(insert(quality_findings), rows)

    @property
    def _mine(self) -> tuple[ColumnElement[bool], ...]:
        f = quality_findings.c
        return f.integration == self.integration, f.entity == self.entity, f.measure == self.measure
