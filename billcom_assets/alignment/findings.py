"""What may go wrong with a change, and what is not changed because a person has to decide: codes and their words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Risk:
    """What a person should know before approving a change."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """A difference that is left as it is."""

    code: str
    reason: str
    """Why nothing is done, a sentence; ``{account}`` and ``{other}`` are filled in."""
    advice: str
    """What a person should do; ``{key}``, the integration's, is filled in too."""


RISKS: Final = {
    one.code: one
    for one in (
        Risk("archived_twin", "an archived account has the same number or name, and is left archived"),
        Risk("was_archived", "somebody archived this account; its history comes back with it"),
        Risk("parent_archived", "the parent that it has in BILL stays archived"),
        Risk("number_in_use", "another account has this number, which BILL may refuse"),
        Risk("name_in_use", "another account has this name, which BILL may refuse"),
        Risk("near_duplicate", "another account has nearly this name: map the two if they are one"),
        Risk("in_use", "documents that are not finished use this account"),
        Risk("used_before", "finished documents use this account, and go on naming it"),
        Risk("unknown_before", "documents dated before the cutoff are not fetched, and may use this account"),
        Risk("type_changes", "reports of earlier periods will show it under another type, and BILL may refuse"),
        Risk("leaves_parent", "it is to have no parent any more, which BILL may refuse"),
        Risk("cascades", "BILL archives whatever is still under it, and restoring it does not bring that back"),
        Risk("interim", "a value between two others that change places"),
        Risk("duplicate", "another account of BILL's stands for the same account of the ledger"),
    )
}

_MAP: Final = "map it to the right one with billcom mappings export {key} --kind accounts, then plan again"
_IN_LEDGER: Final = "in the ledger and import its chart again"

CONFLICTS: Final = {
    one.code: one
    for one in (
        Conflict("no_name", "{account} has no name in the ledger.", f"Name it {_IN_LEDGER}."),
        Conflict(
            "too_long",
            "{account} has a longer {other} than BILL takes.",
            f"Shorten it {_IN_LEDGER}: BILL takes 250 characters of name, 40 of number and 4,000 of description.",
        ),
        Conflict(
            "unknown_type", "{account} has a type in the ledger that BILL does not know.", f"Set it {_IN_LEDGER}."
        ),
        Conflict(
            "ledger_duplicate",
            "{account} is in the ledger twice: {other} is the same to BILL.",
            f"Give one of them another number or name, or deactivate it, {_IN_LEDGER}.",
        ),
        Conflict(
            "ledger_circle",
            "{account} is below itself in the ledger.",
            f"Correct its parent {_IN_LEDGER}.",
        ),
        Conflict(
            "missing_parent",
            "{account} cannot be placed: its parent {other} is not active in the ledger.",
            f"Activate the parent or choose another {_IN_LEDGER}.",
        ),
        Conflict(
            "parent_not_created",
            "{account} cannot be placed: its parent {other} will not be in BILL.",
            "Solve the conflict of the parent first, then plan again.",
        ),
        Conflict(
            "below_in_bill",
            "{account} stays where it is: {other}, its parent in the ledger, is below it in BILL and cannot leave.",
            "Solve the conflict of the parent first, then plan again.",
        ),
        Conflict(
            "type_in_use",
            "{account} has another type in BILL than in the ledger ({other}), and documents use it.",
            "Correct the type where it is wrong, or create an account of the right type in BILL and code the documents "
            "to that.",
        ),
        Conflict(
            "left_unmapped",
            "{account} is not created: {other} in BILL looks like it, and somebody has left that unmapped.",
            f"If they are one, {_MAP}; otherwise rename or archive the one in BILL.",
        ),
        Conflict(
            "used_in_bill",
            "{account} is in BILL alone and in use by {other}, so it is not archived.",
            f"Add it to the ledger, or {_MAP}, or code what uses it to another account in BILL.",
        ),
        Conflict(
            "mapped_too",
            "{account} is mapped to {other} as well, for which BILL has another account already.",
            "Merge the two in BILL (Merge duplicates), or take the mapping back and plan again.",
        ),
        Conflict(
            "needed_by_bill",
            "{account} is in BILL alone and BILL books on such accounts itself, so it is not archived.",
            f"Add it to the ledger, or {_MAP}.",
        ),
        Conflict(
            "archives_others",
            "{account} is in BILL alone and not archived: BILL would archive {other} with it.",
            "Solve the conflicts of the accounts under it, or move them in BILL, then plan again.",
        ),
        Conflict(
            "parents_unknown",
            "{account} is in BILL alone and not archived: BILL hides what is under it and would archive that too.",
            "Look in BILL whether anything is under it, and archive it there.",
        ),
        Conflict(
            "uses_unknown",
            "{account} stays as it is: what uses it is not known, because {other} were never fetched.",
            "Fetch them with billcom sync {key}, then plan again; what is left out of the syncs is taken in with "
            "billcom connect {key} --with ENTITY.",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One risk or conflict of one change."""

    code: str
    of: str | None = None
    """The other account or the users that it is about, as people call them."""

    @property
    def words(self) -> str:
        """What it means."""
        said = RISKS[self.code].words if self.code in RISKS else self.code.replace("_", " ")
        return f"{said}: {self.of}" if self.of else said
