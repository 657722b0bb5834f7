"""Reads every list of one organization with dlt's rest_api source (v3); settings in, rows out, as JSON."""

from __future__ import annotations

import json
import sys

import requests
from dlt.sources.rest_api import rest_api_source


def main() -> None:
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
            "resources": [
                {
                    "name": path.rsplit("/", 1)[-1].replace("-", "_"),
                    "endpoint": {
                        "path": path,
                        "params": {"max": given["page_size"], **given["params"].get(path, {})},
                        "data_selector": "results",
                    },
                }
                for path in given["paths"]
            ],
        }
    )
    found = {}
    for path in given["paths"]:
        rows = list(source.resources[path.rsplit("/", 1)[-1].replace("-", "_")])
        found[path] = [row["id"] for row in rows]
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
