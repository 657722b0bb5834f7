"""Groups of columns that several entities share: addresses, classifications, recurrence."""

from __future__ import annotations

from billcom_assets.entities.model import V2, Column, Stopgap, date, enum, integer, reference, text
from billcom_assets.entities.v2 import from_v2

ACCOUNT_TYPES = (
    "UNSPECIFIED",
    "ACCOUNTS_PAYABLE",
    "ACCOUNTS_RECEIVABLE",
    "BANK",
    "COST_OF_GOODS_SOLD",
    "CREDIT_CARD",
    "EQUITY",
    "EXPENSE",
    "FIXED_ASSET",
    "INCOME",
    "LONG_TERM_LIABILITY",
    "OTHER_ASSET",
    "OTHER_CURRENT_ASSET",
    "OTHER_CURRENT_LIABILITY",
    "OTHER_EXPENSE",
    "OTHER_INCOME",
    "NON_POSTING",
    "UNDEFINED",
)
"""Types of ledger accounts, in BILL's order."""

PARTY_TYPES = ("BUSINESS", "PERSON", "NONE", "UNDEFINED")
"""What a vendor or customer is in law."""

CREDIT_STATUSES = ("NOT_APPLIED", "PARTIALLY_APPLIED", "FULLY_APPLIED", "IN_PROCESS", "UNDEFINED")
"""How much of a credit has been used."""

WALLET = "WALLET"
"""The company's balance at BILL, of which an organization has at most one: it has no id in BILL, and this one here."""
FUNDING_TYPES = ("BANK_ACCOUNT", "CARD_ACCOUNT", WALLET, "AP_CARD")
"""Where the money of a payment comes from or goes to."""
UNLISTED_FUNDING = ("CARD_ACCOUNT", WALLET, "AP_CARD")
"""Kinds that BILL lists only in part: cards that the signed-in user may use, and no wallet."""

_CLASSIFICATIONS = {
    "chartOfAccountId": ("accounts", "Account of the chart of accounts"),
    "accountingClassId": ("accounting_classes", "Accounting class"),
    "departmentId": ("departments", "Department"),
    "employeeId": ("employees", "Employee"),
    "jobId": ("jobs", "Job or project"),
    "locationId": ("locations", "Location"),
    "itemId": ("items", "Product or service item"),
    "customerId": ("customers", "Customer"),
}


def classifications(*members: str, of: str) -> tuple[Column, ...]:
    """What ``of`` is coded to: one reference per member of BILL's ``classifications`` object.

    Args:
        members: BILL's names, for example ``chartOfAccountId``.
        of: The coded thing in words, for example ``the bill line``.
    """
    return tuple(_classification(member, of) for member in members)


def _classification(member: str, of: str) -> Column:
    entity, noun = _CLASSIFICATIONS[member]
    return reference(
        f"classifications.{member}",
        entity,
        f"{noun} that {of} is coded to (id in {entity}); null when {of} carries no such coding.",
    )


def address(path: str, *, of: str) -> tuple[Column, ...]:
    """A postal address.

    Args:
        path: Place of the address object, for example ``billingAddress``.
        of: Whose address it is, in words, for example ``the vendor's address``.
    """
    return (
        text(f"{path}.line1", f"Street and number of {of}; null when none is on file.", sensitive=True),
        text(f"{path}.line2", f"Suite, floor or other second line of {of}; null when there is none.", sensitive=True),
        text(f"{path}.city", f"City of {of}; null when none is on file."),
        text(f"{path}.stateOrProvince", f"State or province code of {of}; null in countries without one."),
        text(f"{path}.zipOrPostalCode", f"ZIP or postal code of {of}; null when none is on file.", sensitive=True),
        text(f"{path}.country", f"Two-letter ISO 3166 country code of {of}; null when none is on file."),
        text(f"{path}.countryName", f"Country of {of} in English; null when BILL gives only the code."),
    )


def schedule(*, of: str) -> tuple[Column, ...]:
    """The recurrence of a template.

    Args:
        of: What the template creates, in words, for example ``bill``.
    """
    return (
        enum(
            "schedule.period",
            ("NONE", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"),
            f"Unit of the interval between two {of}s; NONE when the template does not repeat.",
        ),
        integer(
            "schedule.frequency",
            f"How many periods lie between two {of}s: 2 with WEEKLY means every other week.",
        ),
        date("schedule.nextDueDate", f"Due date of the next {of} that BILL will create; null when none is to come."),
        date("schedule.endDate", f"Last day on which BILL may create a {of}; null when it repeats without end."),
        integer("schedule.daysInAdvance", f"How many days before its due date BILL creates each {of}."),
    )


def created_by(of: str) -> Column:
    """Who entered an object.

    Args:
        of: The object in words, for example ``the bill``.
    """
    return reference(
        "createdBy",
        "users",
        f"User who entered {of} in BILL (id in users; ids that begin with syu are sync tokens, not people); "
        "null for objects that BILL did not record it for.",
    )


def merged_into(entity: str, noun: str) -> Column:
    """The survivor of a merger, which only v2 names.

    Args:
        entity: The entity itself.
        noun: One of its objects in words, for example ``vendor``.
    """
    return from_v2(
        reference(
            "mergedIntoId",
            entity,
            f"The {noun} that this one was merged into (id in {entity}), which older documents still name; null when "
            "it was not merged and where BILL's v2 API cannot be asked.",
        )
    )


def merges(v2_name: str, *stopgaps: Stopgap) -> V2:
    """What v2 adds to an entity whose objects may be merged.

    Args:
        v2_name: v2's name of the entity.
        stopgaps: What else it knows.
    """
    return V2((v2_name,), stopgaps=stopgaps)
