"""The sandbox read by clients that none of us wrote: what they understand of BILL, it must speak."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from billcom_assets.sandbox import Settings
from billcom_assets.sandbox.kinds import KINDS
from billcom_assets.sandbox.server import SandboxServer
from billcom_assets_tests import peers
from billcom_assets_tests.sandbox.api import DEV_KEY

pytestmark = pytest.mark.peers

PROGRAMS = Path(__file__).parent / "peers"


@pytest.fixture(scope="session")
def peers_python() -> Path:
    return peers.python()


@pytest.fixture(scope="module")
def server() -> Any:
    with SandboxServer(Settings(bills=260, orgs=2)) as running:
        yield running


def read(python: Path, program: str, given: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(
        [python, PROGRAMS / program],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=peers.HOME,
        env=peers.ENVIRONMENT | {"TESTING": "1"},
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def access(server: SandboxServer, number: int) -> dict[str, Any]:
    organization = server.world.organizations[number]
    return {
        "username": organization.user.username,
        "password": organization.user.password,
        "organization_id": organization.id,
        "dev_key": DEV_KEY,
        "base_url": server.base_url,
        "v2_base_url": server.v2_base_url,
    }


@pytest.mark.parametrize("page_size", [999, 4])
def test_parsons_reads_every_user_customer_and_invoice_through_v2(
    server: SandboxServer, peers_python: Path, page_size: int
) -> None:
    organization = server.world.organizations[1]
    found = read(peers_python, "read_with_parsons.py", access(server, 1) | {"page_size": page_size})
    for name in ("users", "customers", "invoices"):
        assert found[name] == [doc["id"] for doc in organization.rows(name)]
    first = organization.rows("customers")[0]
    assert (found["customer"]["id"], found["customer"]["name"]) == (first["id"], first["name"])


def test_dlt_reads_all_twenty_lists_through_v3(server: SandboxServer, peers_python: Path) -> None:
    organization = server.world.organization()
    paths = [kind.path for kind in KINDS]
    given = {"paths": paths, "page_size": 100, "params": {}}
    found = read(peers_python, "read_with_dlt.py", access(server, 0) | given)
    assert found == {path: [doc["id"] for doc in organization.rows(path)] for path in paths}


def test_dlt_reads_the_files_of_a_bill_and_of_an_invoice_page_by_page(
    server: SandboxServer, peers_python: Path
) -> None:
    server.sandbox.change_settings(most_documents=9)
    organization = server.world.organization()
    owners = {"documents/bills": organization.rows("bills"), "attachments/invoices": organization.rows("invoices")}
    paths = [f"/v3/{area}/{row['id']}" for area, rows in owners.items() for row in rows[:12]]
    found = read(peers_python, "read_with_dlt.py", access(server, 0) | {"paths": paths, "page_size": 2, "params": {}})
    server.sandbox.change_settings(most_documents=2)
    for path in paths:
        owner = path.rpartition("/")[2]
        assert found[path] == [f"00h{owner[3:-2]}{n:02}" for n in range(crc32(owner.encode()) % 10)]
    assert max(map(len, found.values())) > 4


def test_dlt_reads_a_filtered_and_sorted_list_in_small_pages(server: SandboxServer, peers_python: Path) -> None:
    organization = server.world.organization()
    params = {"filters": 'updatedTime:gte:"2025-06-01T00:00:00.000Z"', "sort": "updatedTime:asc"}
    given = {"paths": ["/v3/bills"], "page_size": 7, "params": {"/v3/bills": params}}
    found = read(peers_python, "read_with_dlt.py", access(server, 0) | given)["/v3/bills"]
    fresh = [doc for doc in organization.rows("bills") if doc["updatedTime"] >= "2025-06-01"]
    assert found == [doc["id"] for doc in sorted(fresh, key=lambda doc: (doc["updatedTime"], doc["id"]))]
    assert len(found) > 50
