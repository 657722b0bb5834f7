"""Accounts payable: vendors, what is owed to them and how it is paid."""

from __future__ import annotations

from billcom_assets.entities.columns import (
    CREDIT_STATUSES,
    FUNDING_TYPES,
    PARTY_TYPES,
    UNLISTED_FUNDING,
    WALLET,
    address,
    classifications,
    created_by,
    merged_into,
    merges,
    schedule,
)
from billcom_assets.entities.model import (
    V2,
    Child,
    Entity,
    Group,
    Opening,
    OtherList,
    Pick,
    Settles,
    StandIns,
    Stopgap,
    Voids,
    Walk,
    date,
    enum,
    flag,
    integer,
    money,
    nested,
    number,
    reference,
    text,
    timestamp,
)
from billcom_assets.entities.v2 import APPROVAL, from_v2

_PAY_BY_TYPES = (
    "ACH",
    "CHECK",
    "INTERNATIONAL_E_PAYMENT",
    "OFFLINE",
    "RPPS",
    "UNDEFINED",
    "VIRTUAL_CARD",
    "WALLET",
)
_ALTERNATE_PAY_BY_TYPES = (
    "ACH",
    "AMEX",
    "CHECK",
    "CREDIT_CARD",
    "INTERNATIONAL_E_PAYMENT",
    "OFFLINE",
    "PAYPAL",
    "RPPS",
    "UNDEFINED",
    "VIRTUAL_CARD",
    "WALLET",
)
_VIRTUAL_CARD_STATUSES = (
    "OPEN",
    "PENDING",
    "ENROLLED",
    "CONFIRMED",
    "DECLINED",
    "ON_HOLD",
    "RECRUITING",
    "PAYER_ASSIST",
    "PAY_FOR_YOUR_OPPORTUNITY",
    "PHONE_NUMBER_NEEDED",
    "REQUIRE_MORE_INFO",
    "VERBAL_COMMITMENT",
    "UNKNOWN",
    "UNDEFINED",
)
_BANK_ACCOUNT_STATUSES = ("NOT_VERIFIED", "VERIFIED", "PENDING", "BLOCKED", "EXPIRED", "INVALID", "UNDEFINED")
_FUNDING_STATUSES = (*_BANK_ACCOUNT_STATUSES, "ACTIVE", "INACTIVE", "DRAFT")
_SINGLE_STATUSES = (
    "SCHEDULED",
    "READY_TO_FUND",
    "FUNDING_STARTED",
    "PROCESSED",
    "SENT",
    "DISBURSEMENT_ON_HOLD",
    "DELIVERED",
    "EXPIRING",
    "PARTIALLY_CLAIMED",
    "CLEARED",
    "DISBURSEMENT_FAILED_ACTION_NEEDED",
    "DISBURSEMENT_FAILED_VENDOR_BANK_REJECTED",
    "FUNDING_FAILED_ACTION_NEEDED",
    "CANCELLATION_IN_PROGRESS",
    "CANCELED",
    "VOID_PENDING",
    "VOIDED",
    "FUNDING_FAILED_VOIDED",
    "FUNDS_ESCHEATED",
    "UNDEFINED",
)
_UNDONE = ("VOID", "CANCELLED", "CANCELED")
"""Statuses of payments that came to nothing."""

