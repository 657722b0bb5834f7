"""What a sandbox is like: its data, its limits, its faults, and which reading of BILL's facts it follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from billcom_assets.sandbox.faults import FaultPlan
from billcom_assets.sandbox.money import NumberStyle


class CursorKind(StrEnum):
    """What a page cursor stands on."""

    KEYSET = "keyset"
    """The sort key of the last row served: changes elsewhere do not shift the walk."""
    OFFSET = "offset"
    """A row count: a row that leaves or enters before it shifts the walk."""


class CursorMismatch(StrEnum):
    """What happens when a page request repeats the query differently from its cursor."""

    IGNORE = "ignore"
    """The cursor's own query counts."""
    REJECT = "reject"
    """400."""


class ApproversShown(StrEnum):
    """When bills carry ``approvers``."""

    ASKED = "asked"
    """Only with ``billApprovals=true`` in the query."""
    ALWAYS = "always"
    NEVER = "never"


class AbsentIds(StrEnum):
    """How the id of nothing is sent."""

    LEFT_OUT = "left_out"
    ZEROS = "zeros"
    """Twenty zeros, and an empty object for an account that is not there, as BILL's stage did in 2026."""


class EndOfList(StrEnum):
    """What the last page has for ``nextPage`` (and the first for ``prevPage``)."""

    ABSENT = "absent"
    NULL = "null"
    EMPTY = "empty"
    """An empty string."""


class ListOrder(StrEnum):
    """In which order lists come."""

    ASKED = "asked"
    """As ``sort`` says."""
    OLDEST_FIRST = "oldest_first"
    """By creation, whatever ``sort`` says."""
    NEWEST_FIRST = "newest_first"


class TokenPath(StrEnum):
    """Where the token endpoint of OAuth is."""

    UNDER_BASE = "under_base"
    """``/connect/authx/token``."""
    AT_ROOT = "at_root"
    """``/authx/token``."""


class TokenErrors(StrEnum):
    """How the token endpoint says that it refuses a client."""

    OAUTH = "oauth"
    """``{"error": "invalid_client", ...}``, as OAuth 2 has it."""
    BILL = "bill"
    """BILL's array, without a code."""


class DeadToken(StrEnum):
    """What a call with an access token that ended gets: 401 with..."""

    GATEWAY = "gateway"
    """One object with a message and no code."""
    BILL = "bill"
    """BDC_1109, as for a session."""


class V2Access(StrEnum):
    """Whether v2 serves a developer key that v3 serves."""

    OPEN = "open"
    NO_KEY = "no_key"
    """BDC_1102: the key is not enabled for v2."""
    NO_API = "no_api"
    """BDC_1105: the organization has no API access."""


class ApproverBillKey(StrEnum):
    """How an approver in v2 names its bill."""

    LOWER = "billid"
    CAMEL = "billId"


class ExchangeRate(StrEnum):
    """What ``exchangeRate`` multiplies."""

    USD_PER_UNIT = "usd_per_unit"
    """fundingAmount = amount x exchangeRate."""
    UNITS_PER_USD = "units_per_usd"
    """fundingAmount = amount / exchangeRate."""


class EndedLink(StrEnum):
    """What a link to a file gets once it has ended, which no page tells."""

    UNAUTHORIZED = "401"
    FORBIDDEN = "403"
    GONE = "410"
    PAGE = "page"
    """200 and a page of HTML."""
    WORDS = "words"
    """200 and a line of text."""


_ENUMS: dict[str, type[StrEnum]] = {
    "numbers": NumberStyle,
    "exchange_rate": ExchangeRate,
    "cursor_kind": CursorKind,
    "cursor_mismatch": CursorMismatch,
    "absent_ids": AbsentIds,
    "approvers_shown": ApproversShown,
    "end_of_list": EndOfList,
    "list_order": ListOrder,
    "token_path": TokenPath,
    "token_errors": TokenErrors,
    "dead_token": DeadToken,
    "ended_link": EndedLink,
    "v2_access": V2Access,
    "v2_approver_bill_key": ApproverBillKey,
}


