"""The words the invented companies are made of: names, places, charts of accounts, trades. Data only."""

from __future__ import annotations

from dataclasses import dataclass

ORGANIZATIONS = (
    "Harbor & Pine Studio LLC",
    "Meridian Field Services Inc",
    "Old Mill Coffee Roasters",
    "Bluebird Pediatrics PLLC",
    "Northgate Robotics Corp",
    "Sable Creek Outfitters",
)

# fmt: off
FIRST_NAMES = (
    "Ada", "Amara", "Ben", "Carla", "Dmitri", "Elena", "Farid", "Grace", "Hana", "Ines", "Jonah", "Keiko",
    "Liam", "Maya", "Nadia", "Omar", "Priya", "Quinn", "Rosa", "Samuel", "Tove", "Uma", "Victor", "Wren",
    "Ximena", "Yusuf", "Zoë", "José", "Chloé", "Søren",
)
LAST_NAMES = (
    "Adeyemi", "Becker", "Castillo", "Dubois", "Eriksen", "Fischer", "Gupta", "Haddad", "Ito", "Jansen",
    "Kowalski", "Lindqvist", "Moreau", "Nakamura", "O'Brien", "Petrov", "Quintero", "Rossi", "Schmidt",
    "Tanaka", "Ueda", "Vargas", "Walker", "Xu", "Yilmaz", "Zhang", "Müller", "Núñez",
)
COMPANY_HEADS = (
    "Alder", "Amber", "Anchor", "Apex", "Beacon", "Birch", "Bluff", "Canyon", "Cedar", "Cobalt", "Copper",
    "Crescent", "Delta", "Ember", "Evergreen", "Falcon", "Fern", "Granite", "Harvest", "Heron", "Indigo",
    "Ironwood", "Juniper", "Keystone", "Lakeside", "Lantern", "Lotus", "Maple", "Meadow", "Midtown", "Mosaic",
    "Nova", "Oakridge", "Onyx", "Orchard", "Palisade", "Pioneer", "Prairie", "Quarry", "Redwood", "Ridgeline",
    "Sage", "Summit", "Sterling", "Tidewater", "Timber", "Umber", "Vista", "Westfield", "Willow", "Yarrow",
    "Zenith",
)
# fmt: on
COMPANY_ENDINGS = ("LLC", "Inc", "Inc.", "Co", "Group", "Partners", "& Sons", "Corp", "")
ODD_COMPANY_NAMES = (
    'The "Good" Paper Co., Ltd',
    "Café Río & Söhne",
    "Smith, Jones & O'Hara LLP",
    "東京デザイン株式会社",
    "100% Pure Water",
    "A\\B Testing Lab",
    "Zażółć Studio sp. z o.o.",
    "Tab\tand  space Supply",
)
# fmt: off
STREETS = (
    "Oak", "Main", "Pine", "Market", "Mission", "Harbor", "Lake", "Hill", "River", "Church", "Elm", "Walnut",
    "Spruce", "Valley",
)
# fmt: on
CITIES = (
    ("San Jose", "CA", "95112"),
    ("Austin", "TX", "78701"),
    ("Portland", "OR", "97205"),
    ("Denver", "CO", "80202"),
    ("Chicago", "IL", "60607"),
    ("Atlanta", "GA", "30303"),
    ("Boston", "MA", "02110"),
    ("Seattle", "WA", "98101"),
)
FOREIGN_CITIES = {
    "EUR": (("Berlin", "BE", "10115", "DE", "Germany"), ("Lyon", "ARA", "69002", "FR", "France")),
    "CAD": (("Toronto", "ON", "M5V 2T6", "CA", "Canada"), ("Montréal", "QC", "H2Y 1C6", "CA", "Canada")),
}
RATES = {"EUR": ("1.0612", "1.1284"), "CAD": ("0.7188", "0.7544")}
"""Lowest and highest US dollars per unit over the history."""


@dataclass(frozen=True, slots=True)
class AccountSeed:
    """One account of the chart."""

    number: str
    name: str
    type: str
    parent: str = ""
    description: str = ""


