"""What is proposed for BILL objects that wait for a decision, as it is stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, insert, select

from billcom_assets.mapping.matching import Certainty, Proposal, Suggestion
from billcom_assets.warehouse.ledger_tables import mapping_suggestions


@dataclass(frozen=True, slots=True)
class Proposals:
    """The stored suggestions of one kind of one integration."""

    conn: Connection
    integration: str
    kind: str

    def all(self) -> dict[str, Suggestion]:
        """Every suggestion by BILL id."""
        t = mapping_suggestions.c
        query = select(mapping_suggestions).where(*self._of_kind()).order_by(t.bill_id, t.rank)
        rows: dict[str, list[Row[Any]]] = defaultdict(list)
        for row in self.conn.execute(query):
            rows[row.bill_id].append(row)
        return {
            bill_id: Suggestion(bill_id, Certainty(found[0].certainty), tuple(map(_proposal, found)))
            for bill_id, found in rows.items()
        }

    def replace(self, suggestions: Iterable[Suggestion], now: datetime) -> None:
        """Makes these the suggestions; one that was there already keeps its time."""
        new = {one.bill_id: one for one in suggestions}
        old = self.all()
        same = {bill_id for bill_id in new.keys() & old.keys() if new[bill_id] == old[bill_id]}
        self.remove(old.keys() - same)
        rows = [row for bill_id, one in new.items() if bill_id not in same for row in self._rows(one, now)]
        if rows:
            self.conn.execute(insert(mapping_suggestions), rows)

    def remove(self, bill_ids: Iterable[str]) -> None:
        """Forgets what is proposed for these BILL objects."""
        keys = [{"key": bill_id} for bill_id in bill_ids]
        if keys:
            matched = mapping_suggestions.c.bill_id == bindparam("key")
            self.conn.execute(delete(mapping_suggestions).where(*self._of_kind(), matched), keys)

    def _of_kind(self) -> tuple[ColumnElement[bool], ...]:
        return mapping_suggestions.c.integration == self.integration, mapping_suggestions.c.kind == self.kind

    def _rows(self, suggestion: Suggestion, now: datetime) -> Iterable[dict[str, object]]:
        for rank, proposal in enumerate(suggestion.proposals, start=1):
            yield {
                "integration": self.integration,
                "kind": self.kind,
                "bill_id": suggestion.bill_id,
                "rank": rank,
                "ledger_id": proposal.ledger_id,
                "certainty": suggestion.certainty.value,
                "score": proposal.score,
                "supporting": msgspec.json.encode(proposal.supporting).decode(),
                "contradicting": msgspec.json.encode(proposal.contradicting).decode(),
                "suggested_at": now,
            }


def _proposal(row: Row[Any]) -> Proposal:
    return Proposal(row.ledger_id, row.score, tuple(row.supporting), tuple(row.contradicting))
