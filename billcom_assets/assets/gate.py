"""The gate between the lists that setup needs and what may only be pulled once it is complete."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from billcom_assets.assets.results import Event, Results
from billcom_assets.checks import prerequisites
from billcom_assets.entities.plan import GATE
from billcom_assets.setup.prerequisites import SETUP_INCOMPLETE, Finding, SetupIncomplete
from billcom_assets.status.readiness import evaluate
from billcom_assets.sync.run import Sync
from billcom_assets.text_tables import table

OUTCOME_TAG = "billcom/outcome"
REFUSED = f"refused: {SETUP_INCOMPLETE}"


class Gate:
    """What one run finds at the gate.

    A run that may not go through ends well, and what is behind the gate is skipped: a failed run would count as a
    failure of every asset that it did not reach.
    """

    def __init__(self, context: dg.AssetExecutionContext, sync: Sync, results: Results) -> None:
        self._context = context
        self._sync = sync
        self._results = results
        self._missing: list[Finding] | None = None

    @property
    def is_open(self) -> bool:
        """True when it was examined and nothing is missing."""
        return self._missing == []

    def examine(self) -> Iterator[Event]:
        """Examines the prerequisites, once in a run; each becomes the result of its check."""
        if self._missing is not None:
            return
        findings = self._findings()
        self._missing = [finding for finding in findings if not finding.met]
        self._sync.is_past_the_gate = self.is_open
        if self._missing or self._results.is_selected(GATE):
            yield from self._evaluations(findings)
        if self._missing:
            yield self._refuse(SetupIncomplete(self._sync.integration, tuple(self._missing)))
        elif self._results.is_selected(GATE):
            yield self._results.materialized(GATE, {"prerequisites": len(findings)}, "Setup is complete.")

    def report(self) -> Iterator[Event]:
        """What is missing, from a run that ends before the gate."""
        if self._missing is None:
            yield from self._evaluations(self._findings())

    def _findings(self) -> list[Finding]:
        with self._sync.warehouse.read() as connection:
            return evaluate(connection, self._sync.integration)

    def _evaluations(self, findings: list[Finding]) -> Iterator[Event]:
        yield from (prerequisites.evaluation(finding, self._sync.integration) for finding in findings)

    def _refuse(self, incomplete: SetupIncomplete) -> Event:
        self._context.log.warning(str(incomplete))
        with self._sync.warehouse.write() as connection:
            self._sync.fence.check(connection)
            self._sync.states.refuse_run(connection, self._sync.run_id, GATE, self._sync.clock(), str(incomplete))
        self._context.instance.add_run_tags(self._context.run.run_id, {OUTCOME_TAG: REFUSED})
        missing = [(finding.prerequisite.title, finding.found, finding.fix) for finding in incomplete.findings]
        return dg.AssetObservation(
            GATE,
            partition=self._sync.integration,
            description=f"{self._sync.integration}: {SETUP_INCOMPLETE}; nothing behind the gate was pulled.",
            metadata={"missing": table(("prerequisite", "found", "fix"), missing)},
        )
