"""The posting policy as people look at it: every setting, where its value comes from, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from billcom_assets.books.accounts import Account, Chart, unsuitable
from billcom_assets.books.missing_settings import MissingSetting, missing_settings
from billcom_assets.books.policy import PostingPolicy, posting_policy, proposed_policy
from billcom_assets.books.settings import SETTINGS, Setting, Takes
from billcom_assets.warehouse.policy_changes import PolicyChange, policy_changes


class Source(StrEnum):
    """Where a setting's value comes from."""

    DECIDED = "decided"
    FOUND = "found"
    DEFAULT = "default"
    PROPOSED = "proposed"
    """It would be found now; the next posting stores it."""
    NOWHERE = "not set"


@dataclass(frozen=True, slots=True)
class SettingStatus:
    """One setting of one integration."""

    setting: Setting
    value: str | None
    """Of an account its id."""
    account: Account | None
    """The account that it names; None for other settings, and for one that the ledger no longer has."""
    source: Source
    set_by: str | None
    """Who has decided or found it; None where nobody has, or where it was not recorded."""
    set_at: datetime | None
    problem: str | None
    """Why documents cannot use its account, in words that follow the account; None when they can."""


@dataclass(frozen=True, slots=True)
class PolicyReport:
    """The policy of one integration."""

    integration: str
    version: int
    settings: tuple[SettingStatus, ...]
    missing: tuple[MissingSetting, ...]
    """What documents need or wait for, and what can be found neither in the ledger nor in BILL."""
    choices: dict[str, tuple[str, ...]]
    """Accounts that a missing setting could name, where its type says so, as people call them."""
    labels: dict[str, str]
    """What people call the ledger's accounts, by id."""
    history: tuple[PolicyChange, ...]
    """Every change, oldest first."""


def policy_report(connection: Connection, integration: str) -> PolicyReport:
    """Everything about the integration's policy; writes nothing.

    Raises:
        UnknownIntegration: there is no such integration.
    """
    stored, proposed = posting_policy(connection, integration), proposed_policy(connection, integration)
    history = policy_changes(connection, integration)
    latest = {change.setting: change for change in history}
    chart = Chart.of(connection, integration)
    missing = missing_settings(connection, integration, proposed)
    return PolicyReport(
        integration,
        stored.version,
        tuple(_status(setting, stored, proposed, latest.get(name), chart) for name, setting in SETTINGS.items()),
        missing,
        {
            one.setting.name: tuple(account.label for account in chart.suitable(one.setting))
            for one in missing
            if one.setting.type is not None
        },
        {id_: account.label for id_, account in chart.accounts.items()},
        tuple(history),
    )


def _status(
    setting: Setting, stored: PostingPolicy, proposed: PostingPolicy, change: PolicyChange | None, chart: Chart
) -> SettingStatus:
    value = proposed.value(setting.name)
    account = chart.accounts.get(value) if value is not None and setting.takes is Takes.ACCOUNT else None
    return SettingStatus(
        setting,
        value,
        account,
        _source(setting, stored, value, change),
        change.set_by if change else None,
        change.set_at if change else None,
        _problem(setting, value, account),
    )


def _source(setting: Setting, stored: PostingPolicy, value: str | None, change: PolicyChange | None) -> Source:
    if change is not None:
        return Source(change.origin)
    if value is None:
        return Source.NOWHERE
    if value != stored.value(setting.name):
        return Source.PROPOSED
    # The home currency could be set before changes of it were recorded.
    return Source.DEFAULT if value == setting.default else Source.DECIDED


def _problem(setting: Setting, value: str | None, account: Account | None) -> str | None:
    if value is None or setting.takes is not Takes.ACCOUNT:
        return None
    return unsuitable(setting, account) if account else "is not in the ledger any more"