VENDORS = Entity(
    name="vendors",
    singular="vendor",
    path="/v3/vendors",
    id_prefix="009",
    is_mandatory=True,
    group=Group.REFERENCE,
    walk=Walk.WINDOWED,
    in_seed=True,
    description="Everyone the company buys from or owes money to, with how BILL pays them. One row per vendor.",
    docs="https://developer.bill.com/reference/listvendors",
    columns=(
        text("name", "Vendor name as it appears in BILL and on reports."),
        text("shortName", "Short name or code that users search the vendor by; null when none was given."),
        text(
            "accountNumber",
            "The company's own customer number at this vendor, quoted on payments; null when unknown.",
            sensitive=True,
        ),
        enum(
            "accountType",
            PARTY_TYPES,
            "Whether the vendor is a business or a person, which decides tax forms and bank account rules.",
        ),
        text(
            "email",
            "Address to which BILL writes about payments and network invitations; null when none is on file.",
            sensitive=True,
        ),
        text("phone", "Telephone number of the vendor as typed; null when none is on file.", sensitive=True),
        *address("address", of="the vendor's address"),
        text(
            "paymentInformation.payeeName",
            "Name that checks are made out to; null when it was never set up to be paid.",
        ),
        text(
            "paymentInformation.email",
            "Address that receives the remittance advice of payments; null when the vendor's own address is used.",
            sensitive=True,
        ),
        text(
            "paymentInformation.lastPaymentDate",
            "Day of the latest payment as BILL writes it, usually yyyy-mm-dd; null when never paid through BILL.",
        ),
        enum(
            "paymentInformation.payByType",
            _PAY_BY_TYPES,
            "How the next payment would reach the vendor; a new vendor starts with CHECK.",
        ),
        enum(
            "paymentInformation.payBySubType",
            ("ACH", "IACH", "LOCAL", "MULTIPLE", "NONE", "UNDEFINED", "WIRE"),
            "Finer kind of electronic payment, mostly for international vendors; null where it does not apply.",
        ),
        enum(
            "paymentInformation.virtualCard.status",
            _VIRTUAL_CARD_STATUSES,
            "How far the vendor is in accepting virtual card payments; null when it was never asked.",
        ),
        text(
            "paymentInformation.virtualCard.remitEmail",
            "Address that receives the virtual card details; null without a virtual card enrolment.",
            sensitive=True,
        ),
        timestamp(
            "paymentInformation.virtualCard.enrollDate",
            "When the vendor agreed to virtual card payments (UTC); null when it did not.",
        ),
        timestamp(
            "paymentInformation.virtualCard.declineDate",
            "When the vendor declined virtual card payments (UTC); null when it did not.",
        ),
        enum(
            "paymentInformation.virtualCard.alternatePayByType",
            _ALTERNATE_PAY_BY_TYPES,
            "How the vendor is paid when a virtual card cannot be used; null without a virtual card enrolment.",
        ),
        text(
            "paymentInformation.bankAccount.nameOnAccount",
            "Holder of the bank account that the vendor is paid to; null when BILL has no bank account.",
            sensitive=True,
        ),
        text(
            "paymentInformation.bankAccount.accountNumber",
            "Number of the bank account that the vendor is paid to; BILL may mask it; null without one.",
            sensitive=True,
        ),
        text(
            "paymentInformation.bankAccount.routingNumber",
            "Routing number of the vendor's bank; null without a bank account or with an IBAN.",
            sensitive=True,
        ),
        enum(
            "paymentInformation.bankAccount.type",
            ("CHECKING", "SAVINGS"),
            "Whether the vendor's bank account is a checking or a savings account; null without one.",
        ),
        enum(
            "paymentInformation.bankAccount.ownerType",
            ("BUSINESS", "PERSON", "PERSONAL"),
            "Whether the vendor's bank account belongs to a business or a person; null without one.",
        ),
        text(
            "paymentInformation.bankAccount.paymentCurrency",
            "ISO 4217 code of the currency that arrives in the vendor's bank account; null without one.",
        ),
        enum(
            "paymentInformation.bankAccount.status",
            _BANK_ACCOUNT_STATUSES,
            "Whether BILL has verified the vendor's bank account; null without one or when BILL does not say.",
        ),
        text(
            "paymentInformation.paymentPurpose.text",
            "Reason for payment that some countries demand, in words; null for domestic vendors.",
        ),
        text(
            "paymentInformation.paymentPurpose.code.name",
            "Label of the reason for payment in the country's own list; null for domestic vendors.",
        ),
        text(
            "paymentInformation.paymentPurpose.code.value",
            "Code of the reason for payment in the country's own list; null for domestic vendors.",
        ),
        text(
            "additionalInfo.taxId",
            "Tax identification number for 1099 reporting; BILL may mask it; null when none is on file.",
            sensitive=True,
        ),
        enum(
            "additionalInfo.taxIdType",
            ("EIN", "SSN", "UNDEFINED"),
            "Whether the tax number is an employer (EIN) or a social security number (SSN).",
        ),
        flag("additionalInfo.track1099", "True when payments to this vendor count for US form 1099."),
        integer(
            "additionalInfo.leadTimeInDays",
            "Days before the due date on which payments to this vendor should start; null when the default applies.",
        ),
        flag(
            "additionalInfo.combinePayments",
            "True when several bills due together are paid in one payment; one payment then covers many bills.",
        ),
        text(
            "additionalInfo.paymentTermId",
            "BILL's id of the agreed payment terms, such as net 30; the terms themselves are not mirrored.",
        ),
        text("additionalInfo.companyName", "Legal name when it differs from the display name; null when not given."),
        text(
            "rppsId",
            "Id of the vendor in Mastercard's biller network (RPPS); null when it is not a national biller there.",
        ),
        enum(
            "bankAccountStatus",
            ("NO_ACCOUNT", "NET_LINKED_ACCOUNT", "NO_NET_LINKED_ACCOUNT", "UNDEFINED"),
            "Whether BILL holds a bank account for the vendor; NET_LINKED when the vendor itself maintains it.",
        ),
        enum(
            "networkStatus",
            ("NOT_CONNECTED", "PENDING", "CONNECTED", "CONNECTED_RPPS"),
            "Whether the vendor is connected to the company in BILL's payment network.",
        ),
        flag("recurringPayments", "True when recurring payments to this vendor are set up in BILL."),
        text(
            "billCurrency",
            "ISO 4217 code of the currency of this vendor's bills, credits and balance; USD unless set otherwise.",
        ),
        money(
            "balance.amount",
            "What BILL counts as owed to the vendor, in bill_currency; it may lag behind the open bills.",
        ),
        timestamp(
            "balance.lastUpdatedDate",
            "When BILL last computed the vendor's balance (UTC); null when it never did.",
        ),
        flag("autoPay.enabled", "True when BILL pays this vendor's approved bills without anybody scheduling them."),
        reference(
            "autoPay.bankAccountId",
            "funding_accounts",
            "Bank account that automatic payments draw on (id in funding_accounts); null when auto-pay is off.",
        ),
        reference(
            "autoPay.createdBy",
            "users",
            "User who switched on automatic payment (id in users); null when auto-pay was never on.",
        ),
        money(
            "autoPay.maxAmount",
            "Largest bill that is paid automatically, in bill_currency; null when there is no ceiling.",
        ),
        integer(
            "autoPay.daysBeforeDueDate",
            "How many days before the due date an automatic payment is started; null when auto-pay is off.",
        ),
        merged_into("vendors", "vendor"),
    ),
    v2=merges("Vendor"),
)

