"""The conditions of a full sync as data: what each looks at, what it found, and the command that makes it hold.

Nothing here reads a database: :mod:`billcom_assets.status.readiness` does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from billcom_assets.bill.failures import sign_in_command
from billcom_assets.ledger.account_types import EXPENSE_TYPES, INCOME_TYPES, PAYMENT_TYPES, AccountType
from billcom_assets.redaction.counted import counted, singular
from billcom_assets.redaction.errors import UserFacingError
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.setup.mapped import MappedCounts
from billcom_assets.warehouse.integrations import Status, left

SETUP_INCOMPLETE = "setup not completed"
"""Why a run stopped at the gate."""
_MESSAGE = 500
"""Characters shown of what BILL said."""


@dataclass(frozen=True, slots=True)
class SetupState:
    """What the prerequisites look at."""

    integration: str
    company: str | None
    """None when there is no such integration."""
    status: str | None
    status_code: str | None
    status_message: str | None
    pulled: frozenset[str]
    """Entities of which a first complete pull has ended."""
    counts: Mapping[str, MappedCounts]
    """Of vendors and accounts."""
    mapping_command: Callable[[str], str]
    """The command that maps objects of a kind; asked for only when it is needed."""

    @property
    def seed_command(self) -> str:
        """The command that pulls the lists."""
        return f"billcom seed {self.integration}"


class _Outcome(NamedTuple):
    met: bool
    summary: str
    fix: str = ""
    quoted: str = ""


@dataclass(frozen=True, slots=True)
class Prerequisite:
    """A condition that must hold before a full sync may run."""

    name: str
    """Name of the asset check."""
    title: str
    description: str
    condition: Callable[[SetupState], _Outcome] = field(repr=False, compare=False)

    def examine(self, state: SetupState) -> Finding:
        """Whether it holds."""
        return Finding(self, *self.condition(state))


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether a prerequisite holds."""

    prerequisite: Prerequisite
    met: bool
    summary: str
    """What is there, in numbers and words of ours alone."""
    fix: str
    """The command that makes it hold; empty when it does."""
    quoted: str = ""
    """What others wrote about it, such as BILL's message: one line without personal data."""

    @property
    def found(self) -> str:
        """The summary with what is quoted; to be shown as text, never as Markdown."""
        return f"{self.summary}: {self.quoted}" if self.quoted else self.summary


class SetupIncomplete(UserFacingError):
    """A full sync may not run yet; carries what is missing."""

    def __init__(self, integration: str, findings: tuple[Finding, ...]) -> None:
        self.integration = integration
        self.findings = findings
        lines = [f"{integration}: {SETUP_INCOMPLETE}. What is missing:"]
        for finding in findings:
            lines += [f"  - {finding.prerequisite.title}: {finding.found}", f"      {finding.fix}"]
        super().__init__("\n".join(lines))


def next_step(key: str, missing: Sequence[Finding], *, when_ready: str = "billcom sync {key}") -> str:
    """The command that meets the first missing prerequisite, or ``when_ready`` when none is missing."""
    return missing[0].fix if missing else when_ready.format(key=key)


def _company(state: SetupState) -> _Outcome:
    fix = f"billcom connect {state.integration}"
    if state.company is None:
        return _Outcome(False, f"there is no integration {state.integration}", fix)
    if not state.company.strip():
        return _Outcome(False, "the integration names no company", fix)
    return _Outcome(True, "attached to a company", quoted=excerpt(state.company))


def _authenticated(state: SetupState) -> _Outcome:
    key = state.integration
    if state.status == Status.CONNECTED:
        return _Outcome(True, "BILL accepted the login")
    if state.status is None:
        return _Outcome(False, "nothing is connected", f"billcom connect {key}")
    how = left(key, state.status)
    if how is not None:
        return _Outcome(False, f"the integration is {how.state}", how.next_step)
    said = excerpt(state.status_message or "", limit=_MESSAGE)
    if state.status == Status.PENDING and state.status_code is None:
        return _Outcome(False, "the login was not tried yet", f"billcom validate {key}", said)
    refused = "BILL refuses the login for now" if state.status == Status.PENDING else "the last login failed"
    return _Outcome(False, refused, sign_in_command(key, state.status_code), said)


