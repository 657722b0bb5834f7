"""A merger counts from the run on in which it shows, on whatever way that run came upon it."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from billcom_assets.assets import pulls
from billcom_assets.entities.model import Entity
from billcom_assets.environment import open_database
from billcom_assets.mapping.links import Links
from billcom_assets.mapping.mergers import survivors
from billcom_assets.sandbox import SandboxServer
from billcom_assets.sandbox.books.objects import merge
from billcom_assets.sandbox.kinds import VENDORS
from billcom_assets.sync.engine import pull
from billcom_assets.sync.report import PullReport
from billcom_assets.sync.run import Sync
from billcom_assets.warehouse.ledger_tables import mappings
from billcom_assets_tests.automation.companies import KEY
from billcom_assets_tests.cli.commands import billcom_command


def test_a_vendor_merged_while_the_run_goes_on_hands_its_mapping_on(
    home: object, server: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization = server.world.organization()
    used = {bill["vendorId"] for bill in organization.rows("/v3/bills")}
    old, new, *_ = (one["id"] for one in organization.rows("/v3/vendors") if not one["archived"] and one["id"] in used)
    before = organization.table(VENDORS).snapshot()

    def merging(sync: Sync, entity: Entity, *, refresh: bool) -> list[PullReport]:
        if entity.name == "bills":
            merge(organization, VENDORS, old, new)
        return pull(sync, entity, refresh=refresh)

    warehouse = open_database()
    with warehouse.write() as connection:
        mapped = connection.scalar(select(mappings.c.ledger_id).where(mappings.c.bill_id == old))
        Links(connection, KEY, "vendors").remove([new])
    monkeypatch.setattr(pulls, "pull", merging)
    try:
        assert billcom_command("sync", KEY).code == 0
    finally:
        organization.table(VENDORS).restore(before)
    with warehouse.read() as connection:
        assert survivors(connection, KEY, "vendors") == {old: new}
        assert Links(connection, KEY, "vendors").all()[new].ledger_id == mapped is not None
    warehouse.close()