FUNDING_ACCOUNTS = Entity(
    name="funding_accounts",
    singular="funding_account",
    path="/v3/funding-accounts/banks",
    id_prefix="bac",
    is_mandatory=True,
    group=Group.REFERENCE,
    walk=Walk.INCREMENTAL,
    in_seed=True,
    # A card is listed for the users who may use it, by how far they are in being allowed to.
    other_lists=(
        OtherList(
            "/v3/funding-accounts/cards",
            ("kind", "CARD_ACCOUNT"),
            member="cards",
            queries=((("cardUserStatus", "VERIFIED"),), (("cardUserStatus", "NOMINATED"),)),
        ),
        OtherList("/v3/funding-accounts/ap-cards", ("kind", "AP_CARD")),
    ),
    description="Everything that payments leave from and receipts arrive in: the company's own bank accounts and "
    "cards, and its balance at BILL. One row per account.",
    docs="https://developer.bill.com/reference/listbankaccounts",
    columns=(
        enum(
            "kind",
            FUNDING_TYPES,
            "What kind of account it is: a bank account, a card from elsewhere (CARD_ACCOUNT), a card of BILL's "
            "(AP_CARD), or the company's balance at BILL (WALLET), of which there is one row with the id WALLET. "
            "BILL has a list for each kind but no such field: it is added to the payload of all but bank accounts.",
            absent="BANK_ACCOUNT",
        ),
        text(
            "namedBy",
            "Entity whose objects name the account, for one that no list of BILL's has shown, such as the wallet or "
            "another user's card: of it nothing but id and kind is known. Null for listed accounts; not BILL's field.",
        ),
        enum(
            "status",
            _FUNDING_STATUSES,
            "Whether the account can be used: bank accounts and cards once VERIFIED, cards of BILL's while ACTIVE.",
        ),
        created_by("the account"),
        text(
            "routingNumber",
            "Routing number of the company's bank; null for cards and when BILL withholds it.",
            sensitive=True,
        ),
        text(
            "accountNumber",
            "Number of the company's bank account, of which BILL may mask all but the last digits; null for cards.",
            sensitive=True,
        ),
        text("nameOnAccount", "Holder of the account as the bank or the card knows it.", sensitive=True),
        enum(
            "type",
            ("CHECKING", "SAVINGS", "CREDIT_CARD", "DEBIT_CARD", "PREPAID_CARD", "UNDEFINED"),
            "Whether a bank account is for checking or savings, or what kind of card it is; null for cards of BILL's.",
        ),
        enum(
            "ownerType",
            ("BUSINESS", "PERSONAL"),
            "Whether a bank account belongs to the business or to a person; null for cards.",
        ),
        text("bankName", "Bank that holds the account; null for cards and when BILL could not name it."),
        flag(
            "accessToAdmins",
            "True when every administrator of the BILL organization may pay from the bank account; null for cards.",
        ),
        flag("default.payables", "True when payments to vendors leave from this account unless chosen otherwise."),
        flag("default.receivables", "True when customer payments arrive in this account unless chosen otherwise."),
        flag("default.funding", "True when this card pays for what is paid by card unless chosen otherwise."),
        flag("default.disbursement", "True when money paid out to a card goes to this one unless chosen otherwise."),
        reference(
            "chartOfAccountId",
            "accounts",
            "Account of the chart of accounts that the bank account or card is booked on (id in accounts), by v3 or, "
            "where that names none, by v2; null when it was not linked.",
        ),
        text("issuingBankName", "Bank that issued the card; null for bank accounts."),
        text("brand", "Network of the card, such as Visa; null for bank accounts."),
        text("last4", "Last four digits of the card; null for bank accounts.", sensitive=True),
        integer("expiration.year", "Year in which the card expires; null for bank accounts."),
        integer("expiration.month", "Month of that year, 1 to 12, at whose end the card expires; null without one."),
        money("balance", "What has been spent on a card of BILL's and not been paid yet, in US dollars; else null."),
        money("limit", "Ceiling of a card of BILL's, in US dollars; null for all others.", name="credit_limit"),
    ),
    v2=V2(
        ("BankAccount", "CardAccount"),
        is_short=True,
        stopgaps=(Stopgap("chartOfAccountId", "chartOfAccountId"),),
    ),
)