EXTENSIBLE = frozenset(
    {
        "vendors",
        "customers",
        *(
            f"classifications/{name}"
            for name in (
                "chart-of-accounts",
                "departments",
                "locations",
                "accounting-classes",
                "jobs",
                "items",
                "employees",
            )
        ),
    }
)
"""Lists that ``Settings.more`` can make longer."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that distinguishes one sandbox from another.

    Data (fixed when the world is made):

    Attributes:
        seed: Fixes every organization, object, amount and credential.
        bills: Bills per organization; every other entity scales with it. 0 gives organizations without documents.
        orgs: Number of organizations, each with data of its own.
        more: Objects beyond what ``bills`` brings, by list, such as ``{"classifications/employees": 50}``: no document
            names them, and everything else stays as it is without them.
        dev_keys: Developer keys the server knows.
        numbers: How amounts are printed.
        exchange_rate: What ``exchangeRate`` multiplies; unpublished by BILL.
        parent_visible: Chart-of-accounts rows show ``parentId``; a production report says they may not.
        latency_ms: Time every call takes on the server.
        slow_ms: Extra time of the ``slow`` fault.
        stall_ms: Extra time of the ``stalled`` fault.
        faults: Faults switched on.
        throttle_status: HTTP status of BDC_1144 and BDC_1322: 422 or 429 (unpublished).
        wrong_prefix_status: Status of a GET by an id of another kind: 400 BDC_1302, or 404 BDC_1205.
        requests_per_hour: Requests per developer key and clock hour.
        logins_per_hour: Logins per developer key and clock hour.
        in_flight_limit: Requests in flight per developer key and organization.
        user_idle_minutes: Idle life of a password session.
        token_idle_hours: Idle life of a sync-token session.
        oauth_token_minutes: Life of an access token of OAuth, used or not.
        oauth_full_access: OAuth clients have the scope "Full access", otherwise "Accounting data access".
        oauth_session_info: ``GET /v3/login/session`` serves access tokens too; otherwise it refuses them with 403.
        token_path: Where the token endpoint is.
        token_errors: How it says that it refuses a client.
        dead_token: What a call with an access token that ended gets.
        failed_logins_to_lock: Wrong passwords in a row that lock an organization; 0 never locks.
        cursor_kind: What a cursor stands on.
        cursor_mismatch: What a differing query beside a cursor does.
        cursor_carries_query: A cursor sent alone still filters and sorts; otherwise the request's own query counts.
        end_of_list: What the last page has for ``nextPage``.
        list_order: In which order lists come.
        recurring_time_filter: Recurring bills and invoices accept time filters and sorts; the official table says no.
        absent_as_null: Unpopulated fields are sent as null instead of being left out.
        absent_ids: How the id of nothing is sent.
        approvers_shown: When bills carry ``approvers``.
        thin_vendor_lists: Vendor lists leave out ``paymentInformation``, the single GET has it.
        payment_touches_bill: Paying, crediting and voiding move the ``updatedTime`` of the bill (or invoice).
        usage_touches_credit: Applying a vendor credit or credit memo moves its own ``updatedTime``.
        balances_touch: A changed balance moves the ``updatedTime`` of the vendor or customer. BILL's facts say:
            likely not, hence False.
        vendor_name_follows: Renaming a vendor changes ``vendorName`` in its bills and payments (without touching
            their ``updatedTime``); otherwise the name stays as written.
        approvals_undefined: v3 shows the ``approvalStatus`` of every bill as UNDEFINED; v2 knows it.
        v3_access: The developer key may use v3.
        v2_access: Whether the developer key may use v2.
        v2_children_asked: v2 lists have lines and other children only with ``nested``; otherwise always.
        v2_page_limit: Rows that a v2 list sends at most, whatever was asked for.
        v2_refuses_filters: v2 lists take no filters and sorts.
        v2_takes_many: v2's ``in`` takes several values with commas between; otherwise they are one.
        v2_unset_is_empty: v2 sends text and numbers that are not set as "" instead of null.
        v2_reads_as_text: ``Crud/Read`` sends numbers and flags as text, as the schemas say; lists do not.
        v2_approver_bill_key: How an approver names its bill: ``billid`` as in the schemas, or ``billId``.
        posting_date_when_moved: v2 gives ``glPostingDate`` only where it is not the document's date; otherwise always.
        disbursement_data: ``GetDisbursementData`` has something to give; in BILL's own test environment it has not.
        most_documents: Files that a bill, a vendor credit or an invoice has at most.
        link_seconds: Life of a link to a file; 0 for ever.
        ended_link: What a link that has ended gets.
        downloads_move: A link to a file answers with a redirect to another path.
        serves_ranges: A file can be had from a byte on; otherwise always whole.
        accounting_sync: BILL itself syncs with an accounting program, which leaves its marks in v2's accounts.
        duplicate_accounts: Accounts with an equal name or number may be created; otherwise 422.
        duplicate_invoice_numbers: A vendor's invoice number, or one of the company's own, may occur twice; otherwise
            422 BDC_1171.
    """

    seed: int = 7
    bills: int = 600
    orgs: int = 2
    more: Mapping[str, int] = field(default_factory=dict)
    dev_keys: tuple[str, ...] = ("sandbox-dev-key",)
    numbers: NumberStyle = NumberStyle.SHORT
    exchange_rate: ExchangeRate = ExchangeRate.USD_PER_UNIT
    parent_visible: bool = True

    latency_ms: int = 0
    slow_ms: int = 300
    stall_ms: int = 90_000
    faults: FaultPlan = field(default_factory=FaultPlan)
    throttle_status: int = 422
    wrong_prefix_status: int = 400
    requests_per_hour: int = 20_000
    logins_per_hour: int = 200
    in_flight_limit: int = 3
    user_idle_minutes: int = 35
    token_idle_hours: int = 48
    oauth_token_minutes: int = 60
    oauth_full_access: bool = False
    oauth_session_info: bool = True
    token_path: TokenPath = TokenPath.UNDER_BASE
    token_errors: TokenErrors = TokenErrors.OAUTH
    dead_token: DeadToken = DeadToken.GATEWAY
    failed_logins_to_lock: int = 0

    cursor_kind: CursorKind = CursorKind.KEYSET
    cursor_mismatch: CursorMismatch = CursorMismatch.IGNORE
    cursor_carries_query: bool = True
    end_of_list: EndOfList = EndOfList.ABSENT
    list_order: ListOrder = ListOrder.ASKED
    recurring_time_filter: bool = False
    absent_as_null: bool = False
    absent_ids: AbsentIds = AbsentIds.LEFT_OUT
    approvers_shown: ApproversShown = ApproversShown.ASKED
    thin_vendor_lists: bool = False
    payment_touches_bill: bool = True
    usage_touches_credit: bool = True
    balances_touch: bool = False
    vendor_name_follows: bool = False
    approvals_undefined: bool = False
    v3_access: bool = True
    v2_access: V2Access = V2Access.OPEN
    v2_children_asked: bool = False
    v2_page_limit: int = 999
    v2_refuses_filters: bool = False
    v2_takes_many: bool = True
    v2_unset_is_empty: bool = False
    v2_reads_as_text: bool = False
    v2_approver_bill_key: ApproverBillKey = ApproverBillKey.LOWER
    posting_date_when_moved: bool = False
    disbursement_data: bool = True
    most_documents: int = 2
    link_seconds: int = 0
    ended_link: EndedLink = EndedLink.FORBIDDEN
    downloads_move: bool = False
    serves_ranges: bool = True
    accounting_sync: bool = False
    duplicate_accounts: bool = True
    duplicate_invoice_numbers: bool = True

    def __post_init__(self) -> None:
        for name, enum in _ENUMS.items():
            # A plain string, as from a command line or a control route, will do.
            object.__setattr__(self, name, enum(getattr(self, name)))
        if self.bills < 0 or self.orgs < 1:
            raise ValueError("a sandbox has at least one organization and no negative number of bills")
        if self.more.keys() - EXTENSIBLE or any(count < 0 for count in self.more.values()):
            raise ValueError(f"there can be more of {', '.join(sorted(EXTENSIBLE))}, not {dict(self.more)}")
        if self.throttle_status not in (422, 429):
            raise ValueError(f"BILL's throttle status is read as 422 or 429, not {self.throttle_status}")
        if self.wrong_prefix_status not in (400, 404):
            raise ValueError(f"a wrong id prefix gets 400 or 404, not {self.wrong_prefix_status}")
        if not self.dev_keys or not all(self.dev_keys):
            raise ValueError("a sandbox needs at least one developer key")


@dataclass(slots=True)
class Readings:
    """The settings in force; replaced while the server runs, and shared by everything that looks at them."""

    settings: Settings


FIXED_AT_START = frozenset(
    {
        *("seed", "bills", "orgs", "more", "dev_keys", "numbers", "exchange_rate", "parent_visible", "faults"),
        "token_path",
    }
)
"""Settings that a running sandbox cannot change; faults have a control route of their own."""
