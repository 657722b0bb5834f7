"""Serves a simulated BILL until told to stop, after saying in one line of JSON where and what it is."""

from __future__ import annotations

import json
import sys
from typing import Any

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.json_paths import at
from billcom_assets.sandbox import Settings, run
from billcom_assets.sandbox.app import V3_BASE
from billcom_assets.sandbox.state import Sandbox

PAGE_ROWS = 100


def main() -> None:
    """Serve with the settings of the first argument."""
    run(Settings(**json.loads(sys.argv[1])), port=0, on_ready=_say)


def _say(sandbox: Sandbox, root: str) -> None:
    organization = sandbox.world.organization()
    facts: dict[str, Any] = {
        "base_url": root + V3_BASE,
        "organization_id": organization.id,
        "username": organization.token.username,
        "password": organization.token.password,
        "dev_key": sandbox.settings.dev_keys[0],
        "objects": 0,
        "children": 0,
        "pages": 0,
        "control": root,
        "organizations": [
            {"id": one.id, "username": one.token.username, "password": one.token.password}
            for one in sandbox.world.organizations
        ],
    }
    for entity in (one for one in CATALOG if not one.is_of_v2):
        rows = organization.rows(entity.path)
        lists = [tuple(child.path.split(".")) for child in entity.children]
        facts["objects"] += len(rows)
        facts["children"] += sum(len(at(row, place) or ()) for row in rows for place in lists)
        facts["pages"] += max(1, -(-len(rows) // PAGE_ROWS))
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