BILLS = Entity(
    name="bills",
    singular="bill",
    path="/v3/bills",
    id_prefix="00n",
    is_mandatory=True,
    group=Group.PAYABLES,
    walk=Walk.WINDOWED,
    cutoff="invoice_date",
    opening=Opening(
        party="vendor_id",
        currency="bill_currency",
        number="invoice_number",
        amount="amount",
        open=("due_amount", "scheduled_amount"),
        excluded=(("record_status", ("DRAFT", "DRAFT_DELETED")),),
    ),
    gated=True,
    touches=(("vendorId", "vendors"),),
    description="Invoices received from vendors: what is owed, to whom, by when and whether it was approved and paid.",
    docs="https://developer.bill.com/reference/listbills",
    columns=(
        enum(
            "recordStatus",
            ("ACTIVE", "INACTIVE", "DRAFT", "DRAFT_DELETED"),
            "Where the record is in its life: drafts are not owed yet; INACTIVE and DRAFT_DELETED are out of use. "
            "Null for organizations where BILL does not send it.",
        ),
        reference("vendorId", "vendors", "Vendor the bill is owed to (id in vendors)."),
        text("vendorName", "Name of the vendor when BILL sent the bill; vendors.name is the current one."),
        money("amount", "Total of the bill in the vendor's bill_currency, before credits and payments."),
        money("fundingAmount", "Total of the bill in US dollars; null for bills that are in US dollars anyway."),
        number(
            "exchangeRate",
            "Rate between the bill's currency and US dollars, as BILL gives it; null for US dollar bills.",
        ),
        money("paidAmount", "Part of the bill that payments have settled, in the vendor's bill_currency."),
        money(
            "dueAmount",
            "Part of the bill still owed after credits, scheduled and cleared payments, in the vendor's bill_currency.",
        ),
        money("scheduledAmount", "Part of the bill covered by payments not yet made, in the vendor's bill_currency."),
        money("creditAmount", "Part of the bill settled by vendor credits, in the vendor's bill_currency."),
        text("description", "Free text on the bill as a whole; null when nobody wrote one."),
        date("dueDate", "Day by which the vendor wants the money; the basis of payables ageing."),
        text("invoice.invoiceNumber", "The vendor's own number on the invoice, used to spot duplicates."),
        date(
            "invoice.invoiceDate",
            "Date on the vendor's invoice; the posting date, and the date that the cutoff looks at.",
        ),
        reference(
            "payFromChartOfAccountId",
            "accounts",
            "Account that the company expects to pay the bill from, such as that of a bank account (id in accounts); "
            "not the payables account, which BILL does not send. Null when nobody chose one.",
        ),
        *classifications(
            "chartOfAccountId",
            "accountingClassId",
            "departmentId",
            "locationId",
            "itemId",
            of="the bill as a whole",
        ),
        enum(
            "paymentStatus",
            (
                "UNPAID",
                "PARTIALLY_SCHEDULED",
                "SCHEDULED",
                "IN_PROCESS",
                "PARTIALLY_PAID",
                "PAID",
                "UNDEFINED",
            ),
            "How far payment has come; it can change when a payment does, without the bill's updated time moving.",
        ),
        enum(
            "approvalStatus",
            ("UNASSIGNED", "ASSIGNED", "APPROVING", "APPROVED", "DENIED", "UNDEFINED"),
            "How far approval has come: UNASSIGNED when nobody has to approve, ASSIGNED when somebody still must. "
            "By v3 or, where that does not say, by v2.",
        ),
        enum(
            "approvalStatusSource",
            ("v3", "v2"),
            "Which of BILL's APIs the approval status is from; null when neither says. Not BILL's field.",
        ),
        from_v2(
            date(
                "glPostingDate",
                "Day on which the bill counts in the general ledger, where BILL knows one; null where it does not and "
                "where its v2 API cannot be asked: then the invoice date counts.",
            )
        ),
        from_v2(
            reference(
                "apAccountId",
                "accounts",
                "Accounts payable account that BILL holds the bill on (id in accounts); null where its v2 API does not "
                "say.",
            )
        ),
        from_v2(
            reference(
                "payFromBankAccountId",
                "funding_accounts",
                "Bank account that the company expects to pay the bill from (id in funding_accounts); null when nobody "
                "chose one and where BILL's v2 API does not say.",
            )
        ),
        text("purchaseOrderNumber", "Purchase order that the bill answers; null when it was bought without one."),
        created_by("the bill"),
    ),
    children=(
        Child(
            "bill_line_items",
            "billLineItems",
            "Lines of a bill: what was bought and where it is booked. They add up to the bill's amount or nearly so.",
            (
                text("id", "BILL's id of the line; it changes when the bill's lines are replaced."),
                money("amount", "Cost of the line in the vendor's bill_currency; it wins over quantity times price."),
                number("quantity", "How many units were bought; null when the line has only an amount."),
                money(
                    "price", "Price of one unit in the vendor's bill_currency; null when the line has only an amount."
                ),
                text("description", "What was bought, in the words on the line; null when nobody wrote any."),
                *classifications(
                    "chartOfAccountId",
                    "accountingClassId",
                    "departmentId",
                    "employeeId",
                    "jobId",
                    "locationId",
                    "itemId",
                    "customerId",
                    of="the bill line",
                ),
            ),
        ),
        Child(
            "bill_approvals",
            "approvers",
            "Who has to approve a bill and what they decided, by v3 where it says so, else by v2; those of bills that "
            "were decided before the first sync are not asked for.",
            (
                reference(
                    "userId",
                    "users",
                    "User who has to decide (id in users); an id that begins with agp is a group of approvers.",
                ),
                enum(
                    "status",
                    ("WAITING", "VIEWED", "UPCOMING", "APPROVED", "DENIED", "REROUTED", "STALE", "UNDEFINED"),
                    "What this approver has decided so far; WAITING means that it is their turn or will be.",
                ),
                integer("approverOrder", "Place in the approval chain, counted from 0; equal numbers decide together."),
                timestamp(
                    "statusChangedTime",
                    "When this approver's status last changed (UTC); null when they have not acted.",
                ),
            ),
        ),
    ),
    v2=V2(
        ("Bill",),
        stopgaps=(
            Stopgap("approvalStatus", "approvalStatus", APPROVAL, tells=True),
            Stopgap("payFromChartOfAccountId", "payFromChartOfAccountId"),
        ),
        has_approvers=True,
    ),
)

