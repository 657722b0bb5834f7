"""The simulated companies and their current state, which is also the truth that tests compare with."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from billcom_assets.sandbox.clock import Clock
from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.decorate import Decorator
from billcom_assets.sandbox.faults import Faults
from billcom_assets.sandbox.generate.company import Login, make_company
from billcom_assets.sandbox.kinds import KINDS, Kind, kind_at
from billcom_assets.sandbox.money import money
from billcom_assets.sandbox.settings import Readings, Settings
from billcom_assets.sandbox.table import Row, Table, make_row


class Organization:
    """One organization: its logins and its tables.

    Attributes:
        id: Organization id, ``008...``.
        name: Its name.
        user: Login of an administrator.
        token: Login of a sync token.
        locked: Logins answer 423 BDC_1107.
    """

    def __init__(self, readings: Readings, clock: Clock, faults: Faults, number: int) -> None:
        company = make_company(readings.settings, number)
        self.readings = readings
        self.clock = clock
        self.id = company.id
        self.name = company.name
        self.user: Login = company.user
        self.token: Login = company.token
        self.remember_me_id = company.remember_me_id
        self.device = company.device
        self.profile = company.profile
        self.ids = company.ids
        self.account_ids = company.account_ids
        self.default_bank = company.default_bank
        self.user_ids = company.user_ids
        self.locked = False
        self.decorator = Decorator(readings, faults)
        self.tables: dict[Kind, Table] = {kind: Table(kind) for kind in KINDS}
        for kind, rows in company.rows.items():
            self.tables[kind].load(rows)
        self._journal: list[tuple[Table, str, Row | None]] | None = None

    def money(self, amount_cents: int) -> Decimal:
        """An amount in the sandbox's number style."""
        return money(amount_cents, self.readings.settings.numbers)

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
        old = table.get(doc["id"])
        now = self.clock.seconds()
        created = now if old is None else old.created
        updated = now if old is None or touch else old.updated
        doc.pop("createdTime", None)
        doc.pop("updatedTime", None)
        kept = hidden if hidden is not None or old is None else old.hidden
        row = make_row(doc, created, updated, kept)
        table.put(row)
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


class World:
    """All organizations of a sandbox.

    Args:
        settings: What the sandbox is like.
        clock: Stamps every change.

    Attributes:
        lock: Held by whoever reads or changes the world from another thread than the server's.
    """

    def __init__(self, settings: Settings | None = None, clock: Clock | None = None) -> None:
        self.readings = Readings(settings or Settings())
        self.clock = clock or Clock()
        self.faults = Faults(self.readings.settings.faults)
        self.lock = threading.RLock()
        self.organizations = tuple(
            Organization(self.readings, self.clock, self.faults, number)
            for number in range(self.readings.settings.orgs)
        )
        self._by_id = {organization.id: organization for organization in self.organizations}

    def organization(self, organization_id: str | None = None) -> Organization:
        """The organization with this id; the first one without.

        Raises:
            KeyError: No organization has this id.
        """
        if organization_id is None:
            return self.organizations[0]
        return self._by_id[organization_id]

    def find(self, organization_id: Any) -> Organization | None:
        """The organization with this id, or None."""
        return self._by_id.get(organization_id) if isinstance(organization_id, str) else None
