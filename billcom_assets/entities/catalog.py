"""The catalog: every entity, in the order in which a full sync pulls them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from billcom_assets.entities.access import ROLES, USERS
from billcom_assets.entities.banking import MONEY_MOVEMENTS
from billcom_assets.entities.classifications import (
    ACCOUNTING_CLASSES,
    ACCOUNTS,
    DEPARTMENTS,
    EMPLOYEES,
    ITEMS,
    JOBS,
    LOCATIONS,
)
from billcom_assets.entities.model import Entity
from billcom_assets.entities.payables import (
    BILLS,
    FUNDING_ACCOUNTS,
    RECURRING_BILLS,
    VENDOR_CREDITS,
    VENDOR_PAYMENTS,
    VENDORS,
)
from billcom_assets.entities.receivables import (
    CREDIT_MEMOS,
    CUSTOMERS,
    INVOICES,
    RECEIVABLE_PAYMENTS,
    RECURRING_INVOICES,
)
from billcom_assets.entities.validation import validate


@dataclass(frozen=True, slots=True)
class Catalog:
    """Entities in sync order; raises ValueError when their declarations contradict each other."""

    entities: tuple[Entity, ...]
    _by_name: dict[str, Entity] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        validate(self.entities)
        object.__setattr__(self, "_by_name", {entity.name: entity for entity in self.entities})

    def __iter__(self) -> Iterator[Entity]:
        return iter(self.entities)

    def __len__(self) -> int:
        return len(self.entities)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> Entity:
        try:
            return self._by_name[name]
        except KeyError:
            raise KeyError(f"there is no entity {name!r}; known are {', '.join(self._by_name)}") from None

    def names(self) -> tuple[str, ...]:
        """Names of the entities in sync order."""
        return tuple(self._by_name)

    def seed_plan(self) -> tuple[Entity, ...]:
        """The entities of the first run after connecting, in order."""
        return tuple(entity for entity in self.entities if entity.in_seed)

    def extended(self, entity: Entity, *, after: str | None = None) -> Catalog:
        """A new catalog with ``entity`` directly behind the one called ``after``, or at the end.

        Raises:
            KeyError: No entity is called ``after``.
            ValueError: The entity contradicts the others.
        """
        place = len(self.entities) if after is None else self.entities.index(self[after]) + 1
        return Catalog((*self.entities[:place], entity, *self.entities[place:]))


# The order is the sync plan.
CATALOG = Catalog(
    (
        VENDORS,
        FUNDING_ACCOUNTS,
        ACCOUNTS,
        BILLS,
        VENDOR_CREDITS,
        VENDOR_PAYMENTS,
        ITEMS,
        CUSTOMERS,
        DEPARTMENTS,
        JOBS,
        LOCATIONS,
        ACCOUNTING_CLASSES,
        EMPLOYEES,
        INVOICES,
        CREDIT_MEMOS,
        RECEIVABLE_PAYMENTS,
        RECURRING_BILLS,
        RECURRING_INVOICES,
        USERS,
        ROLES,
        MONEY_MOVEMENTS,
    )
)