CHART = (
    AccountSeed("1000", "Operating Checking", "BANK", description="Day-to-day bank account"),
    AccountSeed("1010", "Payroll Savings", "BANK"),
    AccountSeed("1050", "Money Out Clearing", "BANK", description="Payments on their way to vendors"),
    AccountSeed("1060", "Money In Clearing", "BANK", description="Receipts on their way from customers"),
    AccountSeed("1200", "Accounts Receivable", "ACCOUNTS_RECEIVABLE"),
    AccountSeed("1300", "Prepaid Expenses", "OTHER_CURRENT_ASSET"),
    AccountSeed("1310", "Prepaid Insurance", "OTHER_CURRENT_ASSET", parent="1300"),
    AccountSeed("1320", "Prepaid Software", "OTHER_CURRENT_ASSET", parent="1300"),
    AccountSeed("1400", "Inventory", "OTHER_CURRENT_ASSET"),
    AccountSeed("1500", "Equipment", "FIXED_ASSET"),
    AccountSeed("1510", "Computers", "FIXED_ASSET", parent="1500"),
    AccountSeed("1520", "Furniture", "FIXED_ASSET", parent="1500"),
    AccountSeed("1600", "Security Deposits", "OTHER_ASSET"),
    AccountSeed("2000", "Accounts Payable", "ACCOUNTS_PAYABLE"),
    AccountSeed("2100", "Company Card", "CREDIT_CARD"),
    AccountSeed("2200", "Sales Tax Payable", "OTHER_CURRENT_LIABILITY"),
    AccountSeed("2300", "Accrued Liabilities", "OTHER_CURRENT_LIABILITY"),
    AccountSeed("2700", "Equipment Loan", "LONG_TERM_LIABILITY"),
    AccountSeed("3000", "Owner's Equity", "EQUITY"),
    AccountSeed("4000", "Service Revenue", "INCOME"),
    AccountSeed("4100", "Product Revenue", "INCOME"),
    AccountSeed("4900", "Refunds & Allowances", "INCOME"),
    AccountSeed("5000", "Cost of Goods Sold", "COST_OF_GOODS_SOLD"),
    AccountSeed("5100", "Materials", "COST_OF_GOODS_SOLD", parent="5000"),
    AccountSeed("5200", "Subcontractors", "COST_OF_GOODS_SOLD", parent="5000"),
    AccountSeed("5300", "Freight", "COST_OF_GOODS_SOLD", parent="5000"),
    AccountSeed("6000", "Operating Expenses", "EXPENSE"),
    AccountSeed("6100", "Office Supplies", "EXPENSE", parent="6000", description="Paper, toner and what is used up"),
    AccountSeed("6110", "Printing", "EXPENSE", parent="6100"),
    AccountSeed("6200", "Rent", "EXPENSE", parent="6000"),
    AccountSeed("6300", "Utilities", "EXPENSE", parent="6000"),
    AccountSeed("6310", "Electricity", "EXPENSE", parent="6300"),
    AccountSeed("6320", "Water & Sewer", "EXPENSE", parent="6300"),
    AccountSeed("6330", "Internet & Telephone", "EXPENSE", parent="6300"),
    AccountSeed("6400", "Software", "EXPENSE", parent="6000"),
    AccountSeed("6500", "Legal & Accounting", "EXPENSE", parent="6000"),
    AccountSeed("6600", "Consultants", "EXPENSE", parent="6000"),
    AccountSeed("6700", "Travel", "EXPENSE", parent="6000"),
    AccountSeed("6710", "Meals", "EXPENSE", parent="6700"),
    AccountSeed("6800", "Advertising", "EXPENSE", parent="6000"),
    AccountSeed("6900", "Repairs & Maintenance", "EXPENSE", parent="6000"),
    AccountSeed("7000", "Interest Expense", "OTHER_EXPENSE"),
    AccountSeed("8000", "Interest Income", "OTHER_INCOME"),
    AccountSeed("9000", "Statistical Hours", "NON_POSTING"),
    AccountSeed("", "Ask My Accountant", "UNSPECIFIED", description="Not yet classified"),
    AccountSeed("6950", "Old Marketing Program", "EXPENSE", parent="6800"),
)
ARCHIVED_ACCOUNTS = frozenset({"6950", "2700"})
DUPLICATE_ACCOUNT = "6700"
"""A second account carries this one's name, as BILL allows."""


@dataclass(frozen=True, slots=True)
class Trade:
    """A kind of vendor: what it bills for, how often and how it is paid.

    Attributes:
        noun: Part of its name.
        accounts: Numbers of the accounts its lines go to.
        months_between: Billing rhythm in months; 0 for ``bills`` at random dates.
        bills: Fewest and most bills when there is no rhythm.
        cents: Lowest and highest amount of a line.
        lines: Fewest and most lines of a bill.
        terms: Days until due.
        paid_by: Usual disbursement type.
        goods: What a line says.
        currency: Currency of its bills.
        credits: It gives vendor credits.
        combine: Several of its bills are paid at once.
        person: A person, not a business.
        fixed: Every bill has the same amount.
    """

    noun: str
    accounts: tuple[str, ...]
    goods: tuple[str, ...]
    cents: tuple[int, int]
    lines: tuple[int, int]
    terms: int
    paid_by: str
    months_between: int = 0
    bills: tuple[int, int] = (0, 0)
    currency: str = "USD"
    credits: bool = False
    combine: bool = False
    person: bool = False
    fixed: bool = False


