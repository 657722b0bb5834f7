"""The posting policy of an integration: the choices that decide how its documents post.

A policy has a version; every change makes a new one, and what each was before stays. It decides about entries that are
still to be made: a changed policy changes nothing that is posted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from billcom_assets.books.accounts import Chart
from billcom_assets.books.proposals import proposals, shared
from billcom_assets.books.settings import SETTINGS, Takes
from billcom_assets.books.typed_values import typed_value
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.audit import Actor, Decision, What
from billcom_assets.warehouse.home_currency import home_currency, set_home_currency
from billcom_assets.warehouse.integrations import InvalidSetting
from billcom_assets.warehouse.policy_changes import (
    NewChange,
    Origin,
    PolicyChange,
    add_changes,
    lock_policy,
    policy_changes,
)
from billcom_assets.warehouse.standing import refuse_to_mix, standing_entries

FINDER: Final = "billcom"
"""Who has set what was found."""


@dataclass(frozen=True, slots=True)
class PostingPolicy:
    """The policy as it holds; accounts are ids of ``ledger_accounts``, None where none is set."""

    version: int
    """0 when nothing was ever stored."""
    accounts_payable: str | None
    accounts_receivable: str | None
    payments: str
    """``direct`` or ``clearing``."""
    payables_clearing: str | None
    receivables_clearing: str | None
    unapplied_receipts: str | None
    exchange_gain_loss: str | None
    approval: str
    """``approved`` or ``approved_or_unassigned``."""
    closed_through: date | None
    late: str
    """``next_open_day`` or ``hold``."""
    home_currency: str
    """ISO 4217 code."""

    def value(self, setting: str) -> str | None:
        """A setting's value as it is written; None for none."""
        found = getattr(self, setting)
        return None if found is None else str(found)

    @property
    def accounts(self) -> dict[str, str | None]:
        """The ledger accounts by setting."""
        return {name: self.value(name) for name, setting in SETTINGS.items() if setting.takes is Takes.ACCOUNT}


@dataclass(frozen=True, slots=True)
class ChangedPolicy:
    """What a change has made of the policy."""

    policy: PostingPolicy
    changes: tuple[NewChange, ...]
    """Settings that have another value now, or are decided from now on."""
    notes: tuple[str, ...]
    """What follows from it, each a sentence."""


def posting_policy(connection: Connection, integration: str) -> PostingPolicy:
    """The policy as it is stored, with defaults for settings that nothing is stored of but no accounts; writes nothing.

    Raises:
        UnknownIntegration: there is no such integration.
    """
    return _policy(connection, integration, policy_changes(connection, integration))


def proposed_policy(connection: Connection, integration: str) -> PostingPolicy:
    """The policy as :func:`store_found` would leave it, with the version that is stored; writes nothing.

    Raises:
        UnknownIntegration: there is no such integration.
    """
    changes = policy_changes(connection, integration)
    policy = _policy(connection, integration, changes)
    return replace(policy, **_found(connection, integration, policy, changes))


def store_found(connection: Connection, integration: str, now: datetime) -> PostingPolicy:
    """Stores what can be found of the settings that nothing is stored of; what is stored already stays as it is.

    Writes nothing when nothing new is found. Otherwise others who change the integration wait until the caller's
    transaction ends.

    Args:
        connection: Connection in a transaction of the caller's.
        integration: Integration key.
        now: When.

    Returns:
        The policy as it holds from now on.

    Raises:
        UnknownIntegration: there is no such integration.
    """
    changes = policy_changes(connection, integration)
    policy = _policy(connection, integration, changes)
    found = _found(connection, integration, policy, changes)
    if not found:
        return policy
    lock_policy(connection, integration)
    # Somebody may have decided meanwhile.
    stored = {change.setting for change in policy_changes(connection, integration)}
    new = [NewChange(name, None, id_, Origin.FOUND) for name, id_ in found.items() if name not in stored]
    if new:
        add_changes(connection, integration, new, set_by=FINDER, now=now)
    return posting_policy(connection, integration)


