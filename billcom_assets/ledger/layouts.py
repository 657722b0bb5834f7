"""The files that a ledger can be loaded from: their columns, and the headers that accounting programs give them."""

from __future__ import annotations

from billcom_assets.ledger.csv_files import Field, Layout

_ACTIVE = (
    Field("active", ("Active", "Is Active", "Active Status", "Status", "Account Status", "Enabled")),
    Field("inactive", ("Inactive", "Is Inactive", "Archived", "Is Archived", "Hidden", "Closed")),
)
_PARENT = (
    Field("parent number", ("Parent Number", "Parent Account Number", "Parent Code", "Parent ID")),
    Field(
        "parent",
        ("Parent", "Parent Account", "Parent Name", "Parent Account Name", "Subaccount of", "Child of", "Member of"),
    ),
)
_EMAIL = Field("e-mail", ("Email", "E-mail Address", "Main Email", "Primary Email", "Vendor Email", "Customer Email"))
_TAX_ID = Field(
    "tax id",
    (
        "Tax ID",
        "Tax ID Number",
        "Tax Identification Number",
        "Taxpayer ID",
        "Federal Tax ID",
        "TIN",
        "EIN",
        "1099 Tax ID",
        "Tax Number",
        "Tax Reg No",
        "VAT Number",
        "VAT Registration Number",
        "VAT Reg No",
        "VAT ID",
        "ABN",
    ),
)
_CURRENCY = Field("currency", ("Currency", "Currency Code", "Default Currency"))


def _party(kind: str, words: tuple[str, ...]) -> Layout:
    own = tuple(f"{word} {what}" for word in words for what in ("Number", "ID", "Code"))
    return Layout(
        kind,
        (
            Field("number", (*own, "ID", "Number", "Code", "A/C", "Account Ref", "Account Reference", "Entity ID")),
            Field(
                "name",
                (
                    *(f"{word} {what}" for word in words for what in ("Name", "Full Name")),
                    *words,
                    "Name",
                    "Display Name",
                    "Company Name",
                    "Company",
                    "Full Name",
                    "Account Name",
                    "Contact Name",
                    "Contact",
                ),
                required=True,
            ),
            _TAX_ID,
            _EMAIL,
            _CURRENCY,
            *_ACTIVE,
        ),
    )


ACCOUNTS = Layout(
    "accounts",
    (
        Field(
            "number",
            (
                "Account Number",
                "Acct Number",
                "Number",
                "Code",
                "Account Code",
                "GL Code",
                "GL Account",
                "GL Account Number",
                "Nominal Code",
                "N/C",
                "Ledger Code",
                "Account ID",
                "ACCNUM",
            ),
        ),
        Field(
            "name",
            (
                "Full Name",
                "Account Full Name",
                "Account Name",
                "Name",
                "Account",
                "Account Title",
                "Title",
                "Nominal Name",
                "Ledger Name",
                "Account Description",
            ),
            required=True,
        ),
        Field("type", ("Account Type", "Type", "ACCNTTYPE", "Account Category", "Category"), required=True),
        Field("description", ("Description", "Desc", "Memo", "Notes")),
        *_PARENT,
        *_ACTIVE,
    ),
)

VENDORS = _party("vendors", ("Vendor", "Supplier"))

CUSTOMERS = _party("customers", ("Customer", "Client"))

ITEMS = Layout(
    "items",
    (
        Field(
            "number",
            (
                "SKU",
                "Item Number",
                "Item Code",
                "Item ID",
                "Product Code",
                "Product Number",
                "Part Number",
                "Stock Code",
                "Number",
                "Code",
                "ID",
            ),
        ),
        Field(
            "name",
            (
                "Item Name",
                "Product/Service Name",
                "Product/Service",
                "Product/Service full name",
                "Product Name",
                "Full Name",
                "Name",
                "Item",
                "Display Name",
                "Item Description",
            ),
            required=True,
        ),
        Field("description", ("Description", "Purchase Description", "Purchases Description", "Sales Description")),
        Field(
            "account",
            (
                "Expense Account",
                "COGS Account",
                "Cost of Goods Sold Account",
                "Purchases Account",
                "Purchase Account",
                "Account",
                "GL Account",
                "Nominal Code",
                "Income Account",
                "Sales Account",
            ),
        ),
        *_ACTIVE,
    ),
)

DIMENSIONS = Layout(
    "dimensions",
    (
        Field("kind", ("Kind", "Dimension", "Dimension Type", "Type", "List", "Category"), required=True),
        Field(
            "number",
            (
                "Code",
                "Number",
                "ID",
                "Department ID",
                "Job ID",
                "Project ID",
                "Location ID",
                "Class ID",
                "Employee ID",
                "Employee Number",
            ),
        ),
        Field("name", ("Full Name", "Name", "Value", "Dimension Name", "Title", "Option"), required=True),
        _EMAIL,
        *_PARENT,
        *_ACTIVE,
    ),
)

LAYOUTS: dict[str, Layout] = {layout.kind: layout for layout in (ACCOUNTS, VENDORS, CUSTOMERS, ITEMS, DIMENSIONS)}

DIMENSION_KINDS: dict[str, tuple[str, ...]] = {
    "departments": ("department", "departments", "dept", "cost center", "cost centre", "cost centers", "cost centres"),
    "jobs": ("job", "jobs", "project", "projects", "customer job", "job/project", "project/job"),
    "locations": ("location", "locations", "store", "stores", "site", "sites", "branch", "branches", "location/store"),
    "accounting_classes": ("class", "classes", "accounting class", "accounting classes"),
    "employees": ("employee", "employees", "staff", "team member"),
}
"""Our name of each dimension, and what accounting programs call it."""
