"""A simulated chart of accounts that can be put in disorder, and the ledger's chart that it should be again."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from billcom_assets.alignment.applying import apply_plan
from billcom_assets.alignment.deciding import approve
from billcom_assets.alignment.guards import Consent
from billcom_assets.alignment.planner import plan
from billcom_assets.alignment.plans import Planned, save_plan
from billcom_assets.alignment.reading import read_charts
from billcom_assets.alignment.record import Change, Record
from billcom_assets.alignment.undoing import undo_plan
from billcom_assets.alignment.work import Work, Written
from billcom_assets.bill.client import BillClient
from billcom_assets.bill.credentials import Credentials
from billcom_assets.bill.quotas import MemoryBudget
from billcom_assets.bill.retry import RetryPolicy
from billcom_assets.bill.session import MemorySessionStore
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.ledger.spreadsheets import csv_text
from billcom_assets.sandbox import Organization, SandboxServer
from billcom_assets.sandbox.books import accounts
from billcom_assets.sandbox.books.objects import set_archived
from billcom_assets.sandbox.kinds import ACCOUNTS
from billcom_assets.sandbox.organization import Login
from billcom_assets.sync.run import Sync
from billcom_assets.warehouse.alignment_tables import ChangeStatus, alignment_plans
from billcom_assets.warehouse.audit import Actor, How
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.ledger_tables import ledger_accounts
from billcom_assets.warehouse.tables import integrations
from billcom_assets_tests.books.ledger import LONG_AGO, register
from billcom_assets_tests.sync.company import INTEGRATION, pull_all

CHART = "/connect/v3/classifications/chart-of-accounts"
ADA = Actor(1000, "ada", How.COMMAND)
CONSENT = Consent(production=True, approver="ada", no_other_sync=True)
IMPATIENT = (5.0, 0.25)
"""Seconds to connect and to wait: a stalled response is one that does not come."""
QUICK = RetryPolicy(initial=0.001, maximum=0.01)
_USERS = ("accounts", "bills", "recurring_bills")
"""What a plan has to know."""


@dataclass(frozen=True)
class LedgerAccount:
    """An account of the ledger's chart."""

    id: str
    name: str
    type: str
    number: str | None = None
    parent_id: str | None = None
    description: str | None = None
    active: bool = True


