"""The command that decides most of what waits for a decision."""

from __future__ import annotations

from billcom_assets.mapping.overview import Overviews
from billcom_assets.mapping.suggestions import Accept, accepted_of

REVIEW_FILE = "mappings.csv"
"""Name of the file in the commands that are proposed."""


_NEEDED = ("accounts", "vendors", "funding_accounts")
"""Kinds that no ledger is without; of the others there is nothing to map where the ledger keeps none."""


def mapping_command(views: Overviews) -> str | None:
    """What to type next for these kinds; None when nothing of them waits.

    The order is: load what the ledger lacks, accept what is certain, then what is likely, then decide by hand. Each
    command changes something, so that none is proposed twice in a row.
    """
    waiting, integration = [], views.integration
    for view in views:
        if all(view.standing(id_).is_decided for id_ in view.relevant):
            continue
        if any(found.active for found in view.ledger.values()):
            waiting.append(view)
        elif view.kind.name in _NEEDED:
            list_ = view.kind.table.name.removeprefix("ledger_")
            return f"billcom ledger import {integration} --{list_} {list_}.csv"
    for which in Accept:
        if any(accepted_of(view, which) for view in waiting):
            return f"billcom mappings suggest {integration} --accept {which.value}"
    return f"billcom mappings export {integration} --output {REVIEW_FILE}" if waiting else None
