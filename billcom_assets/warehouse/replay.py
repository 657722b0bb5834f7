"""Rebuilding an entity's tables from its stored payloads, without one request to BILL."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from billcom_assets.entities.extract import Unreadable
from billcom_assets.entities.model import Entity
from billcom_assets.warehouse.bulk import MirrorTable
from billcom_assets.warehouse.mirror import Mirror
from billcom_assets.warehouse.prepare import RowMaker

_ROWS = 500
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


def replay(connection: Connection, mirror: Mirror, entity: Entity) -> int:
    """Derives every column and child row of ``entity`` anew, for all integrations; gives the number of objects.

    Times of first sight, writing and deletion stay as they are.
    """
    table = mirror.table(entity.name)
    maker = RowMaker(entity)
    names = [column.name for column in entity.columns]
    done, after = 0, ("", "")
    while True:
        batch = connection.execute(
            select(table.c.integration, table.c.id, table.c.payload)
            .where((table.c.integration > after[0]) | ((table.c.integration == after[0]) & (table.c.id > after[1])))
            .order_by(table.c.integration, table.c.id)
            .limit(_ROWS)
        ).all()
        if not batch:
            return done
        for integration, identifier, payload in batch:
            try:
                row = maker.row(_object(payload))
            except Unreadable:
                # It was readable under the old declaration: keep what that gave; the next pull reports it.
                continue
            values = dict(zip(names, row.values, strict=True))
            if values:
                connection.execute(
                    table.update().where(table.c.integration == integration, table.c.id == identifier), values
                )
            MirrorTable(mirror, entity, integration).replace_children(connection, [row], [identifier])
        done += len(batch)
        after = (batch[-1][0], batch[-1][1])


def _object(payload: Any) -> dict[str, Any]:
    decoded: dict[str, Any] = payload if isinstance(payload, dict) else _decode(payload)
    return decoded
