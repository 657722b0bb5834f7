"""A BILL whose users, and which itself, write the worst that they can, and Dagster runs on it."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from billcom_assets.cli.options import acting
from billcom_assets.environment import open_database
from billcom_assets.job_runner import add_partition, launch
from billcom_assets.sandbox import SandboxServer
from billcom_assets.sandbox.kinds import kind_at
from billcom_assets.setup.connecting import ConnectionSettings, NotConnected, connect_integration
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.integrations import CredentialSources
from billcom_assets_tests.automation.companies import KEY
from billcom_assets_tests.webserver.served import served

REFUSED = "refused-inc"
_PLANTED = {
    "classifications/chart-of-accounts": ("description", "account.type", "account.number"),
    "classifications/items": ("description", "type"),
    "classifications/departments": ("description",),
}
"""Fields that samples show as they are, enums among them; the first objects of these lists hold every text once."""


def plant(server: SandboxServer, texts: list[str]) -> None:
    """Writes the texts into objects of the first organization, as values, as names of fields and as references."""
    organization = server.world.organizations[0]
    shown, others = cycle(texts), cycle(texts)
    for path, places in _PLANTED.items():
        kind = kind_at(f"/v3/{path}")
        docs = [row.doc() for row in sorted(organization.table(kind).snapshot(), key=lambda row: row.id)]
        for place in places:
            for number, doc in enumerate(docs):
                # A sample has the first five.
                _put(doc, place, next(shown if number < 5 else others))
        for doc in docs:
            doc[next(others)] = "in a field that nobody knows"
            doc["parentId"] = doc["id"][:3] + next(others)
            organization.write(kind, doc)


def _put(doc: dict[str, Any], place: str, text: str) -> None:
    *parents, name = place.split(".")
    for parent in parents:
        doc = doc.setdefault(parent, {})
    doc[name] = text


def make_runs(server: SandboxServer, texts: list[str]) -> dict[str, str]:
    """A run of each outcome, full of the texts; ids by outcome. The last one carries out every check."""
    everything = " ".join(texts)
    warehouse = open_database()
    with served(_refusing(everything)) as refuser:
        with pytest.raises(NotConnected):
            _connect(warehouse, server, REFUSED, texts[3], f"http://{refuser}/connect")
        refused = launch("initial_seed", REFUSED)
        assert not refused.success
    _connect(warehouse, server, KEY, texts[0], server.base_url)
    stopped = launch("full_sync", KEY)
    assert stopped.setup_missing
    seeded = launch("initial_seed", KEY)
    assert seeded.success, seeded.error
    warehouse.close()
    return {"refused": refused.run_id, "stopped": stopped.run_id, "seeded": seeded.run_id}


def _connect(warehouse: Warehouse, server: SandboxServer, key: str, company: str, base_url: str) -> None:
    one = server.world.organizations[0 if key == KEY else 1]
    sources = CredentialSources(one.token.username, one.token.password, "sandbox-dev-key")
    settings = ConnectionSettings(company=company, base_url=base_url)
    connect_integration(warehouse, key, one.id, sources, settings, actor=acting(), on_new=add_partition)


def _refusing(message: str) -> Starlette:
    """Refuses every login in these words."""

    async def refuse(_request: Request) -> JSONResponse:
        element = {"code": "BDC_1102", "severity": "ERROR", "category": "APPLICATION", "message": message}
        return JSONResponse([element], 401)

    return Starlette(routes=[Route("/{path:path}", refuse, methods=["GET", "POST"])])
