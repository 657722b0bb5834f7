"""Dagster resources: the warehouse, and BILL for one integration."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import dagster as dg
from pydantic import PrivateAttr

from billcom_assets.bill.errors import AuthenticationRefused, SignInPostponed
from billcom_assets.clock import utc_now
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.environment import open_database, seal_for
from billcom_assets.sync.report import Progress
from billcom_assets.sync.run import Sync
from billcom_assets.warehouse.bill_clients import bill_client
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.integrations import Integrations

_STATEMENT_TIMEOUT_MS = 60_000
_RECYCLE_SECONDS = 600
_MORE_CONNECTIONS = 5
"""At most, besides the one that is kept."""
_listeners: list[Callable[[Progress], None]] = []


@contextmanager
def listening(listener: Callable[[Progress], None]) -> Iterator[None]:
    """Lets ``listener`` hear of the progress of pulls in this process."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def _tell(progress: Progress) -> None:
    for listener in _listeners:
        listener(progress)


def keep_connections(instance: dg.DagsterInstance) -> None:
    """Lets a process that carries out a run keep its connections to PostgreSQL.

    Dagster opens one for every event otherwise; what its webserver does helps a run as well. On SQLite it changes
    nothing.
    """
    instance.optimize_for_webserver(_STATEMENT_TIMEOUT_MS, _RECYCLE_SECONDS, _MORE_CONNECTIONS)


@contextmanager
def open_sync(
    warehouse: Warehouse, key: str, *, client: Mapping[str, Any] | None = None, **options: Any
) -> Iterator[Sync]:
    """What reads one integration's organization; other runs of it may go on.

    Args:
        warehouse: Where.
        key: The integration.
        client: Options of the client, such as how long it waits.
        options: Further options of :class:`Sync`.

    Raises:
        UnknownIntegration: there is none of this key.
        BillError: BILL refused; the integration is marked when its credentials were.
    """
    integrations = Integrations(seal_for(warehouse))
    with warehouse.read() as connection:
        integration = integrations.get(connection, key)
    with bill_client(warehouse, integrations.seal, integration, **(client or {})) as opened:
        sync = Sync(
            warehouse=warehouse,
            client=opened,
            catalog=CATALOG,
            integration=key,
            cutoff=integration.cutoff,
            history_start=integration.history_start,
            excluded=integration.excluded,
            keeps_documents=integration.documents,
            **options,
        )
        try:
            yield sync
        except (AuthenticationRefused, SignInPostponed) as refusal:
            # Without a status nothing was sent, and what BILL said before still stands.
            if refusal.http_status is not None:
                with warehouse.write() as connection:
                    integrations.sign_in_failed(connection, key, utc_now(), refusal)
            raise


class Billcom(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The company's database and, for each integration, its BILL organization; both opened when first needed."""

    _warehouse: Warehouse | None = PrivateAttr(default=None)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Prepares the process for the run that it carries out, if that is what it does."""
        if context.instance is not None and context.run is not None:
            keep_connections(context.instance)

    @property
    def warehouse(self) -> Warehouse:
        """The open database, its tables up to date.

        Raises:
            WarehouseError: it cannot be used.
        """
        if self._warehouse is None:
            self._warehouse = open_database()
        return self._warehouse

    @contextmanager
    def sync(
        self, key: str, *, run_id: str | None, planned: Sequence[str] = (), confirm_deletions: bool = False
    ) -> Iterator[Sync]:
        """Everything that pulls of one integration need, while no other run of it goes on.

        Args:
            key: The integration.
            run_id: Dagster's id of the run.
            planned: Entities that the run will pull, in their order.
            confirm_deletions: What a sweep does not see is gone at once.

        Raises:
            UnknownIntegration: there is none of this key.
            Busy: another run of it is going on.
            BillError: BILL refused; the integration is marked when its credentials were.
        """
        with (
            open_sync(
                self.warehouse,
                key,
                run_id=run_id,
                planned=planned,
                on_progress=_tell,
                confirm_deletions=confirm_deletions,
            ) as sync,
            sync.alone(),
        ):
            yield sync

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:  # noqa: ARG002 - Dagster's signature
        """Closes the database."""
        if self._warehouse is not None:
            self._warehouse.close()
            self._warehouse = None
