"""What the posting policy lacks: settings that every document needs, and those that held documents wait for."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, exists, func, select

from billcom_assets.books.policy import PostingPolicy
from billcom_assets.books.settings import CLEARING, SETTINGS, Needed, Setting
from billcom_assets.redaction.counted import counted
from billcom_assets.warehouse.ledger_tables import ledger_accounts
from billcom_assets.warehouse.tables import integration_errors


@dataclass(frozen=True, slots=True)
class MissingSetting:
    """A setting without a value that documents need."""

    integration: str
    setting: Setting
    documents: int
    """That wait for it."""
    has_chart: bool
    """Whether the ledger has any account that it could name."""

    @property
    def command(self) -> str:
        """The command that is next, with ID for the account that somebody has to choose."""
        if not self.has_chart:
            return f"billcom ledger import {self.integration} --accounts accounts.csv"
        return f"billcom policy {self.integration} set {self.setting.name}=ID"

    def __str__(self) -> str:
        waiting = f"; {counted(self.documents, 'document waits', 'documents wait')} for it" if self.documents else ""
        return f"{self.setting.words} is not set{waiting}"


def missing_settings(connection: Connection, integration: str, policy: PostingPolicy) -> tuple[MissingSetting, ...]:
    """The settings without a value that documents need under this policy, or are held for."""
    waiting = {name: _held_for(connection, integration, name) for name in SETTINGS if policy.value(name) is None}
    a = ledger_accounts.c
    has_chart = bool(connection.scalar(select(exists().where(a.integration == integration))))
    return tuple(
        MissingSetting(integration, SETTINGS[name], documents, has_chart)
        for name, documents in waiting.items()
        if documents or _is_needed(SETTINGS[name], policy)
    )


def _is_needed(setting: Setting, policy: PostingPolicy) -> bool:
    """Whether nothing, or no payment, can post without it."""
    return setting.needed is Needed.ALWAYS or (setting.needed is Needed.WITH_CLEARING and policy.payments == CLEARING)


def _held_for(connection: Connection, integration: str, setting: str) -> int:
    """How many documents wait for the setting; their errors name it."""
    e = integration_errors.c
    mine = (e.integration == integration, e.code == "POLICY_MISSING", e.status == "open")
    query = select(func.count()).where(*mine, e.message.contains(setting, autoescape=True))
    return connection.scalar(query) or 0
