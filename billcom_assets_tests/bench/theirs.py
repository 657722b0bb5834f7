"""The other side: every list loaded by dlt's rest_api source. JSON in, JSON out; runs in the peers' environment."""

from __future__ import annotations

import json
import sys

import dlt
import requests
from dlt.sources.rest_api import rest_api_source


def main() -> None:
    """Load every list once into tables of its own, by id."""
    given = json.load(sys.stdin)
    login = {
        "username": given["username"],
        "password": given["password"],
        "organizationId": given["organization_id"],
        "devKey": given["dev_key"],
    }
    session = requests.post(f"{given['base_url']}/v3/login", json=login, timeout=10).json()
    source = rest_api_source(
        {
            "client": {
                "base_url": given["base_url"],
                "headers": {"devKey": given["dev_key"], "sessionId": session["sessionId"]},
                "paginator": {"type": "cursor", "cursor_path": "nextPage", "cursor_param": "page"},
            },
            "resource_defaults": {
                "primary_key": "id",
                "write_disposition": "merge",
                "endpoint": {"params": {"max": 100}, "data_selector": "results"},
            },
            "resources": [
                {"name": path.rsplit("/", 1)[-1].replace("-", "_"), "endpoint": {"path": path}}
                for path in given["paths"]
            ],
        }
    )
    pipeline = dlt.pipeline(
        "bench",
        pipelines_dir=given["folder"],
        destination=dlt.destinations.postgres(credentials=given["database_url"]),
        dataset_name="bench",
    )
    pipeline.run(source)
    counts = pipeline.last_trace.last_normalize_info.row_counts
    rows = sum(count for table, count in counts.items() if not table.startswith("_dlt") and "__" not in table)
    children = sum(count for table, count in counts.items() if not table.startswith("_dlt") and "__" in table)
    json.dump({"rows": rows, "children": children}, sys.stdout)


if __name__ == "__main__":
    main()
