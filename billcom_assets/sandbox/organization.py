"""One simulated company: who it is, and everything that BILL knows about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from billcom_assets.sandbox.clock import Clock, PastClock
from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.decorate import Decorator
from billcom_assets.sandbox.faults import Fault, Faults
from billcom_assets.sandbox.ids import IdSource
from billcom_assets.sandbox.kinds import KINDS, USERS, V2_KINDS, Kind, kind_at
from billcom_assets.sandbox.money import Amounts
from billcom_assets.sandbox.settings import Readings
from billcom_assets.sandbox.table import Row, Table, make_draft

_NAMES = (
    "Harbor & Pine Studio LLC",
    "Meridian Field Services Inc",
    "Old Mill Coffee Roasters",
    "Bluebird Pediatrics PLLC",
    "Northgate Robotics Corp",
    "Sable Creek Outfitters",
)
_READERS = ("AUDITOR", "CUSTOM")
"""Types of the roles that may look at everything and change nothing."""


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


@dataclass(slots=True)
class OAuthClient:
    """A developer app that an administrator made; ``POST /authx/token`` gives it access tokens.

    Attributes:
        id: Client id.
        secret: Client secret.
        revoked: It gets no token any more.
    """

    id: str
    secret: str
    revoked: bool = False


class Organization:
    """One organization: its logins and its tables.

    Attributes:
        number: Which one it is, from 0.
        id: Organization id, ``008...``.
        name: Its name.
        slug: Its name as part of an e-mail address.
        user: Login of an administrator.
        token: Login of a sync token.
        accountant: Login of an accounting firm's user, the same in every organization; the password is a console token.
        client: OAuth client.
        locked: Logins are refused with 423 BDC_1107.
        money: The JSON number for an amount in cents.
        clock: Stamps every change.
        account_ids: Account number to id, for the accounts every company has.
        user_ids: Role type to user id.
        default_bank: Id of the bank account that pays and receives.
        cards: Card accounts by how far the signed-in user is in being allowed to use them.
        ap_cards: Cards that BILL itself issued.
        profile: The organization as v3 serves it.
    """

    def __init__(self, readings: Readings, clock: Clock, faults: Faults, number: int) -> None:
        settings = readings.settings
        self.readings = readings
        self.clock = clock
        self.number = number
        name = _NAMES[number % len(_NAMES)]
        self.name = name if number < len(_NAMES) else f"{name} {number + 1}"
        self.slug = "-".join("".join(char if char.isalnum() else " " for char in self.name.lower()).split())
        self.ids = IdSource(f"{settings.seed}/{number}", case_twins=settings.faults.rate(Fault.CASE_TWIN_IDS) > 0)
        self.id = self.ids.new("008")
        self.user_ids = {"ADMINISTRATOR": self.ids.new(USERS.prefix)}
        self.user = Login(
            f"admin@{self.slug}.example",
            f"sandbox-password-{number + 1}",
            self.user_ids["ADMINISTRATOR"],
            is_token=False,
        )
        self.token = Login(
            f"sandbox-sync-{number + 1}", f"sandbox-token-{number + 1}", self.ids.new("syu"), is_token=True
        )
        firm = IdSource(f"{settings.seed}/firm")
        self.accountant = Login(
            "accountant@firm.example", "sandbox-console-token", firm.new(USERS.prefix), is_token=False
        )
        self.client = OAuthClient(f"sandbox-client-{number + 1}", f"sandbox-client-secret-{number + 1}")
        self.remember_me_id = f"sandbox-remember-me-{number + 1}"
        self.device = "sandbox-device"
        self.locked = False
        self.account_ids: dict[str, str] = {}
        self.default_bank = ""
        self.cards: dict[str, list[Doc]] = {"VERIFIED": [], "NOMINATED": []}
        self.ap_cards: list[Doc] = []
        self.profile: Doc = {}
        self.decorator = Decorator(readings, faults)
        self.money = Amounts(settings.numbers).__getitem__
        self.tables: dict[Kind, Table] = {kind: Table(kind) for kind in (*KINDS, *V2_KINDS)}
        self._journal: list[tuple[Table, str, Row | None]] | None = None
        self._drafts: list[Row] | None = None

    @property
    def logins(self) -> tuple[Login, ...]:
        """Everybody who can sign in, the administrator first, then the sync token, then the other users."""
        others = (role for role in self.user_ids if role != "ADMINISTRATOR")
        return (self.user, self.token, *map(self.login_of, others))

    def login_of(self, role: str) -> Login:
        """The login of a user by the type of the role, such as AUDITOR."""
        if role == "ADMINISTRATOR":
            return self.user
        name = f"{role.lower()}@{self.slug}.example"
        return Login(name, f"sandbox-{role.lower()}-{self.number + 1}", self.user_ids[role], is_token=False)

    def only_reads(self, user_id: str) -> bool:
        """Whether the role of a user permits no change of anything."""
        return user_id in {self.user_ids.get(role) for role in _READERS}

    def table(self, kind: Kind) -> Table:
        """The table of one kind."""
        return self.tables[kind]

    def rows(self, path: str, *, approvals: bool = False) -> list[Doc]:
        """The current objects of a list as BILL would serve them, in creation order.

        Args:
            path: For example ``/v3/bills``, ``bills`` or ``classifications/items``.
            approvals: Bills carry their approvers, as with ``billApprovals=true``.

        Raises:
            KeyError: No list is at ``path``.
        """
        table = self.tables[kind_at(path)]
        served = (table.rows[entry[-1]] for entry in table.index("createdTime"))
        return [self.decorator.doc(table.kind, row, approvals=approvals) for row in served]

    def count(self, path: str) -> int:
        """How many objects a list has.

        Raises:
            KeyError: No list is at ``path``.
        """
        return len(self.tables[kind_at(path)])

    def write(self, kind: Kind, doc: Doc, *, touch: bool = True, hidden: Doc | None = None) -> Row:
        """Store an object, new or changed.

        Args:
            kind: Its kind.
            doc: The object; its times are set here.
            touch: Whether its ``updatedTime`` moves (new objects always get both times).
            hidden: Facts v3 does not show; None keeps what there was.
        """
        table = self.tables[kind]
        old = table.rows.get(doc["id"])
        now = self.clock.seconds()
        if old is None:
            row = make_draft(doc, now, now, hidden)
        elif old.is_draft:
            old.change(doc, now if touch else old.updated, hidden)
            return old
        else:
            row = make_draft(doc, old.created, now if touch else old.updated, old.hidden if hidden is None else hidden)
        table.put(row)
        if self._drafts is not None:
            self._drafts.append(row)
        else:
            row.finish()
        if self._journal is not None:
            self._journal.append((table, row.id, old))
        return row

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Take back everything that is written within, and every id, when it ends in an exception."""
        journal = self._journal = []
        ids = self.ids.mark()
        try:
            yield
        except BaseException:
            for table, object_id, old in reversed(journal):
                table.take_back(object_id, old)
            self.ids.go_back_to(ids)
            raise
        finally:
            self._journal = None

    @contextmanager
    def in_the_past(self) -> Iterator[PastClock]:
        """Write with the times of another clock; what is written stays a draft until ``finish``."""
        past = PastClock()
        present, self.clock = self.clock, past
        self._drafts = []
        try:
            yield past
        finally:
            self.finish()
            self._drafts, self.clock = None, present

    def finish(self) -> None:
        """Serialize what was written in the past: nothing of it is going to change soon."""
        for row in self._drafts or ():
            row.finish()
        if self._drafts:
            self._drafts.clear()
