"""The pulls as one multi-asset that walks the sync plan.

Each entity is an asset with its own materialization and check; the plan's order and the gate before the first gated
step hold for every selection, gaps included, because one function walks them.
"""

from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import KW_ONLY, asdict, dataclass, field, replace

import dagster as dg

from billcom_assets.assets import book_checks, checks_alone, command_runs
from billcom_assets.assets.aging import AGINGS, aging_metadata
from billcom_assets.assets.alignment import align
from billcom_assets.assets.books import Books
from billcom_assets.assets.failures import failure_for
from billcom_assets.assets.gate import Gate
from billcom_assets.assets.metadata import pull_metadata, told
from billcom_assets.assets.permitted import Permitted
from billcom_assets.assets.refused_lists import RefusedLists
from billcom_assets.assets.results import Event, Results
from billcom_assets.assets.specs import asset_specs
from billcom_assets.bill.errors import LIST_TROUBLE, AuthenticationRefused, SessionsExhausted, Unreachable
from billcom_assets.checks import alignment, prerequisites, quality
from billcom_assets.clock import utc_now
from billcom_assets.documents.known import summary
from billcom_assets.documents.reading import read_documents
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.model import Entity
from billcom_assets.entities.plan import ALIGNMENT, BOOKS, DOCUMENTS, GATE, LEDGER_DOCUMENTS, Step, sync_plan
from billcom_assets.environment import document_files
from billcom_assets.mapping.kinds import KINDS
from billcom_assets.mapping.mergers import follow_mergers
from billcom_assets.mapping.suggestions import suggest
from billcom_assets.resources import Billcom
from billcom_assets.setup.exclusions import left_out
from billcom_assets.sync.engine import pull
from billcom_assets.sync.permissions import is_not_permitted
from billcom_assets.sync.report import PullReport
from billcom_assets.sync.run import Sync
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.audit import Actor, How, What
from billcom_assets.warehouse.errors import WarehouseError, describe

PULLS = "pulls"
"""Name of the op that walks the plan."""
BOOKS_FAILED = "books"
"""What a run that could not post names as failed."""
_PLAN = tuple(sync_plan(CATALOG))
_SEEN_BY_THE_GATE = {name for step in _PLAN if step.name == GATE for name in step.reads}


class PullConfig(dg.Config):
    """How the pulls of a run read."""

    refresh: bool = False
    """Read every list from end to end and note what BILL no longer has."""
    confirm_deletions: bool = False
    """What this refresh does not see is gone; without it a second one on another day must miss it too."""


@dg.multi_asset(
    name=PULLS,
    specs=[*asset_specs(CATALOG)],
    check_specs=[*prerequisites.specs(), alignment.spec(), *quality.specs(CATALOG)],
    can_subset=True,
)
def pulls(context: dg.AssetExecutionContext, config: PullConfig, billcom: Billcom) -> Iterator[Event]:
    """Brings the selected entities of one integration up to date, in the order of the sync plan."""
    if not context.op_execution_context.selected_asset_keys:
        yield from checks_alone.execute(context, billcom, context.selected_asset_check_keys)
        return
    key = context.partition_key
    selected = {asset.to_user_string() for asset in context.op_execution_context.selected_asset_keys}
    steps = [step for step in _PLAN if step.name in selected]
    wanted = [step.entity.name for step in steps if step.entity is not None]
    refused = RefusedLists(key)
    try:
        permitted = Permitted.of(billcom.warehouse, key, wanted, utc_now())
        planned = list(filter(permitted.asks_for, wanted))
        with billcom.sync(
            key, run_id=context.run.run_id, planned=planned, confirm_deletions=config.confirm_deletions
        ) as sync:
            sync.asks_v2 = permitted.asks_v2
            if config.confirm_deletions and command_runs.COMMAND_TAG not in context.run.tags:
                _record_confirmation(sync, planned)
            results = Results(context)
            walk = Walk(context, sync, results, permitted, refused, refresh=config.refresh)
            pulled = yield from walk.take(steps)
            # Last, because what has just been pulled may refer to what was pulled after it.
            looked = (quality.look(sync, name) for name in pulled if results.is_selected(name, quality.NAME))
            yield from map(results.evaluated, looked)
            refusals = permitted.refusals.items()
            yield from (quality.not_permitted(name, key, one) for name, one in refusals if name in CATALOG)
            # Last, where the UI shows a run's log first.
            context.log.info("\n".join([f"{key}: {'what' if walk.told else 'nothing'} was pulled", *walk.told]))
            if permitted.excluded:
                context.log.info(left_out(key, permitted.excluded))
    except Exception as error:  # noqa: BLE001 - Dagster would keep its text, and that of all that led to it
        raise failure_for(key, error).with_traceback(error.__traceback__) from None
    refused.end_run()


def checks_of(assets: Collection[dg.AssetKey]) -> list[dg.AssetCheckKey]:
    """The checks that every run of these assets looks at; those beside them have their own times."""
    return sorted(key for key in pulls.check_keys if key.asset_key in assets)


