"""Decisions on which ledger object a BILL object stands for, as they are stored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, select

from billcom_assets.warehouse.audit import Decision, What
from billcom_assets.warehouse.ledger_tables import mappings


class LinkState(StrEnum):
    """What was decided on a BILL object."""

    MAPPED = "mapped"
    UNMAPPED = "unmapped"
    """Left unmapped by hand: nothing is suggested."""


class Method(StrEnum):
    """How a decision came about."""

    MANUAL = "manual"
    EXACT = "exact"
    """A certain suggestion was accepted."""
    LIKELY = "likely"
    """A likely suggestion was accepted."""


@dataclass(frozen=True, slots=True)
class Link:
    """What was decided on one BILL object: a row of the mappings table."""

    bill_id: str
    ledger_id: str | None
    state: LinkState
    method: Method
    score: int | None
    reason: str
    decided_by: str | None
    decided_at: datetime

    def audited(self) -> dict[str, object]:
        """What the audit log keeps of a decision, beside who decided it and when."""
        return {"ledger_id": self.ledger_id, "state": self.state, "method": self.method}


@dataclass(frozen=True, slots=True)
class Links:
    """The decisions on one kind of one integration."""

    conn: Connection
    integration: str
    kind: str

    def all(self) -> dict[str, Link]:
        """Every decision by BILL id."""
        columns = [mappings.c[name] for name in _COLUMNS]
        query = select(*columns).where(mappings.c.integration == self.integration, mappings.c.kind == self.kind)
        return {row.bill_id: _link(row._asdict()) for row in self.conn.execute(query)}

    def add(self, links: Iterable[Link]) -> None:
        """Stores decisions on BILL objects that have none."""
        rows = [self._values(link) for link in links]
        if rows:
            self.conn.execute(insert(mappings), rows)

    def remove(self, bill_ids: Iterable[str]) -> None:
        """Takes back the decisions on these BILL objects."""
        keys = [{"key": bill_id} for bill_id in bill_ids]
        if keys:
            self.conn.execute(delete(mappings).where(*self._keyed()), keys)

    def replace(self, decided: Iterable[Link]) -> None:
        """Stores decisions in place of those that were there."""
        decided = list(decided)
        self.remove(link.bill_id for link in decided)
        self.add(decided)

    def decision(self, bill_id: str, before: Link | None, after: Link | None) -> Decision:
        """What the audit log says of one decision; of one that was taken back there is nothing after."""
        earlier = None
        if before is not None:
            earlier = {**before.audited(), "decided_by": before.decided_by, "decided_at": before.decided_at}
        later = None if after is None else after.audited()
        return Decision(What.MAPPING_DECIDED, f"{self.kind} {bill_id}", self.integration, earlier, later)

    def _keyed(self) -> tuple[ColumnElement[bool], ...]:
        m = mappings.c
        return m.integration == self.integration, m.kind == self.kind, m.bill_id == bindparam("key")

    def _values(self, link: Link) -> dict[str, object]:
        return {
            **{name: getattr(link, name) for name in _COLUMNS},
            "integration": self.integration,
            "kind": self.kind,
            "state": link.state.value,
            "method": link.method.value,
            "score": None if link.score is None else Decimal(link.score),
        }


_COLUMNS = [field.name for field in fields(Link)]


def _link(row: dict[str, Any]) -> Link:
    score = None if row["score"] is None else int(row["score"])
    return Link(**row | {"state": LinkState(row["state"]), "method": Method(row["method"]), "score": score})
