"""What documents are coded to: the chart of accounts, items and the accounting dimensions."""

from __future__ import annotations

from billcom_assets.entities.columns import ACCOUNT_TYPES, merged_into, merges
from billcom_assets.entities.model import (
    Column,
    Entity,
    Group,
    Stopgap,
    Walk,
    enum,
    flag,
    money,
    number,
    reference,
    text,
)


def _parent(entity: str, noun: str) -> Column:
    return reference(
        "parentId",
        entity,
        f"{noun} directly above this one (id in {entity}); null at the top, and also when BILL withholds the parent.",
    )


def _dimension(entity: str, noun: str) -> tuple[Column, ...]:
    lower = noun.lower()
    return (
        text("name", f"Name of the {lower} as users pick it when they code a document."),
        text("shortName", f"Short name or code of the {lower}; null when none was given."),
        text("description", f"Free text that explains the {lower}; null when nobody wrote one."),
        _parent(entity, noun),
    )


ACCOUNTS = Entity(
    name="accounts",
    singular="account",
    path="/v3/classifications/chart-of-accounts",
    id_prefix="0ca",
    is_mandatory=True,
    group=Group.REFERENCE,
    walk=Walk.INCREMENTAL,
    in_seed=True,
    description="BILL's chart of accounts: the accounts that bills, invoices and payments are booked on.",
    docs="https://developer.bill.com/reference/listclassificationchartofaccounts",
    columns=(
        text("name", "Name of the account; BILL does not force it to be unique."),
        text("description", "Free text that explains what is booked on the account; null when nobody wrote one."),
        _parent("accounts", "Account"),
        enum(
            "account.type",
            ACCOUNT_TYPES,
            "Kind of account, which decides where it stands in the balance sheet or the income statement.",
        ),
        text("account.number", "Account number as text, leading zeros kept; null when the company uses no numbers."),
        merged_into("accounts", "account"),
    ),
    v2=merges("ChartOfAccount", Stopgap("parentId", "parentChartOfAccountId")),
)

ITEMS = Entity(
    name="items",
    singular="item",
    path="/v3/classifications/items",
    id_prefix="0ii",
    group=Group.REFERENCE,
    walk=Walk.WINDOWED,
    in_seed=True,
    description="Products, services, taxes and charges that lines of bills and invoices name.",
    docs="https://developer.bill.com/reference/listclassificationitems",
    columns=(
        enum(
            "type",
            (
                "UNSPECIFIED",
                "SERVICE",
                "INVENTORY",
                "NON_INVENTORY",
                "PAYMENT",
                "DISCOUNT",
                "SALES_TAX",
                "SUBTOTAL",
                "OTHER_CHARGE",
                "INVENTORY_ASSEMBLY",
                "GROUP",
                "SALES_TAX_GROUP",
                "FIXED_ASSET",
                "UNDEFINED",
            ),
            "What the item is: something bought or sold, a charge, a discount or a tax.",
        ),
        text("name", "Name of the item as users pick it on a line."),
        text("shortName", "Short name or stock code of the item; null when none was given."),
        text("description", "Text that the item puts on lines of invoices; null when nobody wrote one."),
        _parent("items", "Item"),
        money("price", "Usual selling price of one unit, in the company's home currency; null when it varies."),
        reference(
            "chartOfAccountId",
            "accounts",
            "Income account that sales of the item are booked on (id in accounts); null when it is not sold.",
        ),
        reference(
            "expenseChartOfAccountId",
            "accounts",
            "Expense account that purchases of the item are booked on (id in accounts); null when it is not bought.",
        ),
        text("purchaseDescription", "Text that the item puts on lines of bills; null when nobody wrote one."),
        money("purchaseCost", "Usual cost of one unit, in the company's home currency; null when it varies."),
        flag("taxable", "True when sales tax is computed on sales of the item."),
        number(
            "percentage", "Rate in percent for items that are a share, such as taxes and discounts: 8.25 is 8.25 %."
        ),
    ),
)

DEPARTMENTS = Entity(
    name="departments",
    singular="department",
    path="/v3/classifications/departments",
    id_prefix="0de",
    group=Group.CLASSIFICATION,
    walk=Walk.INCREMENTAL,
    in_seed=True,
    description="Departments of the company, a dimension that lines are coded to.",
    docs="https://developer.bill.com/reference/listclassificationdepartments",
    columns=_dimension("departments", "Department"),
)

JOBS = Entity(
    name="jobs",
    singular="job",
    path="/v3/classifications/jobs",
    id_prefix="job",
    group=Group.CLASSIFICATION,
    walk=Walk.INCREMENTAL,
    in_seed=True,
    description="Jobs or projects, a dimension that lines are coded to.",
    docs="https://developer.bill.com/reference/listclassificationjobs",
    columns=_dimension("jobs", "Job"),
)

LOCATIONS = Entity(
    name="locations",
    singular="location",
    path="/v3/classifications/locations",
    id_prefix="loc",
    group=Group.CLASSIFICATION,
    walk=Walk.INCREMENTAL,
    in_seed=True,
    description="Locations such as branches or stores, a dimension that lines are coded to.",
    docs="https://developer.bill.com/reference/listclassificationlocations",
    columns=_dimension("locations", "Location"),
)

ACCOUNTING_CLASSES = Entity(
    name="accounting_classes",
    singular="accounting_class",
    path="/v3/classifications/accounting-classes",
    id_prefix="cls",
    group=Group.CLASSIFICATION,
    walk=Walk.INCREMENTAL,
    in_seed=True,
    description="Accounting classes such as lines of business, a dimension that lines are coded to.",
    docs="https://developer.bill.com/reference/listclassificationaccountingclasses",
    columns=(
        *_dimension("accounting_classes", "Accounting class"),
        merged_into("accounting_classes", "accounting class"),
    ),
    v2=merges("ActgClass", Stopgap("parentId", "parentActgClassId")),
)

EMPLOYEES = Entity(
    name="employees",
    singular="employee",
    path="/v3/classifications/employees",
    id_prefix="emp",
    group=Group.CLASSIFICATION,
    walk=Walk.WINDOWED,
    in_seed=True,
    description="Employees as a dimension that lines are coded to; they need not be users of BILL.",
    docs="https://developer.bill.com/reference/listclassificationemployees",
    columns=(
        text("firstName", "First name of the employee; null when only a last name was entered.", sensitive=True),
        text("lastName", "Last name of the employee; null when only a first name was entered.", sensitive=True),
        text("shortName", "Initials or short name of the employee; null when none was given.", sensitive=True),
        _parent("employees", "Employee"),
        merged_into("employees", "employee"),
    ),
    v2=merges("Employee"),
)
