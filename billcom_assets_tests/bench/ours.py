"""Our side: every entity pulled into a warehouse, as the sync assets do it. JSON in, JSON out."""

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
from billcom_assets.sync.pull import Sync
from billcom_assets.warehouse.engine import open_warehouse


def main() -> None:
    """Pull everything once; with ``BENCH_PROFILE`` set, leave a profile of the main thread at that path."""
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
    sync = Sync(warehouse, client, CATALOG, "bench", planned=[entity.name for entity in CATALOG])
    profile = cProfile.Profile() if os.environ.get("BENCH_PROFILE") else None
    if profile:
        profile.enable()
    started = time.monotonic()
    rows = 0
    with sync.alone():
        for entity in CATALOG:
            rows += sum(report.counts.inserted for report in pull(sync, entity))
    seconds = time.monotonic() - started
    if profile:
        profile.disable()
        profile.dump_stats(os.environ["BENCH_PROFILE"])
    warehouse.close()
    json.dump({"rows": rows, "requests": client.stats.requests, "pull_seconds": seconds}, sys.stdout)


if __name__ == "__main__":
    main()
