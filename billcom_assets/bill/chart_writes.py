"""Changing BILL's chart of accounts: the one place from which anything is written to BILL.

A write is sent once. What is waited out and sent again is only what BILL surely did not carry out: a session that had
ended, a limit, a connection that never came about. What became of it otherwise is for the caller to find out by
reading. See https://developer.bill.com/reference/createclassificationchartofaccounts
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Self

from billcom_assets.bill.client import BillClient
from billcom_assets.bill.errors import (
    BillError,
    NotFound,
    Refused,
    UntrustedSession,
    WriteOutcomeUnknown,
    WrongEntityType,
)
from billcom_assets.bill.query import item_path

CHART: Final = "/v3/classifications/chart-of-accounts"
_REFUSALS: Final = (Refused, NotFound, WrongEntityType, UntrustedSession)


class Verb(StrEnum):
    """What can be done to an account; BILL has no way to delete one."""

    CREATE = "create"
    UPDATE = "update"
    ARCHIVE = "archive"
    """Takes everything below the account along."""
    RESTORE = "restore"
    """Brings back the account alone."""


@dataclass(frozen=True, slots=True)
class AccountWrite:
    """One request that changes one account.

    Args:
        verb: What it does.
        account_id: BILL's id of the account; None for one that is to be created.
        fields: ``name``, ``description``, ``parentId`` and ``account`` as BILL takes them, for create and update.
    """

    verb: Verb
    account_id: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def method(self) -> str:
        """HTTP verb."""
        return "PATCH" if self.verb is Verb.UPDATE else "POST"

    @property
    def path(self) -> str:
        """Path below the API's base."""
        if self.account_id is None:
            return CHART
        own = item_path(CHART, self.account_id)
        return own if self.verb is Verb.UPDATE else f"{own}/{self.verb}"

    @property
    def body(self) -> dict[str, Any] | None:
        """The JSON document that is sent; None for none."""
        return dict(self.fields) if self.verb in {Verb.CREATE, Verb.UPDATE} else None

    def document(self) -> dict[str, Any]:
        """The request as it is kept; no credential is in it."""
        sent = {"verb": self.verb.value, "method": self.method, "path": self.path, "account_id": self.account_id}
        return {name: value for name, value in {**sent, "body": self.body}.items() if value is not None}

    @classmethod
    def of_document(cls, kept: Mapping[str, Any]) -> Self:
        """The request that was kept."""
        return cls(Verb(kept["verb"]), kept.get("account_id"), kept.get("body", {}))


@dataclass(frozen=True, slots=True)
class Confirmed:
    """BILL did it, and sent the account as it is now."""

    account: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Declined:
    """BILL refused it, with its reason; nothing has changed."""

    error: BillError


@dataclass(frozen=True, slots=True)
class Lost:
    """Nobody knows whether BILL did it: the response did not come, or cannot be read."""

    error: BillError


Outcome = Confirmed | Declined | Lost


def send(client: BillClient, write: AccountWrite) -> Outcome:
    """Sends the write and says what came of it.

    Raises:
        BillError: BILL cannot be reached, lets nobody in or has no allowance left; nothing has changed.
    """
    call = client.patch if write.verb is Verb.UPDATE else client.post
    try:
        response = call(write.path, write.body)
    except WriteOutcomeUnknown as lost:
        return Lost(lost)
    except _REFUSALS as refusal:
        return Declined(refusal)
    if isinstance(response, dict) and isinstance(response.get("id"), str) and _is_of(write, response["id"]):
        return Confirmed(response)
    return Lost(
        WriteOutcomeUnknown(
            "BILL confirmed the change without the account",
            integration=client.integration,
            endpoint=f"{write.method} {write.path}",
        )
    )


def _is_of(write: AccountWrite, account_id: str) -> bool:
    return write.account_id in {None, account_id}
