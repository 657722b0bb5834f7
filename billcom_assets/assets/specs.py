"""What Dagster is told of each step of the sync plan before anything runs."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from billcom_assets.assets.metadata import column_schema
from billcom_assets.entities.catalog import Catalog
from billcom_assets.entities.model import Entity, Group
from billcom_assets.entities.plan import (
    ALIGNMENT,
    DOCUMENTS,
    GATE,
    HELD_DOCUMENTS,
    JOURNAL,
    LEDGER_DOCUMENTS,
    OPENING_DOCUMENTS,
    PAYABLES_AGING,
    RECEIVABLES_AGING,
    TRIAL_BALANCE,
    Step,
    seed_plan,
    sync_plan,
)
from billcom_assets.environment import database_kind
from billcom_assets.partitions import INTEGRATIONS
from billcom_assets.warehouse.catalog_mirror import catalog_mirror
from billcom_assets.warehouse.tables import SCHEMA
from billcom_assets.warehouse.views import VIEWS

_WITHOUT_ENTITY = {
    GATE: (
        "setup",
        "Whether an integration's setup is complete: its checks are the prerequisites of a full sync. While one of "
        "them does not hold, nothing behind the gate is pulled for that integration; its run ends here and says what "
        "is missing, and other integrations go on.",
    ),
    ALIGNMENT: (
        "ledger",
        "Plans what would make BILL's chart of accounts like the ledger's: accounts to create, update, archive and "
        "restore, each with its reason and its risks. Plans alone, and changes nothing in BILL: the command billcom "
        "align shows a plan and takes a person's decision.",
    ),
    PAYABLES_AGING: (
        Group.PAYABLES.value,
        "What is owed to vendors now, by days overdue: open bills less open credits, with drafts and denied bills "
        "apart. Shows the view of the same name; ap_aging_documents and ap_aging_lines have it by bill and by line, "
        "and the command billcom aging as of any day.",
    ),
    RECEIVABLES_AGING: (
        Group.RECEIVABLES.value,
        "What customers owe now, by days overdue: open invoices less open credit memos, with drafts apart. Shows the "
        "view of the same name; ar_aging_documents and ar_aging_lines have it by invoice and by line, and the command "
        "billcom aging as of any day.",
    ),
    **{
        name: (
            "books",
            f"What became of the {name.removeprefix('ledger_').replace('_', ' ')} in the books: imported, held or out "
            "of scope, and why. One row per document in the table ledger_documents.",
        )
        for name in LEDGER_DOCUMENTS
    },
    JOURNAL: (
        "books",
        "The journal: balanced entries made of BILL's documents by the posting policy. Nothing in it is ever changed; "
        "what no longer holds is reversed. The view of the same name has one row per line.",
    ),
    TRIAL_BALANCE: (
        "books",
        "Debits, credits and balance of every account of the ledger, in the home currency: sums of all lines of the "
        "journal, reversals included. Shows the view of the same name.",
    ),
    HELD_DOCUMENTS: (
        "books",
        "Documents that may not post yet: why, how much they are, and the command that is next. Shows the view of the "
        "same name; the command billcom errors works through it.",
    ),
    OPENING_DOCUMENTS: (
        "books",
        "Documents before the cutoff that still matter: open, settled by later ones, or settling later ones. The "
        "company's own opening balances hold them; they are never posted.",
    ),
    DOCUMENTS: (
        "documents",
        "Files attached to bills, invoices and vendor credits: which there are in the table documents, their content "
        "in the folder BILLCOM_DOCUMENTS_DIR. Only for integrations connected with --documents. Each run takes ten "
        "minutes at most, and none goes beyond half of the requests that BILL allows in an hour; the next goes on.",
    ),
}
"""Group and description of the steps that pull nothing."""
_TABLES = {name: name for name in (*VIEWS, DOCUMENTS, OPENING_DOCUMENTS)} | dict.fromkeys(
    LEDGER_DOCUMENTS, "ledger_documents"
)
"""The table or view that a step shows."""


def asset_specs(catalog: Catalog) -> Iterator[dg.AssetSpec]:
    """One for each step, in the order of the plan."""
    plan, seed = tuple(sync_plan(catalog)), seed_plan(catalog)
    for number, step in enumerate(plan, 1):
        place = f"Step {number} of {len(plan)} in a full sync"
        if step.name in seed:
            place += f", step {seed.index(step.name) + 1} of {len(seed)} in the initial seed"
        yield _pulled(step, step.entity, place) if step.entity else _derived(step, place)


def _derived(step: Step, place: str) -> dg.AssetSpec:
    group, description = _WITHOUT_ENTITY[step.name]
    return dg.AssetSpec(
        step.name,
        deps=step.reads,
        partitions_def=INTEGRATIONS,
        group_name=group,
        kinds={database_kind()},
        description=f"{description}\n\n{place}.",
        metadata={"dagster/table_name": _table_name(_TABLES[step.name])} if step.name in _TABLES else {},
    )


def _pulled(step: Step, entity: Entity, place: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        entity.name,
        deps=step.reads,
        partitions_def=INTEGRATIONS,
        group_name=entity.group.value,
        kinds={"bill", database_kind()},
        description=f"{entity.description}\n\n{place}.",
        metadata={
            "dagster/column_schema": column_schema(catalog_mirror().table(entity.name)),
            "dagster/table_name": _table_name(entity.name),
            "bill_documentation": dg.MetadataValue.url(entity.docs),
            "bill_path": ", ".join((entity.path, *(one.path for one in entity.other_lists))),
            "walk": entity.walk.value,
            "tables": ", ".join(entity.tables()),
        },
    )


def _table_name(name: str) -> str:
    """As it is written in a query of the database in use."""
    return f"{SCHEMA}.{name}" if database_kind() == "postgresql" else name