def change_policy(
    connection: Connection,
    integration: str,
    changes: Mapping[str, str | None],
    actor: Actor,
    now: datetime,
    *,
    reposted: bool = False,
) -> ChangedPolicy:
    """Changes settings, all or none, as one new version, and records each change in the audit log.

    Args:
        connection: Connection in a transaction of the caller's.
        integration: Integration key.
        changes: New values by setting, as somebody types them: an account by its id, number or name; None, nothing or
            ``none`` for no value.
        actor: Who decided.
        now: When.
        reposted: Whether everything that stands is posted again in the same transaction, so that settings may change
            that old and new entries must have in common.

    Raises:
        InvalidSetting: a setting or a value is none, or may not change now; nothing was written.
        UnknownIntegration: there is no such integration.
    """
    lock_policy(connection, integration)
    before = posting_policy(connection, integration)
    chart = Chart.of(connection, integration)
    values: dict[str, Any] = {name: typed_value(name, text, chart) for name, text in changes.items()}
    after = replace(before, **values)
    origins = {change.setting: change.origin for change in policy_changes(connection, integration)}
    new = tuple(_changes(before, after, changes, origins))
    _refuse_shared(chart, after, changes)
    _refuse_future(before, after, now)
    for change in () if reposted else new:
        kinds = SETTINGS[change.setting].posted_with
        if kinds and change.previous != change.value:
            refuse_to_mix(connection, integration, change, kinds)
    notes = tuple(_notes(connection, integration, before, after, now))
    if new:
        version = add_changes(connection, integration, new, set_by=actor.name, now=now)
        after = replace(after, version=version)
        if after.home_currency != before.home_currency:
            set_home_currency(connection, integration, after.home_currency, now)
        audit.record_all(connection, actor, [_decision(integration, one) for one in new], now)
    return ChangedPolicy(after, new, notes)


def _policy(connection: Connection, integration: str, changes: Collection[PolicyChange]) -> PostingPolicy:
    stored: dict[str, Any] = {name: setting.default for name, setting in SETTINGS.items()}
    for change in changes:
        stored[change.setting] = change.value
    closed = stored["closed_through"]
    values = stored | {
        "version": max((change.version for change in changes), default=0),
        "closed_through": date.fromisoformat(closed) if closed else None,
        # It has a place of its own, from which everything else reads it.
        "home_currency": home_currency(connection, integration),
    }
    return PostingPolicy(**{field.name: values[field.name] for field in fields(PostingPolicy)})


def _found(
    connection: Connection, integration: str, policy: PostingPolicy, changes: Collection[PolicyChange]
) -> dict[str, Any]:
    open_ = SETTINGS.keys() - {change.setting for change in changes}
    return dict(proposals(connection, integration, open_, policy.accounts))


def _changes(
    before: PostingPolicy, after: PostingPolicy, names: Collection[str], origins: Mapping[str, str]
) -> Iterator[NewChange]:
    for name in SETTINGS:
        old, new = before.value(name), after.value(name)
        # A default that somebody confirms is a decision from then on.
        is_confirmed = new is not None and origins.get(name) != Origin.DECIDED
        if name in names and (old != new or is_confirmed):
            yield NewChange(name, old, new)


def _decision(integration: str, change: NewChange) -> Decision:
    return Decision(What.POLICY_CHANGED, change.setting, integration, change.previous, change.value)


def _refuse_shared(chart: Chart, policy: PostingPolicy, names: Collection[str]) -> None:
    """One account for two purposes could not be told apart afterwards."""
    for name in names:
        account = policy.accounts.get(name)
        other = shared(SETTINGS[name], account, policy.accounts) if account is not None else None
        if account is not None and other is not None:
            raise InvalidSetting(
                f"{name} cannot be {chart.label(account)}: {other.name} is that account already, and what is posted to "
                "it could not be told apart."
            )


def _refuse_future(before: PostingPolicy, after: PostingPolicy, now: datetime) -> None:
    """A mistyped year would date every new entry after it, and the date of an entry never moves."""
    closed, today = after.closed_through, now.date()
    if closed is not None and closed > today and closed != before.closed_through:
        raise InvalidSetting(
            f"closed_through cannot be {closed}: that day has not come yet, and new entries would be dated after it. "
            f"It can be {today} or an earlier day, or none."
        )


def _notes(
    connection: Connection, integration: str, before: PostingPolicy, after: PostingPolicy, now: datetime
) -> Iterator[str]:
    closed, was_closed = after.closed_through, before.closed_through
    if was_closed is not None and closed is None:
        yield f"No period is closed any more: the days up to {was_closed} are open again for new entries."
    elif was_closed is not None and closed is not None and closed < was_closed:
        first = closed + timedelta(days=1)
        yield f"The period from {first} to {was_closed} is open again: new entries may be dated in it."
    if closed is not None and closed != was_closed and closed == now.date():
        yield f"{closed} is not over yet: entries that belong on it or before will be dated later."
    is_posted_otherwise = after.accounts != before.accounts or after.payments != before.payments
    if is_posted_otherwise and standing_entries(connection, integration):
        command = f"billcom books {integration} repost"
        yield f"What is posted stays as it is. To see what the change would do to it: {command}"
