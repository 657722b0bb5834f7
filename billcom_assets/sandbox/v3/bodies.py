"""The request bodies of v3, field by field. Data only."""

from __future__ import annotations

from billcom_assets.sandbox.books.fields import LINE_CLASSIFICATIONS
from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.kinds import (
    ACCOUNT_TYPES,
    ACCOUNTING_CLASSES,
    ACCOUNTS,
    DEPARTMENTS,
    EMPLOYEES,
    ITEM_TYPES,
    ITEMS,
    JOBS,
    LOCATIONS,
    Kind,
)
from billcom_assets.sandbox.schema import Changes, Record, array, day, flag, number, one_of, reference, text

AMOUNT = number(12)
QUANTITY = number(7)
PARTY_TYPE = one_of("BUSINESS", "PERSON", "NONE", "UNDEFINED")

CODING = Record(**dict.fromkeys(LINE_CLASSIFICATIONS, reference))
ADDRESS = Record(
    line1=text(200),
    line2=text(200),
    city=text(100),
    stateOrProvince=text(100),
    zipOrPostalCode=text(20),
    country=text(2),
    countryName=text(100),
)


class _Login(Record):
    """A login: with a password, or with the console token of an accounting firm's user in its place."""

    def missing(self, value: Doc) -> list[str]:
        """Names of the fields that are not there and must be."""
        by_console = bool(value.get("consoleApiToken"))
        return [name for name in super().missing(value) if not (by_console and name == "password")]


LOGIN = _Login(
    "username password organizationId devKey",
    username=text(),
    password=text(),
    consoleApiToken=text(),
    organizationId=text(),
    devKey=text(),
    rememberMeId=text(),
    device=text(),
)
STEP_UP = Record(rememberMeId=text(), device=text())

ACCOUNT_PART = Record(type=one_of(*ACCOUNT_TYPES), number=text(40))
ACCOUNT = Record("name", name=text(250), description=text(), parentId=reference, account=ACCOUNT_PART)
DIMENSION = Record("name", name=text(250), shortName=text(100), description=text(), parentId=reference)
EMPLOYEE = Record(
    "firstName lastName", firstName=text(100), lastName=text(100), shortName=text(100), parentId=reference
)
ITEM = Record(
    "name",
    type=one_of(*ITEM_TYPES),
    name=text(250),
    shortName=text(100),
    description=text(),
    parentId=reference,
    price=AMOUNT,
    chartOfAccountId=reference,
    expenseChartOfAccountId=reference,
    purchaseDescription=text(),
    purchaseCost=AMOUNT,
    taxable=flag,
    percentage=AMOUNT,
)
CLASSIFICATIONS: dict[Kind, Record] = {
    ACCOUNTS: ACCOUNT,
    ACCOUNTING_CLASSES: DIMENSION,
    DEPARTMENTS: DIMENSION,
    EMPLOYEES: EMPLOYEE,
    ITEMS: ITEM,
    JOBS: DIMENSION,
    LOCATIONS: DIMENSION,
}
ITEM_CHANGES = Changes(ITEM, lasting="type")
ACCOUNT_CHANGES = Changes(ACCOUNT, account=Changes(ACCOUNT_PART, lasting="type"))
CLASSIFICATION_CHANGES: dict[Kind, Changes] = {
    **{kind: Changes(body) for kind, body in CLASSIFICATIONS.items()},
    ITEMS: ITEM_CHANGES,
    ACCOUNTS: ACCOUNT_CHANGES,
}

VENDOR = Record(
    "name address",
    name=text(100),
    shortName=text(40),
    accountNumber=text(100),
    accountType=PARTY_TYPE,
    email=text(100),
    phone=text(40),
    address=ADDRESS,
    rppsId=text(40),
    billCurrency=text(3),
    additionalInfo=Record(
        taxId=text(40),
        taxIdType=text(40),
        track1099=flag,
        leadTimeInDays=number(3),
        combinePayments=flag,
        paymentTermId=reference,
        companyName=text(100),
    ),
)
VENDOR_CHANGES = Changes(VENDOR, lasting="accountType")

_LINE = Record(amount=AMOUNT, quantity=QUANTITY, price=AMOUNT, description=text(), classifications=CODING)
_LINE_CHANGES = Record(
    id=reference, amount=AMOUNT, quantity=QUANTITY, price=AMOUNT, description=text(), classifications=CODING
)
_INVOICE_OF_BILL = Record("invoiceNumber invoiceDate", invoiceNumber=text(100, or_number=True), invoiceDate=day)
BILL = Record(
    "vendorId dueDate billLineItems invoice",
    vendorId=reference,
    dueDate=day,
    billLineItems=array(_LINE),
    invoice=_INVOICE_OF_BILL,
    description=text(),
    payFromChartOfAccountId=reference,
    classifications=CODING,
    purchaseOrderNumber=text(100, or_number=True),
    vendorCredits=array(Record("id amount", id=reference, amount=AMOUNT)),
    billApprovals=flag,
)
BILL_CHANGES = Changes(BILL, billLineItems=array(_LINE_CHANGES), invoice=Changes(_INVOICE_OF_BILL))

RECORDED_PAYMENT = Record(
    "vendorId processDate payments",
    vendorId=reference,
    processDate=day,
    payments=array(Record("billId amount", billId=reference, amount=AMOUNT)),
    description=text(),
    toPrintCheck=flag,
    classifications=Record(chartOfAccountId=reference),
    syncReference=text(100),
    allowExport=flag,
)
PAYMENT = Record(
    "amount fundingAccount processingOptions billId",
    amount=AMOUNT,
    fundingAccount=Record("type", type=one_of("BANK_ACCOUNT", "CARD_ACCOUNT", "AP_CARD", "WALLET"), id=reference),
    processingOptions=Record(requestPayFaster=flag, createBill=flag, requestCheckDeliveryType=text(40)),
    billId=reference,
    processDate=day,
    description=text(),
    transactionNumber=text(100),
)
VOID = Record(
    "reason type",
    reason=text(),
    type=one_of("VOID_ONLY", "VOID_AND_CREDIT", "VOID_AND_REISSUE", "VOID_AND_REISSUE_VCARD"),
)

CREDIT = Record(
    "vendorId referenceNumber creditDate vendorCreditLineItems",
    vendorId=reference,
    referenceNumber=text(100, or_number=True),
    creditDate=day,
    vendorCreditLineItems=array(_LINE),
    description=text(),
    applyToChartOfAccountId=reference,
    applyToBankAccountId=reference,
)
CREDIT_CHANGES = Changes(CREDIT, vendorCreditLineItems=array(_LINE_CHANGES))

CUSTOMER = Record(
    "name email",
    name=text(100),
    email=text(100),
    companyName=text(100),
    phone=text(40),
    description=text(),
    accountNumber=text(100),
    billingAddress=ADDRESS,
    invoiceCurrency=text(3),
    accountType=PARTY_TYPE,
)
CUSTOMER_CHANGES = Changes(CUSTOMER)
INVOICE = Record(
    "customer invoiceLineItems",
    customer=Record("id", id=reference),
    invoiceLineItems=array(
        Record("price", id=reference, price=AMOUNT, quantity=QUANTITY, description=text(), classifications=CODING)
    ),
    invoiceNumber=text(100, or_number=True),
    invoiceDate=day,
    dueDate=day,
    salesTaxItemId=reference,
)

APPROVAL_ACTIONS = array(Record("billId action", billId=reference, action=one_of("APPROVE", "DENY"), comment=text()))
