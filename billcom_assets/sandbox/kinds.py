"""The twenty kinds of object: paths, id prefixes, what their lists filter and sort by, and their keys.

Written from BILL's documentation and third-party reports, on its own and not from the entity catalog:
where the two differ, a test of the catalog against the sandbox shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

EQUAL = frozenset({"eq", "ne"})
MEMBER = frozenset({"eq", "ne", "in"})
MEMBER_OR_NOT = frozenset({"eq", "ne", "in", "nin"})
OWNER = frozenset({"eq", "in"})
ORDER = frozenset({"gt", "gte", "lt", "lte"})
ONLY = frozenset({"eq"})
NAME = frozenset({"eq", "sw"})

TIMES: Mapping[str, frozenset[str]] = MappingProxyType({"createdTime": ORDER, "updatedTime": ORDER})
TIME_SORTS = frozenset({"createdTime", "updatedTime"})

BILL_PAYMENT_STATUS = frozenset(
    {"UNPAID", "PAID", "PARTIALLY_PAID", "SCHEDULED", "PARTIALLY_SCHEDULED", "IN_PROCESS", "UNDEFINED"}
)
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
)
"""Chart-of-account types in the order of their v2 digits."""

ITEM_TYPES = (
    "UNSPECIFIED",
    "SERVICE",
    "INVENTORY",
    "NON_INVENTORY",
    "PAYMENT",
    "DISCOUNT",
    "SALES_TAX",
    "SALES_TAX_GROUP",
    "SUBTOTAL",
    "OTHER_CHARGE",
    "INVENTORY_ASSEMBLY",
    "GROUP",
    "FIXED_ASSET",
)
ROLE_TYPES = (
    "ADMINISTRATOR",
    "ACCOUNTANT",
    "PAYER",
    "APPROVER",
    "CLERK",
    "AUDITOR",
    "CUSTOM",
    "INTERNAL",
    "MEMBER",
    "NO_ACCESS",
    "PARTNER",
    "PURCHASE_REQUESTER",
    "REVIEWER",
    "UNDEFINED",
)
_PARTY_TYPES = frozenset({"BUSINESS", "PERSON", "NONE", "UNDEFINED"})


@dataclass(frozen=True, kw_only=True, eq=False)
class Kind:
    """One kind of object.

    Attributes:
        path: Its list under ``/v3``, for example ``/v3/bills``.
        prefix: First three characters of its ids.
        noun: What BILL's messages call it.
        filters: Filterable field to the operators it takes.
        sorts: Sortable fields.
        values: Enum values that a filter on the field may name.
        dates: Filterable fields that hold calendar dates.
        keys: Every documented top-level key, in BILL's order.
        status_keys: Top-level enum keys, which an unknown value may stand in.
        lines: Key of the object's line items, "" if it has none.
        paths: Filter field to its path in the object where the two differ.
        timeless: The official tables give its list no time filter.
    """

    path: str
    prefix: str
    noun: str
    filters: Mapping[str, frozenset[str]]
    sorts: frozenset[str]
    keys: tuple[str, ...]
    values: Mapping[str, frozenset[str]] = field(default_factory=dict)
    dates: frozenset[str] = frozenset()
    status_keys: tuple[str, ...] = ()
    lines: str = ""
    paths: Mapping[str, str] = field(default_factory=dict)
    timeless: bool = False


def _keys(text: str) -> tuple[str, ...]:
    return (*text.split(), "createdTime", "updatedTime")


BILLS = Kind(
    path="/v3/bills",
    prefix="00n",
    noun="Bill",
    filters={
        "id": MEMBER,
        "archived": EQUAL,
        "vendorId": OWNER,
        "dueDate": ORDER,
        "paymentStatus": MEMBER,
        "approvalStatus": ONLY,
        "payFromChartOfAccountId": MEMBER,
        **{
            f"classifications.{key}": MEMBER
            for key in ("chartOfAccountId", "accountingClassId", "departmentId", "locationId", "itemId")
        },
        **TIMES,
    },
    sorts=TIME_SORTS | {"archived", "fundingAmount", "exchangeRate", "description", "dueDate"},
    values={
        "paymentStatus": BILL_PAYMENT_STATUS,
        "approvalStatus": frozenset({"UNASSIGNED", "ASSIGNED", "APPROVING", "APPROVED", "DENIED"}),
    },
    dates=frozenset({"dueDate"}),
    keys=_keys(
        "id archived recordStatus vendorId vendorName amount fundingAmount exchangeRate paidAmount dueAmount"
        " scheduledAmount creditAmount description dueDate invoice billLineItems payFromChartOfAccountId"
        " classifications paymentStatus approvalStatus purchaseOrderNumber createdBy"
    ),
    status_keys=("paymentStatus", "approvalStatus", "recordStatus"),
    lines="billLineItems",
)
PAYMENTS = Kind(
    path="/v3/payments",
    prefix="stp",
    noun="Payment",
    filters={"id": MEMBER, "vendorId": MEMBER, "processDate": ORDER, "transactionNumber": MEMBER, **TIMES},
    sorts=TIME_SORTS
    | {"description", "processDate", "amount", "confirmationNumber", "onlinePayment", "disbursementStatus"},
    dates=frozenset({"processDate"}),
    keys=_keys(
        "amount id vendorId vendorName billId billPayments description processDate fundingAccount processingOptions"
        " transactionNumber confirmationNumber status exchangeRate fundingAmount onlinePayment disbursementType"
        " disbursementStatus remittanceEmail createdBy voidInfo disbursementInfo cancelRequestSubmitted singleStatus"
        " paymentPurpose cardFundingPurpose"
    ),
    status_keys=("status", "singleStatus", "disbursementStatus", "disbursementType"),
    lines="billPayments",
)
VENDORS = Kind(
    path="/v3/vendors",
    prefix="009",
    noun="Vendor",
    filters={
        "id": MEMBER,
        "archived": EQUAL,
        "name": NAME,
        "accountType": MEMBER_OR_NOT,
        "address.country": EQUAL,
        "billCurrency": MEMBER_OR_NOT,
        "paymentStatus": MEMBER_OR_NOT,
        **TIMES,
    },
    sorts=TIME_SORTS | {"archived", "name", "shortName", "email", "phone", "billCurrency"},
    values={"accountType": _PARTY_TYPES, "paymentStatus": BILL_PAYMENT_STATUS},
    keys=_keys(
        "archived id name shortName accountNumber accountType email phone address paymentInformation additionalInfo"
        " rppsId bankAccountStatus networkStatus recurringPayments billCurrency balance autoPay"
    ),
    status_keys=("accountType", "bankAccountStatus", "networkStatus"),
)
VENDOR_CREDITS = Kind(
    path="/v3/vendor-credits",
    prefix="vcr",
    noun="VendorCredit",
    filters={"id": MEMBER, "archived": EQUAL, "vendorId": OWNER, **TIMES},
    sorts=TIME_SORTS | {"archived", "creditDate", "amount", "appliedAmount"},
    keys=_keys(
        "id vendorId referenceNumber creditDate description archived applyToChartOfAccountId applyToBankAccountId"
        " amount appliedAmount status vendorCreditLineItems usage"
    ),
    status_keys=("status",),
    lines="vendorCreditLineItems",
)
RECURRING_BILLS = Kind(
    path="/v3/recurringbills",
    prefix="rbl",
    noun="RecurringBill",
    filters={"id": MEMBER, "archived": EQUAL, "vendorId": OWNER},
    sorts=frozenset({"archived", "description"}),
    keys=_keys("archived id recurringBillLineItems schedule vendorId description processingOptions paymentInformation"),
    lines="recurringBillLineItems",
    timeless=True,
)
INVOICES = Kind(
    path="/v3/invoices",
    prefix="00e",
    noun="Invoice",
    filters={
        "id": MEMBER,
        "archived": EQUAL,
        "customerId": OWNER,
        "payToChartOfAccountId": MEMBER,
        **{f"classifications.{key}": MEMBER for key in ("accountingClassId", "departmentId", "locationId", "itemId")},
        **TIMES,
    },
    sorts=TIME_SORTS | {"archived", "invoiceNumber", "invoiceDate", "dueDate", "totalAmount"},
    keys=_keys(
        "id archived recordStatus invoiceNumber invoiceDate dueDate customerId totalAmount dueAmount scheduledAmount"
        " creditAmount status exchangeRate invoiceLineItems payToChartOfAccountId payments classifications"
        " salesTaxItemId salesTaxTotal salesTaxPercentage enableCardPayment convenienceFee invoicePdfId createdBy"
    ),
    status_keys=("status", "recordStatus"),
    lines="invoiceLineItems",
)
CUSTOMERS = Kind(
    path="/v3/customers",
    prefix="0cu",
    noun="Customer",
    filters={
        "id": MEMBER,
        "archived": EQUAL,
        "name": NAME,
        "accountType": MEMBER_OR_NOT,
        "address.country": EQUAL,
        "invoiceCurrency": MEMBER_OR_NOT,
        "paymentStatus": MEMBER_OR_NOT,
        **TIMES,
    },
    sorts=TIME_SORTS | {"archived", "name", "companyName", "email", "phone", "fax", "description", "invoiceCurrency"},
    values={"accountType": _PARTY_TYPES, "paymentStatus": BILL_PAYMENT_STATUS},
    keys=_keys(
        "email name id archived companyName contact phone fax description invoiceCurrency accountType paymentTermId"
        " accountNumber billingAddress shippingAddress balance authorizedToCharge"
    ),
    status_keys=("accountType",),
    paths={"address.country": "billingAddress.country"},
)
RECEIVABLE_PAYMENTS = Kind(
    path="/v3/receivable-payments",
    prefix="0rp",
    noun="ReceivedPay",
    filters={"id": MEMBER, "customerId": OWNER, **TIMES},
    sorts=TIME_SORTS | {"amount"},
    keys=_keys(
        "amount id customerId invoicePayments description paymentDate fundingAccount receivablesAccount"
        " unappliedAmount convenienceFeeAmount receivablesType status referenceNumber onlinePayment"
    ),
    status_keys=("status", "receivablesType"),
    lines="invoicePayments",
)
CREDIT_MEMOS = Kind(
    path="/v3/credit-memos",
    prefix="crm",
    noun="CreditMemo",
    filters={"id": MEMBER, "archived": EQUAL, "customerId": OWNER, **TIMES},
    sorts=TIME_SORTS | {"archived", "creditDate", "amount", "appliedAmount"},
    keys=_keys(
        "id customerId referenceNumber creditDate description archived salesTaxItemId payToChartOfAccountId"
        " payToBankAccountId amount appliedAmount salesTaxTotal salesTaxPercentage status creditMemoLineItems"
        " classifications usage"
    ),
    status_keys=("status",),
    lines="creditMemoLineItems",
)
RECURRING_INVOICES = Kind(
    path="/v3/recurring-invoices",
    prefix="riv",
    noun="RecurringInvoice",
    filters={"id": MEMBER, "archived": EQUAL, "customerId": OWNER},
    sorts=frozenset({"archived"}),
    keys=_keys("id customerId description archived schedule recurringInvoiceLineItems classifications sendEmail"),
    lines="recurringInvoiceLineItems",
    timeless=True,
)

_CLASSIFICATION_FILTERS = {"id": MEMBER, "archived": EQUAL, "name": NAME, **TIMES}
_CLASSIFICATION_SORTS = TIME_SORTS | {"archived", "name", "description"}


def _dimension(path: str, prefix: str, noun: str) -> Kind:
    return Kind(
        path=f"/v3/classifications/{path}",
        prefix=prefix,
        noun=noun,
        filters=_CLASSIFICATION_FILTERS,
        sorts=_CLASSIFICATION_SORTS,
        keys=_keys("id archived name shortName description parentId"),
    )


ACCOUNTS = Kind(
    path="/v3/classifications/chart-of-accounts",
    prefix="0ca",
    noun="ChartOfAccount",
    filters=_CLASSIFICATION_FILTERS,
    sorts=_CLASSIFICATION_SORTS,
    keys=_keys("id archived name description parentId account"),
)
DEPARTMENTS = _dimension("departments", "0de", "Department")
LOCATIONS = _dimension("locations", "loc", "Location")
JOBS = _dimension("jobs", "job", "Job")
ACCOUNTING_CLASSES = _dimension("accounting-classes", "cls", "ActgClass")
ITEMS = Kind(
    path="/v3/classifications/items",
    prefix="0ii",
    noun="Item",
    filters=_CLASSIFICATION_FILTERS,
    sorts=_CLASSIFICATION_SORTS,
    keys=_keys(
        "id archived type name shortName description parentId price chartOfAccountId expenseChartOfAccountId"
        " purchaseDescription purchaseCost taxable percentage"
    ),
    status_keys=("type",),
)
EMPLOYEES = Kind(
    path="/v3/classifications/employees",
    prefix="emp",
    noun="Employee",
    filters={"id": MEMBER, "archived": EQUAL, **TIMES},
    sorts=TIME_SORTS | {"archived", "firstName", "lastName"},
    keys=_keys("id archived firstName lastName shortName parentId"),
)
USERS = Kind(
    path="/v3/users",
    prefix="006",
    noun="User",
    filters={"id": MEMBER, "archived": EQUAL, "role.type": ONLY, "updatedTime": ORDER},
    sorts=TIME_SORTS | {"archived", "firstName", "lastName"},
    values={"role.type": frozenset(ROLE_TYPES)},
    keys=_keys("id archived firstName lastName email role"),
)
ROLES = Kind(
    path="/v3/roles",
    prefix="0po",
    noun="Profile",
    filters={"id": MEMBER},
    sorts=TIME_SORTS | {"description"},
    keys=_keys("id type description"),
    status_keys=("type",),
)
BANK_ACCOUNTS = Kind(
    path="/v3/funding-accounts/banks",
    prefix="bac",
    noun="BankAccount",
    filters={
        "id": MEMBER,
        "archived": EQUAL,
        "status": MEMBER_OR_NOT,
        "type": EQUAL,
        "ownerType": EQUAL,
        "accessToAdmins": EQUAL,
        **TIMES,
    },
    sorts=TIME_SORTS | {"archived", "nameOnAccount", "bankName", "accessToAdmins"},
    values={
        "status": frozenset({"NOT_VERIFIED", "VERIFIED", "PENDING", "BLOCKED", "EXPIRED", "INVALID", "UNDEFINED"}),
        "type": frozenset({"CHECKING", "SAVINGS"}),
        "ownerType": frozenset({"BUSINESS", "PERSONAL"}),
    },
    keys=_keys(
        "id archived status createdBy routingNumber accountNumber nameOnAccount type ownerType bankName"
        " accessToAdmins default chartOfAccountId"
    ),
    status_keys=("status",),
)

KINDS = (
    BILLS,
    PAYMENTS,
    VENDORS,
    VENDOR_CREDITS,
    RECURRING_BILLS,
    INVOICES,
    CUSTOMERS,
    RECEIVABLE_PAYMENTS,
    CREDIT_MEMOS,
    RECURRING_INVOICES,
    ACCOUNTS,
    DEPARTMENTS,
    LOCATIONS,
    ITEMS,
    EMPLOYEES,
    JOBS,
    ACCOUNTING_CLASSES,
    USERS,
    ROLES,
    BANK_ACCOUNTS,
)
BY_PATH: Mapping[str, Kind] = {kind.path: kind for kind in KINDS}
BOOLEANS = frozenset({"archived", "accessToAdmins", "onlinePayment"})


def kind_at(path: str) -> Kind:
    """The kind whose list is at ``path``; ``/v3`` may be left off.

    Raises:
        KeyError: No list is there; the message names those that are.
    """
    full = path if path.startswith("/v3/") else f"/v3/{path.strip('/')}"
    try:
        return BY_PATH[full]
    except KeyError:
        raise KeyError(f"no list at {path}; there are {', '.join(BY_PATH)}") from None
