"""Whether setup is completed, so that a full sync may run."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from billcom_assets.mapping.next_step import REVIEW_FILE, mapping_command
from billcom_assets.mapping.overview import Overviews
from billcom_assets.setup.mapped import mapped_counts
from billcom_assets.setup.prerequisites import PREREQUISITES, Finding, SetupState, next_step
from billcom_assets.status.integrations import entity_states, find_integration


def evaluate(connection: Connection, key: str) -> list[Finding]:
    """Every prerequisite with what was found, in the order in which a user meets them."""

    def mapping(kind: str) -> str:
        command = mapping_command(Overviews(connection, key, (kind,)))
        return command or f"billcom mappings export {key} --output {REVIEW_FILE}"

    integration = find_integration(connection, key)
    states = entity_states(connection, key)
    state = SetupState(
        integration=key,
        company=integration.company if integration else None,
        status=integration.status if integration else None,
        status_code=integration.status_code if integration else None,
        status_message=integration.status_message if integration else None,
        pulled=frozenset(entity for entity, state in states.items() if state.first_pulled_at is not None),
        counts={kind: mapped_counts(connection, key, kind) for kind in ("vendors", "accounts")},
        mapping_command=mapping,
    )
    return [prerequisite.examine(state) for prerequisite in PREREQUISITES]


def gate(connection: Connection, key: str) -> list[Finding]:
    """The prerequisites that do not hold; empty when a full sync may run."""
    return [finding for finding in evaluate(connection, key) if not finding.met]


def next_command(missing: Sequence[Finding], views: Overviews) -> str:
    """The command that brings an integration on: what is missing first, then what waits to be mapped, then a sync."""
    waiting = None if missing else mapping_command(views)
    return waiting or next_step(views.integration, missing)