@dataclass
class World:
    """One organization of a simulated BILL, and a warehouse beside it."""

    server: SandboxServer
    warehouse: Warehouse
    sessions: MemorySessionStore = field(default_factory=MemorySessionStore)
    login: Login | None = None
    """Who signs in; the administrator when None."""
    ledger: dict[str, LedgerAccount] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with self.warehouse.write() as connection:
            if connection.scalar(select(integrations.c.key)) is None:
                register(connection)

    @property
    def bill(self) -> Organization:
        """The truth."""
        return self.server.world.organization()

    # BILL ----------------------------------------------------------------------------------------------------------

    def create(self, name: str, number: str | None = None, type_: str = "EXPENSE", parent: str | None = None) -> str:
        """A new account in BILL, as somebody makes it there."""
        account = {"type": type_} | ({"number": number} if number else {})
        with self.server.sandbox.lock:
            body = {"name": name, "account": account, "parentId": parent}
            return accounts.create_classification(self.bill, ACCOUNTS, body).id

    def change(self, account_id: str, **fields: Any) -> None:
        """Changes an account in BILL."""
        with self.server.sandbox.lock:
            accounts.update_classification(self.bill, ACCOUNTS, account_id, fields)

    def archive(self, account_id: str) -> None:
        with self.server.sandbox.lock:
            accounts.archive_account(self.bill, account_id)

    def restore(self, account_id: str) -> None:
        with self.server.sandbox.lock:
            set_archived(self.bill, ACCOUNTS, account_id, archived=False)

    def account(self, account_id: str) -> dict[str, Any]:
        """An account as BILL has it, with the parent even where v3 hides it."""
        row = self.bill.table(ACCOUNTS).rows[account_id]
        doc = row.doc()
        return {
            "name": doc["name"],
            "number": doc["account"].get("number"),
            "type": doc["account"]["type"],
            "description": doc.get("description"),
            "parent": (row.hidden or {}).get("parentId"),
            "archived": doc["archived"],
        }

    def chart(self) -> dict[str, dict[str, Any]]:
        """Every account in BILL, by id."""
        return {row.id: self.account(row.id) for row in list(self.bill.table(ACCOUNTS))}

    def named(self, name: str) -> str:
        """Id of the live account of this name."""
        (found,) = (one for one, state in self.chart().items() if state["name"] == name and not state["archived"])
        return found

    def empty(self) -> None:
        """BILL without any account."""
        self.bill.table(ACCOUNTS).restore([])

    # The ledger ----------------------------------------------------------------------------------------------------

    def copy_chart(self) -> None:
        """The ledger has what BILL has now: every live account, of namesakes the first; the others are archived."""
        chart = self.chart()
        taken: set[Any] = set()
        self.ledger = {}
        for account_id, state in chart.items():
            key = (state["name"], state["type"])
            if key in taken and not state["archived"]:
                self.archive(account_id)
            elif not state["archived"]:
                taken.add(key)
                parent = state["parent"] if state["parent"] and not chart[state["parent"]]["archived"] else None
                self.ledger[f"L{account_id}"] = LedgerAccount(
                    f"L{account_id}",
                    state["name"],
                    state["type"],
                    state["number"],
                    f"L{parent}" if parent else None,
                    state["description"],
                )

    def want(self, *wanted: LedgerAccount) -> None:
        """The ledger has these accounts as well, or otherwise than before."""
        self.ledger |= {one.id: one for one in wanted}

    def import_ledger(self) -> None:
        """Stores the ledger's chart."""
        rows = [{"integration": INTEGRATION, "imported_at": LONG_AGO, **vars(one)} for one in self.ledger.values()]
        with self.warehouse.write() as connection:
            connection.execute(delete(ledger_accounts))
            connection.execute(insert(ledger_accounts), rows)

    def ledger_csv(self) -> str:
        """The ledger's chart as an accounting program writes it."""
        numbers = {one.id: one.number or one.name for one in self.ledger.values()}
        rows = (
            (
                one.number or "",
                one.name,
                one.type.replace("_", " ").title(),
                numbers.get(one.parent_id or "", ""),
                "Yes",
            )
            for one in self.ledger.values()
        )
        return csv_text(("Number", "Name", "Type", "Parent", "Active"), rows)

    # Both ----------------------------------------------------------------------------------------------------------

    @contextmanager
    def client(self, **options: Any) -> Iterator[BillClient]:
        login = self.login or self.bill.user
        who = Credentials(
            self.bill.id,
            login.username,
            login.password,
            "sandbox-dev-key",
            base_url=self.server.base_url,
            v2_base_url=self.server.v2_base_url,
        )
        given = {"timeout": IMPATIENT, "retry": QUICK, "clock": self.server.clock.now, "max_logins": 1_000} | options
        budget = MemoryBudget(self.server.clock.now, requests=1_000_000)
        with BillClient(who, integration=INTEGRATION, sessions=self.sessions, budget=budget, **given) as client:
            yield client

    @contextmanager
    def run(self, **options: Any) -> Iterator[Sync]:
        """A run that holds the integration's lock."""
        with self.client(**options) as client:
            sync = Sync(self.warehouse, client, CATALOG, INTEGRATION, clock=self.server.clock.now)
            with sync.alone():
                yield sync

    def sync(self) -> None:
        """Brings the mirror up to date, as far as plans look."""
        with self.run() as sync:
            pull_all(sync, only=_USERS)

    def plan(self, max_changes: int = 10_000) -> Planned:
        """Plans, after a sync."""
        self.sync()
        with self.warehouse.write() as connection:
            charts = read_charts(connection, INTEGRATION)
            now = self.server.clock.now()
            return save_plan(connection, charts, plan(charts), ADA, now, max_changes=max_changes)

    def plan_and_approve(self) -> int:
        """Number of a new plan, approved as a whole."""
        planned = self.plan()
        assert planned.plan is not None
        with self.warehouse.write() as connection:
            approve(connection, INTEGRATION, ADA, self.server.clock.now())
        # Times of BILL's have whole seconds; what follows is later.
        self.pass_time()
        return planned.plan.number

    def pass_time(self, seconds: int = 2) -> None:
        """What happens next is later, by BILL's clock and ours."""
        self.server.clock.advance(timedelta(seconds=seconds))

    def apply(
        self, number: int | None = None, consent: Consent = CONSENT, pauses: Sequence[float] = (0.0,), **options: Any
    ) -> Written:
        with self.run(**options) as sync:
            return apply_plan(Work(sync, ADA, consent, pauses=pauses), number)

    def undo(self, number: int | None = None, **options: Any) -> Written:
        with self.run(**options) as sync:
            return undo_plan(Work(sync, ADA, pauses=(0.0,)), number)

    def changes(self, number: int | None = None) -> list[Change]:
        with self.warehouse.read() as connection:
            newest = connection.scalar(select(func.max(alignment_plans.c.number)))
            return Record(INTEGRATION, number or newest or 0).changes(connection)

    def plan_status(self, number: int) -> str:
        with self.warehouse.read() as connection:
            p = alignment_plans.c
            return str(connection.scalar(select(p.status).where(p.number == number)))

    def set(self, **values: Any) -> None:
        """Changes settings of the integration."""
        with self.warehouse.write() as connection:
            connection.execute(update(integrations).values(**values))

    # What must hold ------------------------------------------------------------------------------------------------

    def left(self) -> list[tuple[str, str]]:
        """What a new plan would change: conflicts, which a person must decide, aside."""
        self.sync()
        with self.warehouse.read() as connection:
            found = plan(read_charts(connection, INTEGRATION))
        return [(one.action.value, one.reason) for one in found if one.action.value != "conflict"]

    def written_ids(self) -> set[str]:
        """Ids that requests to change something have named."""
        found = set()
        for one in self.server.sandbox.stats.writes:
            assert one.path.startswith(CHART), one.path
            rest = one.path.removeprefix(CHART).strip("/")
            if rest:
                found.add(rest.split("/")[0])
        return found

    def twins(self) -> list[tuple[Any, ...]]:
        """Accounts that BILL has more than once under the same name, number, type and parent."""
        seen: dict[tuple[Any, ...], int] = {}
        for state in self.chart().values():
            key = (state["name"], state["number"], state["type"], state["parent"])
            seen[key] = seen.get(key, 0) + 1
        return [key for key, count in seen.items() if count > 1]

    def mirror_agrees(self) -> bool:
        """Whether the mirror shows every account as BILL has it."""
        t = self.warehouse.mirror.table("accounts").c
        columns = (t.id, t.name, t.account_number, t.account_type, t.description, t.parent_id, t.archived)
        with self.warehouse.read() as connection:
            mirrored = {
                row[0]: dict(zip(("name", "number", "type", "description", "parent", "archived"), row[1:], strict=True))
                for row in connection.execute(select(*columns))
            }
        return mirrored == self.chart()


