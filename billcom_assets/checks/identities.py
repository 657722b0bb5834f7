"""The identities of the books as checks that do not block, one result per integration.

Descriptions are Markdown to the UI and hold words of ours alone; what BILL and its users wrote is in tables of text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import dagster as dg

from billcom_assets.books.identities.catalog import IDENTITIES
from billcom_assets.books.identities.findings import Difference, Document, Identity, Listed, Outcome, Value
from billcom_assets.entities.plan import HELD_DOCUMENTS, JOURNAL, TRIAL_BALANCE
from billcom_assets.partitions import INTEGRATIONS, partitioned_checks
from billcom_assets.redaction.counted import counted
from billcom_assets.text_tables import table
from billcom_assets.warehouse.errors import describe

_ABOUT: Final = {
    "documents_have_states": HELD_DOCUMENTS,
    "exported_balances": TRIAL_BALANCE,
    "books_from_scratch": TRIAL_BALANCE,
}
"""The assets that identities are about, by name; the others are about the journal."""
_WHEN: Final = {
    False: "Looked at after a sync that has posted something, and every night by the job reconcile.",
    True: "Looked at every night by the job reconcile: it takes as long as posting everything once more.",
}
"""By whether that is costly."""
_FIRST: Final = 5
"""Documents of a difference, and items of a list, that are named."""


def check_key(identity: Identity) -> dg.AssetCheckKey:
    """The identity's check."""
    return dg.AssetCheckKey(dg.AssetKey(_ABOUT.get(identity.name, JOURNAL)), identity.name)


def specs() -> list[dg.AssetCheckSpec]:
    """One per identity."""
    with partitioned_checks():
        return [
            dg.AssetCheckSpec(
                name=identity.name,
                asset=check_key(identity).asset_key,
                description=f"{identity.explanation}\n\n{_WHEN[identity.is_costly]}",
                partitions_def=INTEGRATIONS,
            )
            for identity in IDENTITIES
        ]


def evaluation(
    identity: Identity, outcome: Outcome | Exception, integration: str, at: datetime
) -> dg.AssetCheckEvaluation:
    """What Dagster keeps of what the identity says, or of the error that kept it from looking.

    Args:
        identity: Which.
        outcome: What came of it.
        integration: Of whose books.
        at: When it looked (UTC).
    """
    if isinstance(outcome, Exception):
        return not_looked_at(check_key(identity), integration, outcome, at)
    metadata: dict[str, dg.MetadataValue] = {
        "looked_at": dg.MetadataValue.timestamp(at),
        "compared": dg.MetadataValue.int(outcome.compared),
        "differences": dg.MetadataValue.int(outcome.differences),
    }
    if outcome.first:
        metadata["first_differences"] = differences(outcome.first, outcome.left, outcome.right)
    if not outcome.holds:
        metadata["how_to_fix"] = how_to_fix(integration)
    if outcome.listed:
        metadata |= _allowed(outcome.listed)
    return dg.AssetCheckEvaluation(
        asset_key=check_key(identity).asset_key,
        check_name=identity.name,
        partition=integration,
        passed=outcome.holds,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{outcome.title}: {_verdict(outcome)}",
        metadata=metadata,
        blocking=False,
    )


def _verdict(outcome: Outcome) -> str:
    if outcome.not_applicable:
        return f"not applicable, {outcome.not_applicable}"
    return verdict(outcome.compared, outcome.differences)


def verdict(compared: int, differing: int) -> str:
    """How much was compared, and how much of it differs."""
    return f"{compared:,} compared, {counted(differing, 'differs', 'differ') if differing else 'none differs'}"


def not_looked_at(key: dg.AssetCheckKey, integration: str, error: Exception, at: datetime) -> dg.AssetCheckEvaluation:
    """The result of a check that an error kept from looking, which is no pass and says nothing about the books."""
    return dg.AssetCheckEvaluation(
        asset_key=key.asset_key,
        check_name=key.name,
        partition=integration,
        passed=False,
        severity=dg.AssetCheckSeverity.ERROR,
        description="could not be looked at, which says nothing about the books",
        # The error may hold words of others.
        metadata={"looked_at": dg.MetadataValue.timestamp(at), "error": dg.MetadataValue.text(describe(error))},
        blocking=False,
    )


def how_to_fix(integration: str, options: str = "") -> dg.TextMetadataValue:
    """What to do about differences."""
    return dg.MetadataValue.text(
        f"billcom reconcile {integration}{options} shows what differs now; docs/reconciliation.md says what to do."
    )


# Tables --------------------------------------------------------------------------------------------------------------


def differences(first: Sequence[Difference], left: str, right: str) -> dg.TableMetadataValue:
    """The first things that differ, with their documents.

    Args:
        first: They.
        left: What the left sides are.
        right: What the right sides are.
    """
    rows = [(one.what, _shown(one.left), _shown(one.right), _named(one.documents)) for one in first]
    return table(("of", left, right, "documents"), rows)


def _allowed(listed: Iterable[Listed]) -> dict[str, dg.MetadataValue]:
    """What an identity allows for or counts beside, and the first of each list."""
    rows = [(one.what, f"{one.count:,}", _shown(one.amount)) for one in listed]
    found: dict[str, dg.MetadataValue] = {"allowed_for": table(("what", "count", "home amount"), rows)}
    items = [
        (one.what, item.what, _shown(item.amount), item.currency or "") for one in listed for item in one.first[:_FIRST]
    ]
    if items:
        found["first_allowed_for"] = table(("what", "first of them", "amount", "currency"), items)
    return found


def _named(documents: Sequence[Document]) -> str:
    more = f" and {len(documents) - _FIRST} more" if len(documents) > _FIRST else ""
    return ", ".join(f"{one.kind}:{one.id}" for one in documents[:_FIRST]) + more


def _shown(value: Value) -> str:
    if isinstance(value, Decimal):
        return f"{value:,f}"
    return "" if value is None else f"{value:,}" if isinstance(value, int) else value