@dataclass
class Walk:
    """One walk along the plan."""

    context: dg.AssetExecutionContext
    sync: Sync
    results: Results
    permitted: Permitted
    refused: RefusedLists
    _: KW_ONLY
    refresh: bool
    told: list[str] = field(default_factory=list)
    """What each pull did, in a line."""

    books_are_behind: bool | None = None
    """None until somebody asks."""

    def __post_init__(self) -> None:
        self.books = Books(self.sync)

    def take(self, steps: Sequence[Step]) -> Generator[Event, None, list[str]]:
        """Takes the steps in their order, up to the gate while that is closed; returns what was pulled."""
        gate = Gate(self.context, self.sync, self.results)
        pulled: list[str] = []
        last_of_books = next((step.name for step in reversed(steps) if step.name in BOOKS), None)
        for step in steps:
            if step.is_gated:
                yield from gate.examine()
                if not gate.is_open:
                    return pulled
            if step.name == ALIGNMENT and not self._is_behind(step, steps, pulled):
                yield from align(self.sync, self.results)
            if step.name in AGINGS and not self._is_behind(step, steps, pulled):
                yield self.results.materialized(step.name, aging_metadata(self.sync, AGINGS[step.name]))
            if step.name in BOOKS and not self._are_books_behind(step, steps, pulled):
                yield from self._post(step.name)
                if step.name == last_of_books and (posted := self.books.report):
                    yield from book_checks.evaluations(self.context, self.sync, has_posted=not posted.is_quiet)
            if step.name == DOCUMENTS:
                yield from self._read_documents()
            if step.entity is None or (step.entity.gated and self.refused.hold_back(step.name)):
                continue
            if self.permitted.asks_for(step.name) and (reports := self._pull(step.entity)):
                metadata = pull_metadata(self.sync, step.entity, reports)
                self.told += map(told, reports)
                yield self.results.materialized(step.name, metadata, "\n".join(map(told, reports)))
                pulled.append(step.name)
        if any(step.name in _SEEN_BY_THE_GATE for step in steps):
            yield from gate.report()
        return pulled

    def _post(self, name: str) -> Iterator[Event]:
        """Brings the books up to date, of which the asset shows a part."""
        if BOOKS_FAILED in self.refused.errors:
            return
        try:
            metadata = self.books.materialized(name)
        except WarehouseError as error:
            self.refused.add(BOOKS_FAILED, error)
            self.context.log.error(describe(error))
            return
        yield self.results.materialized(name, metadata)

    def _read_documents(self) -> Iterator[Event]:
        """Fetches what is attached, where somebody wants it."""
        if not self.sync.keeps_documents:
            return
        try:
            report = read_documents(self.sync, document_files(), refresh=self.refresh)
        except WarehouseError as error:
            self.refused.add(DOCUMENTS, error)
            self.context.log.error(describe(error))
            return
        with self.sync.warehouse.read() as connection:
            known = summary(connection, self.sync.integration)
        yield self.results.materialized(DOCUMENTS, {**asdict(report), **asdict(known)})

    def _is_behind(self, step: Step, steps: Sequence[Step], pulled: Sequence[str]) -> bool:
        """True when something that the step looks at was to be pulled in this run, and was not."""
        wanted = {one.name for one in steps if one.entity is not None}.difference(self.permitted.excluded)
        missing = wanted.intersection(step.reads).difference(pulled)
        if missing:
            names = " and ".join(sorted(missing)).replace("_", " ")
            self.context.log.warning(f"{step.name} is left as it is: {names} could not be pulled.")
        return bool(missing)

    def _are_books_behind(self, first: Step, steps: Sequence[Step], pulled: Sequence[str]) -> bool:
        """True when something that posting looks at was to be pulled in this run, and was not; said once."""
        if self.books_are_behind is None:
            reads = tuple(dict.fromkeys(name for named in LEDGER_DOCUMENTS.values() for name in named))
            self.books_are_behind = self._is_behind(replace(first, name="The journal", reads=reads), steps, pulled)
        return self.books_are_behind

    def _pull(self, entity: Entity) -> Sequence[PullReport]:
        """Pulls one entity; nothing when its list cannot be had, which says nothing about the others.

        Raises:
            BillError: it concerns all lists.
        """
        try:
            if entity.is_of_v2 and not self.sync.asks_v2 and self.sync.v2_trouble is not None:
                # It is away, which has been waited for once.
                raise self.sync.v2_trouble
            reports = pull(self.sync, entity, refresh=self.refresh)
        except (*LIST_TROUBLE, AuthenticationRefused, SessionsExhausted, Unreachable) as error:
            # What is wrong with v2 says nothing about v3.
            if not (isinstance(error, LIST_TROUBLE) or entity.is_of_v2):
                raise
            if is_not_permitted(entity, error):
                self.permitted.refuse(self.sync, entity.name, error)
                self.context.log.warning(describe(error))
                return ()
            self.refused.add(entity.name, error)
            self.context.log.error(describe(error))
            if self.refused.is_bill_away:
                raise
            return ()
        self.refused.note_success()
        self.permitted.allow(self.sync, entity.name)
        self.permitted.note_v2(self.sync)
        # What was read again with it may have changed, too.
        for name in dict.fromkeys([entity.name, *(one.entity for one in reports if one.counts.written)]):
            _suggest(self.sync, self.sync.catalog[name])
        return reports


def _record_confirmation(sync: Sync, planned: Sequence[str]) -> None:
    """A command records by itself who confirms deletions; of a run from the UI only Dagster's own user is known."""
    with sync.warehouse.write() as connection:
        audit.record(
            connection,
            actor=Actor.of_process(How.UI),
            what=What.DELETIONS_CONFIRMED,
            integration=sync.integration,
            subject=", ".join(planned),
            after={"run": sync.run_id},
            now=utc_now(),
        )


def _suggest(sync: Sync, entity: Entity) -> None:
    """Looks for the ledger counterparts of what is new or changed."""
    if entity.name in KINDS and sync.changes.get(entity.name, set()) != set():
        with sync.warehouse.write() as connection:
            sync.fence.check(connection)
            # Nobody decides: it follows from what BILL says, as what a sensor does.
            follow_mergers(connection, sync.integration, entity.name, Actor.of_process(How.SENSOR), utc_now())
            suggest(connection, sync.integration, utc_now(), kinds=(entity.name,))
