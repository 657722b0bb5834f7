"""Our side: every entity pulled into a warehouse, and checked if asked, as the sync assets do it. JSON in, JSON out."""

from __future__ import annotations

import cProfile
import json
import os
import sys
import time

from billcom_assets.bill.client import BillClient
from billcom_assets.bill.credentials import Credentials
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.sync.engine import pull
from billcom_assets.sync.report import PullKind, PullReport
from billcom_assets.sync.run import Sync
from billcom_assets.warehouse.engine import open_warehouse

KEY = "bench"


def main() -> None:
    """Pull everything once, as a sweep with ``refresh``, and run each entity's data quality checks with ``checks``.

    With ``v2`` false, pull what v3 has alone.

    With ``BENCH_PROFILE`` set, leave a profile of the main thread at that path.
    """
    given = json.load(sys.stdin)
    credentials = Credentials(
        given["organization_id"],
        given["username"],
        given["password"],
        given["dev_key"],
        base_url=given["base_url"],
    )
    client = BillClient(credentials)
    warehouse = open_warehouse(given["database_url"])
    asks_v2 = given.get("v2", True)
    entities = [entity for entity in CATALOG if asks_v2 or not entity.is_of_v2]
    planned = [entity.name for entity in entities]
    sync = Sync(warehouse, client, CATALOG, KEY, planned=planned, asks_v2=asks_v2)
    profile = cProfile.Profile() if os.environ.get("BENCH_PROFILE") else None
    if profile:
        profile.enable()
    started = time.monotonic()
    reports: list[PullReport] = []
    checking = 0.0
    with sync.alone():
        for entity in entities:
            reports += pull(sync, entity, refresh=given.get("refresh", False))
            checking += _check(sync, entity.name) if given.get("checks") else 0
    seconds = time.monotonic() - started
    if profile:
        profile.disable()
        profile.dump_stats(os.environ["BENCH_PROFILE"])
    warehouse.close()
    v2 = [report for report in reports if report.kind is PullKind.V2]
    said = {
        "rows": sum(report.counts.inserted for report in reports),
        "requests": client.stats.requests,
        "pull_seconds": seconds,
        "v2_seconds": sum(report.seconds for report in v2),
        "v2_requests": sum(report.requests for report in v2),
        "check_seconds": checking,
    }
    json.dump(said, sys.stdout)


def _check(sync: Sync, entity: str) -> float:
    from billcom_assets.checks import quality

    started = time.monotonic()
    quality.look(sync, entity)
    return time.monotonic() - started


if __name__ == "__main__":
    main()