VENDOR_CREDITS = Entity(
    name="vendor_credits",
    singular="vendor_credit",
    path="/v3/vendor-credits",
    id_prefix="vcr",
    is_mandatory=True,
    group=Group.PAYABLES,
    walk=Walk.WINDOWED,
    cutoff="credit_date",
    opening=Opening(
        party="vendor_id",
        currency="bill_currency",
        number="reference_number",
        amount="amount",
        open=("amount",),
        applied=("applied_amount",),
        settles=Settles("vendor_credit_usages", "bill_id", "amount"),
    ),
    gated=True,
    touches=(("usage.billId", "bills"), ("vendorId", "vendors")),
    # Whether using a credit moves its own updated time is not published.
    settled=(("status", ("FULLY_APPLIED",)),),
    description="Amounts that vendors owe back, such as for returned goods, and that reduce payments on their bills.",
    docs="https://developer.bill.com/reference/listvendorcredits",
    columns=(
        reference("vendorId", "vendors", "Vendor that gave the credit (id in vendors)."),
        text("referenceNumber", "The vendor's own number on the credit note; null when it had none."),
        date("creditDate", "Date on the credit note; the posting date, and the date that the cutoff looks at."),
        text("description", "Free text on the credit as a whole; null when nobody wrote one."),
        reference(
            "applyToChartOfAccountId",
            "accounts",
            "Account that the credit is expected to be settled on when the vendor settles it outside BILL "
            "(id in accounts); not the payables account. Null when a bank account or nothing was chosen.",
        ),
        reference(
            "applyToBankAccountId",
            "funding_accounts",
            "Bank account that the credit is expected to be associated with (id in funding_accounts); "
            "it does not say that money arrived there. Null when another account or nothing was chosen.",
        ),
        money("amount", "Total of the credit in the vendor's bill_currency, as a positive number."),
        money("appliedAmount", "Part of the credit already used on bills, in the vendor's bill_currency."),
        enum("status", CREDIT_STATUSES, "How much of the credit has been used on bills."),
        from_v2(
            enum(
                "approvalStatus",
                tuple(word for _, word in APPROVAL),
                "How far approval has come, as for bills; null where BILL's v2 API cannot be asked, because v3 does "
                "not say.",
            )
        ),
        from_v2(
            date(
                "glPostingDate",
                "Day on which the credit counts in the general ledger, where BILL knows one; null where it does not "
                "and where its v2 API cannot be asked: then the credit date counts.",
            )
        ),
        from_v2(
            number(
                "exchangeRate",
                "Rate between the credit's currency and US dollars; null for US dollars and where BILL's v2 API cannot "
                "be asked.",
            )
        ),
    ),
    v2=V2(("VendorCredit",), words=(("approvalStatus", APPROVAL),)),
    children=(
        Child(
            "vendor_credit_line_items",
            "vendorCreditLineItems",
            "Lines of a vendor credit: what is credited and where it is booked.",
            (
                text("id", "BILL's id of the line; it changes when the credit's lines are replaced."),
                text("description", "What is credited, in the words on the line; null when nobody wrote any."),
                money("amount", "Amount of the line in the vendor's bill_currency, as a positive number."),
                *classifications(
                    "chartOfAccountId",
                    "accountingClassId",
                    "departmentId",
                    "jobId",
                    "locationId",
                    "itemId",
                    "employeeId",
                    "customerId",
                    of="the credit line",
                ),
            ),
        ),
        Child(
            "vendor_credit_usages",
            "usage",
            "Which bills a vendor credit was used on, and how much of it. One row per bill and payment.",
            (
                reference("billId", "bills", "Bill that the credit was used on (id in bills)."),
                reference(
                    "paymentId",
                    "vendor_payments",
                    "Payment in which the credit was used (id in vendor_payments); "
                    "null when it was applied to the bill directly.",
                ),
                money("amount", "How much of the credit this bill used, in the vendor's bill_currency."),
            ),
        ),
    ),
)