TRADES = (
    Trade("Properties", ("6200",), ("Office rent",), (180_000, 950_000), (1, 1), 5, "ACH", 1, fixed=True),
    Trade(
        "Paper Supply",
        ("6100", "6110", "5100"),
        ("Copy paper", "Toner", "Mailing boxes", "Labels"),
        (900, 42_000),
        (2, 5),
        30,
        "CHECK",
        bills=(18, 36),
        credits=True,
        combine=True,
    ),
    Trade("Electric", ("6310",), ("Electricity",), (9_000, 88_000), (1, 1), 21, "RPPS", 1),
    Trade("Consulting", ("6600", "5200"), ("Advisory", "Workshop"), (40_000, 900_000), (1, 3), 15, "ACH", bills=(1, 3)),
    Trade(
        "Wholesale",
        ("5100", "1400", "5300"),
        ("Assorted goods", "Freight", "Pallet", "Restocking"),
        (3_000, 260_000),
        (2, 6),
        45,
        "ACH",
        bills=(20, 40),
        credits=True,
        combine=True,
    ),
    Trade("Fiber", ("6330",), ("Internet service", "Static address"), (6_500, 24_000), (1, 2), 20, "VIRTUAL_CARD", 1),
    Trade(
        "Design",
        ("6800", "6600"),
        ("Illustration", "Brand work"),
        (25_000, 320_000),
        (1, 2),
        14,
        "CHECK",
        bills=(1, 2),
        person=True,
    ),
    Trade(
        "Werkzeuge",
        ("5100", "1500"),
        ("Precision parts", "Versand"),
        (12_000, 480_000),
        (1, 4),
        30,
        "INTERNATIONAL_E_PAYMENT",
        bills=(10, 20),
        currency="EUR",
        credits=True,
    ),
    Trade("Cloud Software", ("6400", "1320"), ("Subscription", "Usage"), (4_900, 150_000), (1, 2), 10, "ACH", 3),
    Trade("Legal", ("6500",), ("Counsel", "Filing fee"), (30_000, 600_000), (1, 3), 30, "CHECK", bills=(4, 10)),
    Trade(
        "Timber",
        ("5100",),
        ("Lumber", "Delivery"),
        (15_000, 380_000),
        (1, 4),
        30,
        "INTERNATIONAL_E_PAYMENT",
        bills=(8, 18),
        currency="CAD",
        combine=True,
    ),
    Trade("Water", ("6320",), ("Water and sewer",), (3_000, 19_000), (1, 1), 25, "CHECK", 2),
    Trade(
        "Repairs",
        ("6900", "1500"),
        ("Labor", "Spare parts"),
        (8_000, 140_000),
        (1, 3),
        15,
        "CHECK",
        bills=(1, 4),
        person=True,
    ),
    Trade(
        "Travel",
        ("6700", "6710"),
        ("Flights", "Lodging", "Meals"),
        (4_000, 210_000),
        (1, 4),
        7,
        "WALLET",
        bills=(6, 14),
    ),
)

DEPARTMENTS = ("Operations", "Sales", "Sales West", "Sales East", "Finance", "Engineering", "Research", "Support")
LOCATIONS = ("Headquarters", "Warehouse", "Warehouse Annex", "Downtown", "Remote")
ACCOUNTING_CLASSES = ("Retail", "Retail Online", "Wholesale", "Projects", "Grants", "Overhead")
JOBS = (
    "Lobby renovation",
    "Website relaunch",
    "Website relaunch Phase 2",
    "Spring catalog",
    "Plant upgrade",
    "Trade show",
    "Annual report",
)
ITEM_WORDS = ("Cable 2 m", "Support hour", "Consulting day", "Sensor kit", "Crate", "Sales tax", "Shipping", "Desk")
ITEM_TYPES = (
    "INVENTORY", "SERVICE", "SERVICE", "INVENTORY", "NON_INVENTORY", "SALES_TAX", "OTHER_CHARGE", "FIXED_ASSET",
)  # fmt: skip
USERS = (
    ("ADMINISTRATOR", False),
    ("ACCOUNTANT", False),
    ("APPROVER", False),
    ("PAYER", False),
    ("CLERK", False),
    ("AUDITOR", True),
)
"""Role and whether archived, one user each."""
BUILT_IN_ROLES = ("ADMINISTRATOR", "ACCOUNTANT", "PAYER", "APPROVER", "CLERK", "AUDITOR")