# Disorder ------------------------------------------------------------------------------------------------------------


def missing(world: World, dice: random.Random, mark: int) -> None:
    """The ledger has a branch that BILL lacks, three levels deep."""
    above: str | None = None
    for level in range(3):
        id_ = f"N{mark}-{level}"
        world.want(LedgerAccount(id_, f"New {mark} level {level}", "EXPENSE", f"9{mark:03}{level}", above, "made new"))
        above = id_
    del dice


def renamed(world: World, dice: random.Random, mark: int) -> None:
    world.change(_some(world, dice), name=f"Renamed {mark}")


def renumbered(world: World, dice: random.Random, mark: int) -> None:
    world.change(_some(world, dice), account={"number": f"8{mark:04}"})


def moved(world: World, dice: random.Random, mark: int) -> None:
    del mark
    one = _some(world, dice)
    below = accounts_below(world, one)
    others = [other for other in _known(world) if other != one and other not in below]
    world.change(one, parentId=dice.choice(others))


def archived(world: World, dice: random.Random, mark: int) -> None:
    del mark
    world.archive(_some(world, dice))


def duplicated(world: World, dice: random.Random, mark: int) -> None:
    state = world.account(_some(world, dice))
    world.create(state["name"], f"7{mark:04}", state["type"])


def wrong_type(world: World, dice: random.Random, mark: int) -> None:
    del mark
    world.change(_some(world, dice), account={"type": dice.choice(["OTHER_EXPENSE", "OTHER_ASSET", "INCOME"])})


