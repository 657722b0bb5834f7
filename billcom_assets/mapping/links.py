"""Links between BILL objects and ledger objects as they are stored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, select, update

from billcom_assets.mapping.matching import Method
from billcom_assets.warehouse.audit import Decision, What
from billcom_assets.warehouse.ledger_tables import mappings


class LinkState(StrEnum):
    """Where the link of a BILL object stands."""

    MAPPED = "mapped"
    SUGGESTED = "suggested"
    """Waiting for a decision."""
    UNMAPPED = "unmapped"
    """Left unmapped by hand: nothing is suggested."""


@dataclass(frozen=True, slots=True)
class Link:
    """What is known of one BILL object's link: a row of the mappings table."""

    bill_id: str
    ledger_id: str | None
    state: LinkState
    method: Method
    score: int | None
    reason: str
    decided_by: str | None
    decided_at: datetime

    @property
    def is_decided(self) -> bool:
        """Mapped, or left unmapped by hand."""
        return self.state is not LinkState.SUGGESTED

    def audited(self) -> dict[str, object]:
        """What the audit log keeps of a decision, beside who decided it and when."""
        return {"ledger_id": self.ledger_id, "state": self.state, "method": self.method}


@dataclass(frozen=True, slots=True)
class Links:
    """The stored links of one kind of one integration."""

    conn: Connection
    integration: str
    kind: str

    def all(self) -> dict[str, Link]:
        """Every link by BILL id."""
        columns = [mappings.c[name] for name in _COLUMNS]
        query = select(*columns).where(mappings.c.integration == self.integration, mappings.c.kind == self.kind)
        return {row.bill_id: _link(row._asdict()) for row in self.conn.execute(query)}

    def add(self, links: Iterable[Link]) -> None:
        """Stores links of BILL objects that have none."""
        rows = [self._values(link) for link in links]
        if rows:
            self.conn.execute(insert(mappings), rows)

    def remove(self, bill_ids: Iterable[str]) -> None:
        """Removes the links of these BILL objects."""
        keys = [{"key": bill_id} for bill_id in bill_ids]
        if keys:
            self.conn.execute(delete(mappings).where(*self._keyed()), keys)

    def mark_mapped(self, suggested: Iterable[Link], *, by: str, now: datetime) -> list[Link]:
        """Makes suggestions mappings; returns them as they are then."""
        decided = [replace(link, state=LinkState.MAPPED, decided_by=by, decided_at=now) for link in suggested]
        values = {"state": LinkState.MAPPED.value, "decided_by": by, "decided_at": now}
        if decided:
            self.conn.execute(
                update(mappings).where(*self._keyed()), [{"key": one.bill_id, **values} for one in decided]
            )
        return decided

    def decision(self, before: Link | None, after: Link) -> Decision:
        """What the audit log says of one decision; a suggestion that was there before was none."""
        earlier = None
        if before is not None and before.is_decided:
            earlier = {**before.audited(), "decided_by": before.decided_by, "decided_at": before.decided_at}
        return Decision(
            What.MAPPING_DECIDED, f"{self.kind} {after.bill_id}", self.integration, earlier, after.audited()
        )

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