VENDOR_PAYMENTS = Entity(
    name="vendor_payments",
    singular="vendor_payment",
    path="/v3/payments",
    id_prefix="stp",
    is_mandatory=True,
    group=Group.PAYABLES,
    walk=Walk.WINDOWED,
    cutoff="process_date",
    voids=Voids(
        status=("status", _UNDONE),
        requests="voidInfo",
        accepted=("status", "ACCEPTED"),
        times=("updatedTime", "createdTime"),
    ),
    opening=Opening(
        party="vendor_id",
        currency="bill_currency",
        number="transaction_number",
        amount="amount",
        excluded=(("status", (*_UNDONE, "SCHEDULED", "APPROVING")),),
        settles=Settles("vendor_payment_bills", "bill_id", "amount", only_document="bill_id"),
    ),
    gated=True,
    touches=(
        ("billId", "bills"),
        ("billPayments.billId", "bills"),
        ("billPayments.vendorCredits.id", "vendor_credits"),
        ("vendorId", "vendors"),
    ),
    # CLEARED is left out on purpose: an ACH payment is CLEARED when it is sent and can still be rejected by the bank.
    settled=(("single_status", ("CANCELED", "VOIDED", "FUNDING_FAILED_VOIDED", "FUNDS_ESCHEATED")),),
    final_after_days=180,
    stand_ins=(StandIns("funding_account_id", "funding_account_type", UNLISTED_FUNDING),),
    description="Money paid to vendors, through BILL or recorded as paid elsewhere. One row per payment.",
    docs="https://developer.bill.com/reference/listpayments",
    columns=(
        reference("vendorId", "vendors", "Vendor that is paid (id in vendors)."),
        text("vendorName", "Name of the vendor when BILL sent the payment; vendors.name is the current one."),
        reference(
            "billId",
            "bills",
            "Bill that is paid when the payment covers just one (id in bills); "
            "null when it covers several, see vendor_payment_bills.",
        ),
        money("amount", "Amount of the payment in the vendor's bill_currency."),
        money(
            "fundingAmount",
            "What leaves the company's funding account, in US dollars; null when BILL does not convert.",
        ),
        number(
            "exchangeRate", "Rate between the vendor's currency and US dollars that BILL paid at; 1 for US dollars."
        ),
        text("description", "Free text on the payment, often the bill numbers; null when there is none."),
        date("processDate", "Day on which the company's account is debited, and the date that the cutoff looks at."),
        enum(
            "fundingAccount.type",
            FUNDING_TYPES,
            "What kind of account the money comes from; null for payments recorded as made outside BILL.",
        ),
        reference(
            "fundingAccount.id",
            "funding_accounts",
            "Account the money comes from (id in funding_accounts); the id WALLET for the company's balance at BILL, "
            "to which BILL gives none; null for payments recorded as made outside BILL.",
            or_kind=("fundingAccount.type", WALLET),
        ),
        flag("processingOptions.requestPayFaster", "True when BILL was asked to deliver faster against a fee."),
        flag("processingOptions.createBill", "True when BILL made the bill together with the payment."),
        enum(
            "processingOptions.requestCheckDeliveryType",
            ("STANDARD", "UPS_1DAY", "UPS_2DAY", "UPS_3DAY", "RTP_DELIVERY"),
            "How fast a check should travel; null when the payment is not a check.",
        ),
        text("transactionNumber", "Reference of the payment given by whoever made it, or by BILL when they gave none."),
        text("confirmationNumber", "Number with which BILL confirmed the payment; null until it did."),
        enum(
            "status",
            ("SCHEDULED", "APPROVING", "PAID", "VOID", "CANCELLED", "UNDEFINED"),
            "Stage of the payment on the payer's side; single_status tells the whole journey.",
        ),
        enum(
            "singleStatus",
            _SINGLE_STATUSES,
            "Where the payment is between being scheduled and reaching the vendor. CLEARED is not final: "
            "a bank can still reject an ACH payment.",
        ),
        enum(
            "disbursementStatus",
            ("DONE", "HOLD", "FAILED", "UNDEFINED"),
            "Stage of the payment on its way to the vendor; null until money is under way.",
        ),
        enum(
            "disbursementType",
            (
                "ACH",
                "CHECK",
                "RPPS",
                "VIRTUAL_CARD",
                "WALLET",
                "AMEX",
                "CREDIT_CARD",
                "PAYPAL",
                "OFFLINE",
                "INTERNATIONAL_E_PAYMENT",
                "UNDEFINED",
            ),
            "How the money reaches the vendor; OFFLINE means that it was paid outside BILL.",
        ),
        flag("disbursementInfo.isVoidable", "True while the payment can still be voided in BILL."),
        date("disbursementInfo.checkDisbursement.sentDate", "Day the check was mailed; null when it is not a check."),
        date(
            "disbursementInfo.checkDisbursement.arrivesByDate",
            "Day by which the check should arrive; null when it is not a check.",
        ),
        integer(
            "disbursementInfo.checkDisbursement.checkNumber",
            "Number printed on the check; null when it is not a check or not printed yet.",
        ),
        date(
            "disbursementInfo.achDisbursement.sentDate",
            "Day the bank transfer (ACH) was sent; null for other kinds of payment.",
        ),
        date(
            "disbursementInfo.achDisbursement.arrivesByDate",
            "Day by which the bank transfer (ACH) should arrive; null for other kinds of payment.",
        ),
        date(
            "disbursementInfo.rppsDisbursement.sentDate",
            "Day the payment went to the biller network (RPPS); null for other kinds of payment.",
        ),
        date(
            "disbursementInfo.rppsDisbursement.arrivesByDate",
            "Day by which the biller network (RPPS) should deliver; null for other kinds of payment.",
        ),
        integer(
            "disbursementInfo.rppsDisbursement.traceNumber",
            "Number to trace the payment with in the biller network (RPPS); null for other kinds of payment.",
        ),
        integer(
            "disbursementInfo.rppsDisbursement.batchNumber",
            "Batch in which the payment went to the biller network (RPPS); null for other kinds of payment.",
        ),
        date(
            "disbursementInfo.internationalDisbursement.sentDate",
            "Day the international payment was sent; null for domestic payments.",
        ),
        date(
            "disbursementInfo.internationalDisbursement.arrivesByDate",
            "Day by which the international payment should arrive; null for domestic payments.",
        ),
        money(
            "disbursementInfo.internationalDisbursement.amount",
            "What the vendor's bank receives, in that bank account's currency; null for domestic payments.",
        ),
        enum(
            "disbursementInfo.internationalDisbursement.disbursementSubType",
            ("NONE", "LOCAL", "IACH", "WIRE"),
            "Route of an international payment: local transfer, international ACH or wire; null for domestic ones.",
            name="disbursement_info_international_disbursement_sub_type",
        ),
        date(
            "disbursementInfo.vcardDisbursement.arrivesByDate",
            "Day by which the vendor gets the virtual card; null for other kinds of payment.",
        ),
        date(
            "disbursementInfo.vcardDisbursement.validUntil",
            "Day after which the vendor can no longer charge the virtual card; null for other kinds of payment.",
        ),
        text(
            "disbursementInfo.vcardDisbursement.last4CardNumber",
            "Last four digits of the virtual card; null for other kinds of payment.",
            sensitive=True,
            name="disbursement_info_vcard_disbursement_last4_card_number",
        ),
        date(
            "disbursementInfo.walletDisbursement.arrivesByDate",
            "Day by which the money is in the vendor's BILL balance; null for other kinds of payment.",
        ),
        flag("onlinePayment", "True when BILL moves the money; false when a payment made elsewhere was only recorded."),
        text(
            "remittanceEmail",
            "Address that received the remittance advice of this payment; null when none was sent.",
            sensitive=True,
        ),
        nested(
            "voidInfo",
            "Requests to void the payment, as BILL sends them: who asked, type, status, reason and times; "
            "an empty list when nobody asked.",
        ),
        text("paymentPurpose.text", "Reason for payment that some countries demand, in words; null when not demanded."),
        text(
            "paymentPurpose.code.name", "Label of the reason for payment in the country's list; null when not demanded."
        ),
        text(
            "paymentPurpose.code.value", "Code of the reason for payment in the country's list; null when not demanded."
        ),
        text(
            "cardFundingPurpose",
            "What a payment by card is for, as the payer stated it, such as Advertising; null for other funding.",
        ),
        flag(
            "cancelRequestSubmitted", "True when somebody asked BILL to cancel the payment and it is not decided yet."
        ),
        created_by("the payment"),
        flag(
            "toPrintCheck",
            "True when a payment recorded outside BILL still needs its check printed; null otherwise and where BILL's "
            "list leaves it out.",
        ),
        reference(
            "classifications.chartOfAccountId",
            "accounts",
            "Cash account that a payment recorded outside BILL was made from (id in accounts); "
            "null for payments made through BILL and where BILL's list leaves it out.",
        ),
        text(
            "syncReference",
            "Reference of a recorded payment in the accounting system it came from; null otherwise and where BILL's "
            "list leaves it out.",
        ),
        flag(
            "allowExport",
            "True when a recorded payment may be exported to the accounting system; null otherwise and where BILL's "
            "list leaves it out.",
        ),
        from_v2(
            reference(
                "chartOfAccountId",
                "accounts",
                "Account that the payment was made from (id in accounts): of a payment through BILL its clearing "
                "account, of one recorded as made elsewhere what was chosen then; null where BILL's v2 API does not "
                "say.",
            )
        ),
        from_v2(
            reference(
                "bankAccountId",
                "funding_accounts",
                "Bank account that the payment was made from (id in funding_accounts); null for other funding and "
                "where BILL's v2 API does not say.",
            )
        ),
        from_v2(
            reference(
                "cardAccountId",
                "funding_accounts",
                "Card that the payment was made from (id in funding_accounts); null for other funding and where BILL's "
                "v2 API does not say.",
            )
        ),
        from_v2(
            timestamp(
                "voidedTime",
                "When BILL accepted the request to void the payment (UTC); null when it was not voided by request.",
            )
        ),
    ),
    v2=V2(
        ("SentPay",),
        stopgaps=(Stopgap("onlinePayment", "isOnline"),),
        picks=(Pick("voidRequests", "decisionDate", ("status", "1"), "voidedTime"),),
    ),
    children=(
        Child(
            "vendor_payment_bills",
            "billPayments",
            "Which bills a payment settles and with how much. One row per bill in the payment.",
            (
                text("id", "BILL's id of this bill's part in the payment; it begins with blp."),
                reference("billId", "bills", "Bill that this part pays (id in bills)."),
                money("amount", "How much of the payment goes to this bill, in the vendor's bill_currency."),
                nested(
                    "vendorCredits",
                    "Vendor credits used on this bill in the same payment, as a list of id and amount in the "
                    "vendor's bill_currency; null when none was used.",
                ),
            ),
        ),
    ),
)

