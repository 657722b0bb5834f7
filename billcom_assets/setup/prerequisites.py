"""What must hold before a full sync may run, whether it does, and the command that makes it so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, literal, select, text

from billcom_assets.bill.failures import sign_in_command
from billcom_assets.ledger.account_types import EXPENSE_TYPES, INCOME_TYPES, PAYMENT_TYPES, AccountType
from billcom_assets.mapping.kinds import KINDS
from billcom_assets.mapping.links import State
from billcom_assets.redaction.errors import UserFacingError
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.warehouse.catalog_mirror import catalog_mirror
from billcom_assets.warehouse.integrations import left
from billcom_assets.warehouse.ledger_tables import mappings
from billcom_assets.warehouse.tables import integrations, sync_state

SETUP_INCOMPLETE = "setup not completed"
"""Why a run stopped at the gate."""
_MESSAGE = 500
"""Characters shown of what BILL said."""


@dataclass(frozen=True, slots=True)
class Prerequisite:
    """A condition that must hold before a full sync may run."""

    name: str
    """Name of the asset check."""
    title: str
    description: str
    entity: str
    """The entity on whose asset the check is placed."""
    verdict: Callable[[Facts], _Verdict] = field(repr=False, compare=False)
    """Whether it holds, what was found, the command that makes it hold, and what others wrote about it."""


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


@dataclass(frozen=True, slots=True)
class Pulled:
    """How far one entity is."""

    is_pulled: bool
    """A first complete pull has ended."""
    live: Counter[str]
    """Objects that are neither archived nor deleted, by type (empty for vendors)."""
    mapped: Counter[str]
    """Those of them that are mapped onto an active ledger object, by type."""
    suggested: int
    """Suggestions that wait for a decision."""
    ledger: int
    """Active ledger objects of the kind."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the prerequisites look at, read once."""

    integration: str
    company: str | None
    """None when there is no such integration."""
    status: str | None
    status_code: str | None
    status_message: str | None
    accounts: Pulled
    vendors: Pulled


class SetupIncomplete(UserFacingError):
    """A full sync may not run yet; carries what is missing."""

    def __init__(self, integration: str, findings: tuple[Finding, ...]) -> None:
        self.integration = integration
        self.findings = findings
        lines = [f"{integration}: setup not completed. What is missing:"]
        for finding in findings:
            lines += [f"  - {finding.prerequisite.title}: {finding.found}", f"      {finding.fix}"]
        super().__init__("\n".join(lines))


def evaluate(conn: Connection, integration: str) -> list[Finding]:
    """Every prerequisite with what was found, in the order in which a user meets them."""
    facts = _facts(conn, integration)
    return [Finding(prerequisite, *prerequisite.verdict(facts)) for prerequisite in PREREQUISITES]


def gate(conn: Connection, integration: str) -> list[Finding]:
    """The prerequisites that do not hold; empty when a full sync may run."""
    return [finding for finding in evaluate(conn, integration) if not finding.met]


def require_setup(conn: Connection, integration: str) -> None:
    """Raises SetupIncomplete unless every prerequisite holds."""
    missing = gate(conn, integration)
    if missing:
        raise SetupIncomplete(integration, tuple(missing))


def _facts(conn: Connection, integration: str) -> Facts:
    i = integrations.c
    row = conn.execute(select(i.company, i.status, i.status_code, i.status_message).where(i.key == integration)).first()
    return Facts(
        integration=integration,
        company=row.company if row else None,
        status=row.status if row else None,
        status_code=row.status_code if row else None,
        status_message=row.status_message if row else None,
        accounts=_pulled(conn, integration, "accounts"),
        vendors=_pulled(conn, integration, "vendors"),
    )


def _pulled(conn: Connection, integration: str, name: str) -> Pulled:
    kind = KINDS[name]
    ours, theirs, m = catalog_mirror().table(name), kind.table, mappings.c
    type_ = func.coalesce(ours.c[kind.type_column], "") if kind.type_column else literal("")
    live = (
        select(type_.label("type"), func.count().label("objects"))
        .where(ours.c.integration == integration, ours.c.archived.is_not(True), ours.c.deleted_at.is_(None))
        .group_by(text("1"))
    )
    mapped = (
        live.select_from(ours)
        .join(mappings, and_(m.integration == ours.c.integration, m.kind == name, m.bill_id == ours.c.id))
        .join(theirs, and_(theirs.c.integration == ours.c.integration, theirs.c.id == m.ledger_id, theirs.c.active))
        .where(m.state == State.MAPPED.value)
    )
    first_pull = select(sync_state.c.first_pulled_at).where(
        sync_state.c.integration == integration, sync_state.c.entity == name
    )
    waiting = (m.integration == integration, m.kind == name, m.state == State.SUGGESTED.value)
    return Pulled(
        is_pulled=conn.scalar(first_pull) is not None,
        live=_counter(conn, live.select_from(ours)),
        mapped=_counter(conn, mapped),
        suggested=_count(conn, mappings, *waiting),
        ledger=_count(conn, theirs, theirs.c.integration == integration, theirs.c.active),
    )


def _counter(conn: Connection, query: Select[Any]) -> Counter[str]:
    return Counter({row.type: row.objects for row in conn.execute(query)})


def _count(conn: Connection, table: Table, *conditions: ColumnElement[bool]) -> int:
    return conn.scalar(select(func.count()).select_from(table).where(*conditions)) or 0


_Verdict = tuple[bool, str, str] | tuple[bool, str, str, str]