def _pulled(kind: str, *, unpulled: str, to_add: str) -> Callable[[SetupState], _Outcome]:
    def condition(state: SetupState) -> _Outcome:
        live = state.counts[kind].live.total()
        if kind not in state.pulled:
            return _Outcome(False, unpulled, state.seed_command)
        if not live:
            return _Outcome(False, f"BILL has returned no {kind} at all; add {to_add} there first", state.seed_command)
        return _Outcome(True, counted(live, f"{singular(kind)} was pulled", f"{kind} were pulled"))

    return condition


def _mapped_in_words(mapped: int, live: int, kind: str) -> str:
    return f"{mapped} of {counted(live, singular(kind), kind)} {'is' if 1 in {mapped, live} else 'are'} mapped"


def _to_map(state: SetupState, kind: str) -> str:
    is_any_there = kind in state.pulled and state.counts[kind].live.total()
    return state.mapping_command(kind) if is_any_there else state.seed_command


def _mapped(kind: str) -> Callable[[SetupState], _Outcome]:
    def condition(state: SetupState) -> _Outcome:
        mapped, live = state.counts[kind].mapped.total(), state.counts[kind].live.total()
        found = _mapped_in_words(mapped, live, kind)
        return _Outcome(True, found) if mapped else _Outcome(False, found, _to_map(state, kind))

    return condition


def _mapped_of(types: frozenset[AccountType], what: str) -> Callable[[SetupState], _Outcome]:
    def condition(state: SetupState) -> _Outcome:
        accounts = state.counts["accounts"]
        mapped, live = accounts.mapped_within(types), sum(accounts.live[type_] for type_ in types)
        found = _mapped_in_words(mapped, live, f"{what} accounts")
        if mapped:
            return _Outcome(True, found)
        if "accounts" in state.pulled and not live:
            return _Outcome(False, f"{found}; add one in BILL first", state.seed_command)
        return _Outcome(False, found, _to_map(state, "accounts"))

    return condition


PREREQUISITES: tuple[Prerequisite, ...] = (
    Prerequisite(
        "company_attached",
        "Company",
        "The integration is attached to a company, whose ledger its data goes into.",
        _company,
    ),
    Prerequisite(
        "authenticated",
        "Authentication",
        "The last login to BILL succeeded and the integration is connected.",
        _authenticated,
    ),
    Prerequisite(
        "vendors_pulled",
        "Vendors",
        "Vendors have been pulled from BILL, and there is at least one.",
        _pulled("vendors", unpulled="vendors have not been pulled", to_add="a vendor"),
    ),
    Prerequisite(
        "vendors_mapped",
        "Vendor mapping",
        "At least one vendor of BILL is mapped to an active vendor of the ledger.",
        _mapped("vendors"),
    ),
    Prerequisite(
        "accounts_pulled",
        "Chart of accounts",
        "The chart of accounts has been pulled from BILL, and there is at least one account.",
        _pulled("accounts", unpulled="the chart of accounts has not been pulled", to_add="accounts"),
    ),
    Prerequisite(
        "accounts_mapped",
        "Account mapping",
        "At least one account of BILL is mapped to an active account of the ledger.",
        _mapped("accounts"),
    ),
    Prerequisite(
        "payment_account_mapped",
        "Bank or credit card account",
        "At least one bank or credit card account of BILL is mapped: payments are made from it.",
        _mapped_of(PAYMENT_TYPES, "bank and credit card"),
    ),
    Prerequisite(
        "expense_account_mapped",
        "Expense account",
        "At least one expense or cost of goods sold account of BILL is mapped: bills are charged to it.",
        _mapped_of(EXPENSE_TYPES, "expense"),
    ),
    Prerequisite(
        "income_account_mapped",
        "Income account",
        "At least one income account of BILL is mapped: sales are booked to it.",
        _mapped_of(INCOME_TYPES, "income"),
    ),
)
"""In the order in which a user meets them."""
