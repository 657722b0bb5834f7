"""From BILL's ids to the ledger's, with the reasons why one leads nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from billcom_assets_tests.books.reference.policy import Policy
from billcom_assets_tests.books.reference.snapshot import (
    DIMENSIONS,
    FundingAccount,
    LedgerAccount,
    LedgerObject,
    Snapshot,
)

_CARDS = ("CARD_ACCOUNT", "AP_CARD")
_LEDGER_LIST = {"funding_accounts": "accounts"}
"""Where the counterparts of an entity are, if not in the list of the same name."""
NOWHERE = ""
"""In place of a ledger id that was not found; nothing that names it is posted."""


def survivor(snapshot: Snapshot, entity: str, id_: str) -> str | None:
    """What is left of a merged object after all mergers; None for one that was not merged, and for a circle."""
    seen = [id_]
    while (found := snapshot.find(entity, seen[-1])) is not None and found.merged_into is not None:
        if found.merged_into in seen:
            return None
        seen.append(found.merged_into)
    return seen[-1] if len(seen) > 1 else None


def mapped_to(snapshot: Snapshot, entity: str, id_: str) -> str | None:
    """The ledger's id by the object's own mapping, or by its survivor's where it has none of its own."""
    if (entity, id_) in snapshot.mappings:
        return snapshot.mappings[entity, id_]
    last = survivor(snapshot, entity, id_)
    return snapshot.mappings.get((entity, last)) if last is not None else None


def funding_mapped_to(snapshot: Snapshot, id_: str) -> str | None:
    """The ledger account of a funding account; a card without a mapping goes by the account that it is booked on."""
    if ("funding_accounts", id_) in snapshot.mappings:
        return snapshot.mappings["funding_accounts", id_]
    found = snapshot.find("funding_accounts", id_)
    booked_on = found.account if isinstance(found, FundingAccount) and found.kind in _CARDS else None
    return None if booked_on is None else mapped_to(snapshot, "accounts", booked_on)


@dataclass
class References:
    """Looks up what one document names and collects the codes of what it cannot find."""

    snapshot: Snapshot
    policy: Policy
    codes: set[str] = field(default_factory=set)

    def party(self, entity: str | None, id_: str | None) -> str | None:
        """The ledger's vendor or customer; None for documents of no party."""
        if entity is None:
            return None
        unmapped = {"vendors": "VENDOR_UNMAPPED", "customers": "CUSTOMER_UNMAPPED"}[entity]
        if id_ is None:
            self.codes.add(unmapped)
            return NOWHERE
        return self._counterpart(entity, id_, mapped_to(self.snapshot, entity, id_), unmapped)

    def line_account(self, id_: str | None) -> str:
        """The ledger account of a line, which must be one that lines may post to."""
        if id_ is None:
            self.codes.add("ACCOUNT_MISSING")
            return NOWHERE
        account = self.account(id_)
        found = self._ledger("accounts").get(account)
        is_closed = isinstance(found, LedgerAccount) and (found.type == "NON_POSTING" or not found.postable)
        if is_closed or account in self.policy.not_for_lines:
            self.codes.add("ACCOUNT_NOT_POSTABLE")
        return account

    def account(self, id_: str) -> str:
        """The ledger account that an account of BILL's is mapped to."""
        return self._counterpart("accounts", id_, mapped_to(self.snapshot, "accounts", id_), "ACCOUNT_UNMAPPED")

    def funding(self, id_: str) -> str:
        """The ledger account of a bank account, a card or the wallet that a document names."""
        found = funding_mapped_to(self.snapshot, id_)
        return self._counterpart("funding_accounts", id_, found, "FUNDING_ACCOUNT_UNMAPPED")

    def wallet(self, id_: str) -> str:
        """The ledger account of the wallet, which money movements mean without naming it."""
        found = funding_mapped_to(self.snapshot, id_)
        if found is None:
            self.codes.add("FUNDING_ACCOUNT_UNMAPPED")
            return NOWHERE
        return self._existing("funding_accounts", found)

    def item(self, id_: str | None) -> str | None:
        """The ledger's item; None where the line names none or the ledger has none in use."""
        return self._optional("items", id_, "ITEM_UNMAPPED")

    def dimensions(self, named: Mapping[str, str | None]) -> dict[str, str | None]:
        """The ledger's dimensions of a line, by column."""
        return {
            column: self._optional(entity, named[column], "CLASSIFICATION_UNMAPPED")
            for column, entity in DIMENSIONS.items()
        }

    def setting(self, name: str) -> str:
        """The ledger account that the policy sets."""
        account: str | None = getattr(self.policy, name)
        if account is None:
            self.codes.add("POLICY_MISSING")
            return NOWHERE
        return self._existing("accounts", account)

    def _optional(self, entity: str, id_: str | None, unmapped: str) -> str | None:
        in_use = any(one.active for one in self._ledger(entity).values())
        if id_ is None or not in_use:
            return None
        return self._counterpart(entity, id_, mapped_to(self.snapshot, entity, id_), unmapped)

    def _counterpart(self, entity: str, id_: str, ledger_id: str | None, unmapped: str) -> str:
        if ledger_id is not None:
            return self._existing(entity, ledger_id)
        found = self.snapshot.find(entity, id_)
        is_gone = found is None or found.deleted
        self.codes.add("REFERENCE_BROKEN" if is_gone and entity in self.snapshot.pulled else unmapped)
        return NOWHERE

    def _existing(self, entity: str, ledger_id: str) -> str:
        found = self._ledger(_LEDGER_LIST.get(entity, entity)).get(ledger_id)
        if found is None or not found.active:
            self.codes.add("LEDGER_INACTIVE")
        return ledger_id

    def _ledger(self, entity: str) -> Mapping[str, LedgerObject]:
        return self.snapshot.ledger.get(entity, {})