RECURRING_BILLS = Entity(
    name="recurring_bills",
    singular="recurring_bill",
    path="/v3/recurringbills",
    id_prefix="",
    group=Group.PAYABLES,
    walk=Walk.FULL,
    description="Templates from which BILL creates bills on a schedule, such as rent. Nothing is owed by a template.",
    docs="https://developer.bill.com/reference/listrecurringbills",
    columns=(
        reference("vendorId", "vendors", "Vendor that the created bills will be owed to (id in vendors)."),
        text("description", "Free text that is copied to every bill; null when nobody wrote one."),
        *schedule(of="bill"),
        flag("processingOptions.autoPayment", "True when the created bills are also paid without further action."),
        reference(
            "paymentInformation.bankAccountId",
            "funding_accounts",
            "Bank account that automatic payments draw on (id in funding_accounts); null without automatic payment.",
        ),
    ),
    children=(
        Child(
            "recurring_bill_line_items",
            "recurringBillLineItems",
            "Lines that every bill created from the template will have; they add up to the bill's amount.",
            (
                text("id", "BILL's id of the template's line; it changes when the lines are replaced."),
                money("amount", "Cost of the line on each bill, in the vendor's bill_currency."),
                text("description", "What is bought, in the words on the line; null when nobody wrote any."),
                *classifications(
                    "chartOfAccountId",
                    "accountingClassId",
                    "departmentId",
                    "employeeId",
                    "jobId",
                    "locationId",
                    "itemId",
                    of="the template's line",
                ),
            ),
        ),
    ),
)