def _company(facts: Facts) -> _Verdict:
    fix = f"billcom connect {facts.integration} --company NAME ..."
    if facts.company is None:
        return False, f"there is no integration {facts.integration}", fix
    if not facts.company.strip():
        return False, "the integration names no company", fix
    return True, "attached to a company", "", excerpt(facts.company)


def _authenticated(facts: Facts) -> _Verdict:
    if facts.status == "connected":
        return True, "BILL accepted the login", ""
    if facts.status is None:
        return False, "nothing is connected", f"billcom connect {facts.integration} --company NAME ..."
    how = left(facts.integration, facts.status)
    if how is not None:
        return False, f"the integration is {how.state}", how.next_step
    said = excerpt(facts.status_message or "", limit=_MESSAGE)
    if facts.status == "pending":
        if facts.status_code is not None:
            return False, "BILL refuses the login for now", sign_in_command(facts.integration, facts.status_code), said
        return False, "the login was not tried yet", f"billcom validate {facts.integration}", said
    return (
        False,
        "the last login failed",
        sign_in_command(facts.integration, facts.status_code),
        said,
    )


def _vendors_pulled(facts: Facts) -> _Verdict:
    seed = f"billcom seed {facts.integration}"
    if not facts.vendors.is_pulled:
        return False, "vendors have not been pulled", seed
    if not facts.vendors.live:
        return False, "BILL has returned no vendors at all", f"add a vendor in BILL, then {seed}"
    return True, f"{facts.vendors.live.total()} vendors were pulled", ""


def _vendors_mapped(facts: Facts) -> _Verdict:
    vendors = facts.vendors
    found = f"{vendors.mapped.total()} of {vendors.live.total()} vendors are mapped"
    if vendors.mapped:
        return True, found, ""
    return False, found, _mapping_command(facts, vendors, "vendors")


def _accounts_pulled(facts: Facts) -> _Verdict:
    seed = f"billcom seed {facts.integration}"
    if not facts.accounts.is_pulled:
        return False, "the chart of accounts has not been pulled", seed
    if not facts.accounts.live:
        return False, "BILL has returned no accounts at all", f"add accounts in BILL, then {seed}"
    return True, f"{facts.accounts.live.total()} accounts were pulled", ""


def _accounts_mapped(facts: Facts) -> _Verdict:
    accounts = facts.accounts
    found = f"{accounts.mapped.total()} of {accounts.live.total()} accounts are mapped"
    if accounts.mapped:
        return True, found, ""
    return False, found, _mapping_command(facts, accounts, "accounts")


def _mapped_of(types: frozenset[AccountType], what: str) -> Callable[[Facts], _Verdict]:
    def check(facts: Facts) -> _Verdict:
        accounts = facts.accounts
        mapped = sum(accounts.mapped[type_] for type_ in types)
        live = sum(accounts.live[type_] for type_ in types)
        found = f"{mapped} of {live} {what} accounts are mapped"
        if mapped:
            return True, found, ""
        if accounts.is_pulled and not live:
            return False, found, f"add one in BILL, then billcom seed {facts.integration}"
        return False, found, _mapping_command(facts, accounts, "accounts")

    return check


def _mapping_command(facts: Facts, pulled: Pulled, file: str) -> str:
    accept = f"billcom mappings suggest {facts.integration} --accept exact"
    if not pulled.ledger:
        return f"billcom ledger import {facts.integration} --{file} FILE, then {accept}"
    if pulled.suggested:
        return f"{accept}, or decide by hand: billcom mappings export {facts.integration}"
    return accept


PREREQUISITES: tuple[Prerequisite, ...] = (
    Prerequisite(
        "company_attached",
        "Company",
        "The integration is attached to a company, whose ledger its data goes into.",
        "vendors",
        _company,
    ),
    Prerequisite(
        "authenticated",
        "Authentication",
        "The last login to BILL succeeded and the integration is connected.",
        "vendors",
        _authenticated,
    ),
    Prerequisite(
        "vendors_pulled",
        "Vendors",
        "Vendors have been pulled from BILL, and there is at least one.",
        "vendors",
        _vendors_pulled,
    ),
    Prerequisite(
        "vendors_mapped",
        "Vendor mapping",
        "At least one vendor of BILL is mapped to an active vendor of the ledger.",
        "vendors",
        _vendors_mapped,
    ),
    Prerequisite(
        "accounts_pulled",
        "Chart of accounts",
        "The chart of accounts has been pulled from BILL, and there is at least one account.",
        "accounts",
        _accounts_pulled,
    ),
    Prerequisite(
        "accounts_mapped",
        "Account mapping",
        "At least one account of BILL is mapped to an active account of the ledger.",
        "accounts",
        _accounts_mapped,
    ),
    Prerequisite(
        "payment_account_mapped",
        "Bank or credit card account",
        "At least one bank or credit card account of BILL is mapped: payments are made from it.",
        "accounts",
        _mapped_of(PAYMENT_TYPES, "bank and credit card"),
    ),
    Prerequisite(
        "expense_account_mapped",
        "Expense account",
        "At least one expense or cost of goods sold account of BILL is mapped: bills are charged to it.",
        "accounts",
        _mapped_of(EXPENSE_TYPES, "expense"),
    ),
    Prerequisite(
        "income_account_mapped",
        "Income account",
        "At least one income account of BILL is mapped: sales are booked to it.",
        "accounts",
        _mapped_of(INCOME_TYPES, "income"),
    ),
)
"""In the order in which a user meets them."""