DISORDERS: tuple[Callable[[World, random.Random, int], None], ...] = (
    missing,
    renamed,
    renumbered,
    moved,
    archived,
    duplicated,
    wrong_type,
)


def disorder(
    world: World,
    seed: int,
    times: int = 1,
    kinds: Sequence[Callable[[World, random.Random, int], None]] = DISORDERS,
) -> None:
    """Takes BILL's chart away from the ledger's in every way there is."""
    dice = random.Random(seed)
    for time in range(times):
        for place, kind in enumerate(kinds):
            kind(world, dice, time * len(kinds) + place)
    world.pass_time()


def accounts_below(world: World, account_id: str) -> set[str]:
    chart = world.chart()
    found: set[str] = set()
    waiting = [account_id]
    while waiting:
        one = waiting.pop()
        children = [child for child, state in chart.items() if state["parent"] == one and child not in found]
        found |= set(children)
        waiting += children
    return found


def _known(world: World) -> list[str]:
    """Live accounts in BILL that the ledger has too."""
    chart = world.chart()
    return sorted(one for one, state in chart.items() if f"L{one}" in world.ledger and not state["archived"])


def _some(world: World, dice: random.Random) -> str:
    return dice.choice(_known(world))


def statuses(changes: Sequence[Change]) -> set[ChangeStatus]:
    return {one.status for one in changes}


def small(world: World) -> None:
    """Seven accounts between which every kind of change is due: create below create, rename, move, restore, archive."""
    world.empty()
    kept = world.create("Supplies", "6100")
    old = world.create("Rents", "6200")
    back = world.create("Travel", "6300")
    alone = world.create("Ours alone", "6900")
    world.create("Below ours", "6901", parent=alone)
    world.archive(back)
    world.ledger = {}
    world.want(
        LedgerAccount("A", "Office", "EXPENSE", "6000"),
        LedgerAccount("B", "Paper", "EXPENSE", "6010", "A", "all kinds"),
        LedgerAccount("C", "Supplies", "EXPENSE", "6100", "B"),
        LedgerAccount("D", "Rent", "EXPENSE", "6200"),
        LedgerAccount("E", "Travel", "EXPENSE", "6300"),
    )
    world.import_ledger()
    world.pass_time()
    del kept, old


WRITES_OF_SMALL = 7
"""Requests that change something until the small chart is as it should be."""


def shape(world: World) -> list[tuple[Any, ...]]:
    """BILL's chart without ids, to compare it with another world's."""
    chart = world.chart()
    return sorted(
        (
            state["name"],
            state["number"] or "",
            state["type"],
            state["description"] or "",
            chart[state["parent"]]["name"] if state["parent"] else "",
            state["archived"],
        )
        for state in chart.values()
    )
