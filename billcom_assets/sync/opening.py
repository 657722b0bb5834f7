"""What is kept of documents that the cutoff leaves out of the mirror.

Pulls read them anyway. Some are open still, some are settled by documents of the mirror, others settle those; the books
need no more of them than that. A document is in the mirror or here, never in both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, select

from billcom_assets.entities.model import Opening
from billcom_assets.entities.rows import MirrorRow, Values
from billcom_assets.warehouse.books_tables import opening_applications, opening_documents
from billcom_assets.warehouse.bulk import MirrorTable, insert_rows, is_among_ids
from billcom_assets.warehouse.tables import integrations

_DOCUMENT = ("party", "number", "date", "currency", "amount", "open_amount")
_APPLICATION = ("position", "settled_id", "amount")
_USUAL_CURRENCY = "USD"
_ZERO = Decimal(0)


class _Kept(NamedTuple):
    """What is kept of one document: its row, and what it settles, without their keys."""

    document: Values
    applications: list[Values]


@dataclass(frozen=True)
class OpeningDocuments:
    """Writes ``opening_documents`` and ``opening_applications`` of one entity for one integration."""

    table: MirrorTable
    opening: Opening

    def write(
        self,
        connection: Connection,
        skipped: Sequence[MirrorRow],
        mirrored: Collection[str],
        *,
        expects_new: bool,
    ) -> None:
        """Makes the rows those of the documents as they are now; what stays the same is not written.

        Args:
            connection: The caller's transaction.
            skipped: Documents that the cutoff leaves out, each once.
            mirrored: Ids of documents that the mirror has from now on.
            expects_new: Nothing is kept of ``skipped`` yet, as far as is known: the database refuses what is.
        """
        kept = self._kept(connection, skipped)
        wanted = {*mirrored, *(one.id for one in skipped)}
        before = self._stored(connection, wanted - kept.keys() if expects_new else wanted)
        changed = {one: now for one, now in kept.items() if before.get(one) != now}
        self._delete(connection, [one for one in before if one in changed or one not in kept])
        self._insert(connection, changed)

    # What there is to keep -------------------------------------------------------------------------------------------

    def _kept(self, connection: Connection, skipped: Sequence[MirrorRow]) -> dict[str, _Kept]:
        wanted = [one for one in skipped if not one.archived and not self._is_excluded(one)]
        if not wanted:
            return {}
        currencies = self._currencies(connection, {self._value(one, self.opening.party) for one in wanted})
        home = self._home_currency(connection)
        return {one.id: _Kept(self._document(one, currencies, home), list(self._applications(one))) for one in wanted}

    def _is_excluded(self, row: MirrorRow) -> bool:
        return any(self._value(row, column) in values for column, values in self.opening.excluded)

    def _document(self, row: MirrorRow, currencies: Mapping[str, str], home: str) -> Values:
        party = self._value(row, self.opening.party)
        return (
            party,
            self._value(row, self.opening.number),
            self._value(row, self.table.entity.cutoff or ""),
            currencies.get(party, home),
            self._value(row, self.opening.amount) or _ZERO,
            self._open_amount(row),
        )

    def _open_amount(self, row: MirrorRow) -> Decimal:
        opening = self.opening
        if opening.open and self._value(row, opening.open[0]) is None:
            # v2 alone does not tell it of documents in foreign currency that are settled in part.
            return self._value(row, opening.amount) or _ZERO
        return self._sum(row, opening.open) - self._sum(row, opening.applied)

    def _sum(self, row: MirrorRow, columns: Iterable[str]) -> Decimal:
        return sum((self._value(row, column) or _ZERO for column in columns), _ZERO)

    def _applications(self, row: MirrorRow) -> Iterator[Values]:
        settles = self.opening.settles
        if settles is None:
            return
        parts = row.children.get(settles.table, ())
        document, amount = self._part_places
        for part in parts:
            if part[document] is not None and part[amount] is not None:
                yield part[0], part[document], part[amount]
        only = self._value(row, settles.only_document) if settles.only_document else None
        if not parts and only is not None:
            yield 0, only, self._value(row, self.opening.amount) or _ZERO

    def _value(self, row: MirrorRow, column: str) -> Any:
        return row.values[self._places[column]]

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {column.name: place for place, column in enumerate(self.table.entity.columns)}

    @cached_property
    def _part_places(self) -> tuple[int, int]:
        """Where the rows of the child table say what is settled, and how much of it."""
        settles = self.opening.settles
        assert settles is not None  # noqa: S101 - asked for by those that settle something
        child = next(one for one in self.table.entity.children if one.table == settles.table)
        # Position comes first in a child row.
        names = ["position", *(column.name for column in child.columns)]
        return names.index(settles.document), names.index(settles.amount)

    def _currencies(self, connection: Connection, parties: Collection[str | None]) -> dict[str, str]:
        """By party, where BILL says so."""
        entity = self.table.entity.column(self.opening.party).references or ""
        t = self.table.mirror.table(entity).c
        mine = (t.integration == self.table.integration, is_among_ids(connection, t.id))
        query = select(t.id, t[self.opening.currency]).where(*mine, t[self.opening.currency] != "")
        return {row[0]: row[1] for row in connection.execute(query, {"ids": [one for one in parties if one]})}

    def _home_currency(self, connection: Connection) -> str:
        home = select(integrations.c.home_currency).where(integrations.c.key == self.table.integration)
        return connection.scalar(home) or _USUAL_CURRENCY

    # What is kept ----------------------------------------------------------------------------------------------------

    def _stored(self, connection: Connection, ids: Collection[str]) -> dict[str, _Kept]:
        """Those of ``ids`` that are kept."""
        if not ids:
            return {}
        d = opening_documents.c
        mine = (d.integration == self.table.integration, d.entity == self.table.entity.name)
        query = select(d.id, *(d[name] for name in _DOCUMENT)).where(*mine, is_among_ids(connection, d.id))
        found = connection.execute(query, {"ids": list(ids)}).all()
        applications = self._stored_applications(connection, [row.id for row in found])
        return {row.id: _Kept(tuple(row[1:]), applications[row.id]) for row in found}

    def _stored_applications(self, connection: Connection, ids: Collection[str]) -> Mapping[str, list[Values]]:
        found: dict[str, list[Values]] = defaultdict(list)
        if ids and self.opening.settles is not None:
            a = opening_applications.c
            mine = (a.integration == self.table.integration, a.entity == self.table.entity.name)
            query = select(a.document_id, *(a[name] for name in _APPLICATION)).order_by(a.document_id, a.position)
            query = query.where(*mine, is_among_ids(connection, a.document_id))
            for identifier, *application in connection.execute(query, {"ids": list(ids)}):
                found[identifier].append(tuple(application))
        return found

    def _delete(self, connection: Connection, ids: Sequence[str]) -> None:
        if not ids:
            return
        for table, identifier in (
            (opening_documents, opening_documents.c.id),
            (opening_applications, opening_applications.c.document_id),
        ):
            mine = (table.c.integration == self.table.integration, table.c.entity == self.table.entity.name)
            connection.execute(delete(table).where(*mine, is_among_ids(connection, identifier)), {"ids": ids})

    def _insert(self, connection: Connection, kept: Mapping[str, _Kept]) -> None:
        key = (self.table.integration, self.table.entity.name)
        documents = [(*key, one, *now.document) for one, now in kept.items()]
        applications = [(*key, one, *application) for one, now in kept.items() for application in now.applications]
        insert_rows(connection, opening_documents, ("integration", "entity", "id", *_DOCUMENT), documents)
        columns = ("integration", "entity", "document_id", *_APPLICATION)
        insert_rows(connection, opening_applications, columns, applications)
