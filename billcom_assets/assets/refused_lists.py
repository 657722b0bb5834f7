"""What could not be brought up to date in a run that went on without it."""

from __future__ import annotations

from dataclasses import dataclass, field

import dagster as dg

from billcom_assets.bill.errors import BillUnavailable
from billcom_assets.redaction.errors import UserFacingError
from billcom_assets.text_tables import table
from billcom_assets.warehouse.errors import describe

NEEDED_BY_THE_GATE = ("vendors", "accounts")
"""Documents are matched against these; with old ones they would be booked wrongly or held for no reason."""
_AWAY_AFTER = 3
"""Lists in a row without a usable response, each retried for a minute, after which BILL itself counts as away."""


@dataclass
class RefusedLists:
    """The entities of one run that failed by themselves, and what was not pulled because of them."""

    integration: str
    errors: dict[str, UserFacingError] = field(default_factory=dict)
    """Why, by entity, in the order of the plan."""
    held_back: list[str] = field(default_factory=list)
    _unavailable_in_a_row: int = 0

    def add(self, entity: str, error: UserFacingError) -> None:
        """Keeps why the entity failed."""
        self.errors[entity] = error
        # A list without end or beyond limits is a response, if no usable one.
        self._unavailable_in_a_row = self._unavailable_in_a_row + 1 if type(error) is BillUnavailable else 0

    def note_success(self) -> None:
        """BILL has answered about some list."""
        self._unavailable_in_a_row = 0

    @property
    def is_bill_away(self) -> bool:
        """True when it is not the lists that fail but BILL: the next one would take as long to fail, too."""
        return self._unavailable_in_a_row >= _AWAY_AFTER

    def hold_back(self, entity: str) -> bool:
        """True, and noted, when the entity may not be pulled because of what failed before it."""
        if not self._missing:
            return False
        self.held_back.append(entity)
        return True

    def end_run(self) -> None:
        """Ends the run as failed if anything did.

        Raises:
            dagster.Failure: names each failed entity with its error and next step.
        """
        if not self.errors:
            return
        raise dg.Failure(
            description=self.description,
            metadata={
                "failed": table(("entity", "error"), [(name, describe(error)) for name, error in self.errors.items()])
            },
            # Retries that could help were made already, request by request.
            allow_retries=False,
        )

    @property
    def description(self) -> str:
        """Every failure in words; the rest of the run is up to date."""
        failed, held_back = (", ".join(_words(name) for name in names) for names in (self.errors, self.held_back))
        lines = [f"{self.integration}: not everything could be fetched; the rest is up to date. Failed: {failed}."]
        lines += [f"  - {_words(name)}: {describe(error)}" for name, error in self.errors.items()]
        if held_back:
            missing = " and ".join(self._missing)
            lines.append(f"Not fetched, because {missing} failed in this run and are needed first: {held_back}.")
        return "\n".join(lines)

    @property
    def _missing(self) -> list[str]:
        return [name for name in NEEDED_BY_THE_GATE if name in self.errors]


def _words(entity: str) -> str:
    return entity.replace("_", " ")
