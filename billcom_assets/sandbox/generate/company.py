"""One organization: who it is, how to log in, and its complete books."""

from __future__ import annotations

from dataclasses import dataclass

from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.faults import Fault
from billcom_assets.sandbox.generate import vocabulary
from billcom_assets.sandbox.generate.companion import Companion
from billcom_assets.sandbox.generate.payables import add_payables
from billcom_assets.sandbox.generate.receivables import add_receivables
from billcom_assets.sandbox.generate.reference import (
    add_access,
    add_accounts,
    add_banks,
    add_dimensions,
    add_employees,
    add_items,
)
from billcom_assets.sandbox.ids import IdSource
from billcom_assets.sandbox.kinds import CUSTOMERS, Kind
from billcom_assets.sandbox.settings import Settings
from billcom_assets.sandbox.table import Row


@dataclass(frozen=True, slots=True)
class Login:
    """A pair that ``POST /v3/login`` and ``Login.json`` accept.

    Attributes:
        username: E-mail of a user, or the name of a sync token.
        password: Password of the user, or the value of the token.
        user_id: ``006...`` of the user, ``syu...`` of the token's system user.
        is_token: Whether it is a sync token.
    """

    username: str
    password: str
    user_id: str
    is_token: bool


@dataclass(frozen=True, slots=True)
class Company:
    """What a generator makes of one organization."""

    id: str
    name: str
    slug: str
    user: Login
    token: Login
    remember_me_id: str
    device: str
    profile: Doc
    rows: dict[Kind, list[Row]]
    ids: IdSource
    account_ids: dict[str, str]
    """Account number to id, for the accounts every company has."""
    default_bank: str
    user_ids: dict[str, str]
    """Role type to user id."""


def make_company(settings: Settings, number: int) -> Company:
    """The organization with this number (from 0), the same for the same settings.

    Logins: user ``admin@<slug>.example`` with password ``sandbox-password-<number + 1>``; sync token
    ``sandbox-sync-<number + 1>`` with value ``sandbox-token-<number + 1>``.
    """
    ids = IdSource(f"{settings.seed}/{number}", case_twins=settings.faults.rate(Fault.CASE_TWIN_IDS) > 0)
    companion = Companion(settings, number, ids)
    name = vocabulary.ORGANIZATIONS[number % len(vocabulary.ORGANIZATIONS)]
    if number >= len(vocabulary.ORGANIZATIONS):
        name = f"{name} {number + 1}"
    slug = "-".join("".join(char if char.isalnum() else " " for char in name.lower()).split())
    organization_id = ids.new("008")
    _fill(companion, number, slug, name)
    return Company(
        id=organization_id,
        name=name,
        slug=slug,
        user=Login(
            f"admin@{slug}.example",
            f"sandbox-password-{number + 1}",
            companion.references.users["ADMINISTRATOR"],
            is_token=False,
        ),
        token=Login(f"sandbox-sync-{number + 1}", f"sandbox-token-{number + 1}", ids.new("syu"), is_token=True),
        remember_me_id=f"sandbox-remember-me-{number + 1}",
        device="sandbox-device",
        profile=_profile(companion, organization_id, name),
        rows=companion.rows,
        ids=ids,
        account_ids=companion.references.accounts,
        default_bank=companion.references.banks[0],
        user_ids=companion.references.users,
    )


def _fill(companion: Companion, number: int, slug: str, name: str) -> None:
    bills = companion.settings.bills
    add_access(companion, number, slug)
    add_accounts(companion, extra=min(bills // 500, 300))
    add_dimensions(companion, extra_jobs=bills // 300)
    add_items(companion, extra=bills // 60)
    add_employees(companion, count=3 + bills // 50)
    add_banks(companion, name)
    companion.references.terms = [companion.ids.new("00p") for _ in range(3)]
    companion.references.card = companion.ids.new("cat")
    if not bills:
        return
    customers = max(2, bills // 16)
    companion.references.customers = [companion.new_id(CUSTOMERS) for _ in range(customers)]
    add_payables(companion, bills)
    add_receivables(companion, customers, invoices=bills * 2 // 5)


def _profile(companion: Companion, organization_id: str, name: str) -> Doc:
    return {
        "id": organization_id,
        "archived": False,
        "name": name,
        "address": companion.address(),
        "phone": companion.phone(),
        "taxId": f"*****{companion.rng.randint(1000, 9999)}",
        "taxIdType": "EIN",
        "accountType": "BUSINESS",
        "processingOptions": {"mailingAddressSameAsPhysical": True},
        "createdTime": "2023-01-02T09:00:00.000+00:00",
        "updatedTime": "2023-01-02T09:00:00.000+00:00",
    }
