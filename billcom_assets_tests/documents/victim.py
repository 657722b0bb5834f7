"""What runs in a process that a test kills."""

from __future__ import annotations

from multiprocessing.synchronize import Event

from billcom_assets.bill.client import BillClient
from billcom_assets.bill.credentials import Credentials
from billcom_assets.bill.quotas import MemoryBudget
from billcom_assets.documents.files import DocumentFiles
from billcom_assets.documents.reading import read_documents
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.sync.run import Sync
from billcom_assets.warehouse.engine import open_warehouse
from billcom_assets_tests.sync.company import INTEGRATION, QUICK
from billcom_assets_tests.sync.victim import Orders


def read_files(orders: Orders, folder: str, started: Event) -> None:
    """Reads all files, as a run does it."""
    credentials = Credentials(
        orders.organization_id, orders.username, orders.password, "sandbox-dev-key", base_url=orders.base_url
    )
    warehouse = open_warehouse(orders.database_url)
    with BillClient(credentials, integration=INTEGRATION, budget=MemoryBudget(), retry=QUICK) as client:
        run = Sync(warehouse, client, CATALOG, INTEGRATION, keeps_documents=True)
        with run.alone(wait_seconds=10):
            started.set()
            read_documents(run, DocumentFiles.at(folder))
