"""The books of one integration, posted to run by run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal

from billcom_assets_tests.books.reference.drafts import Draft, Part, draft_of
from billcom_assets_tests.books.reference.entries import Application, Balance, DocumentState, Entry, Line
from billcom_assets_tests.books.reference.exchange import Difference, OpenValue, with_differences
from billcom_assets_tests.books.reference.money import ZERO, home_shares
from billcom_assets_tests.books.reference.policy import Policy
from billcom_assets_tests.books.reference.references import References
from billcom_assets_tests.books.reference.scope import (
    Scope,
    leaves_books,
    may_not_change_to,
    out_of_scope,
    posts_as_opposite,
    reversal_day,
)
from billcom_assets_tests.books.reference.snapshot import (
    ALL_KINDS,
    BILLS,
    CREDIT_MEMOS,
    VENDOR_CREDITS,
    Document,
    Snapshot,
)

Key = tuple[str, str]
_CREDITS = (VENDOR_CREDITS, CREDIT_MEMOS)
_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass
class _Standing:
    """An entry that stands, with what it was made of."""

    entry: Entry
    draft: Draft
    applications: list[Application]

    @property
    def control_home(self) -> Decimal:
        """What is booked on the control account: positive for bills and invoices."""
        return -self.draft.side * sum((line.home for line in self.entry.lines if line.role == "control"), ZERO)


@dataclass
class _Record:
    """What the books remember of one document."""

    document: Document
    standing: _Standing | None = None
    without_entry: Draft | None = None
    """What it was when it was imported without lines to post."""
    came_in_under: date | None = None
    """The cutoff under which it came in, ``date.min`` for none; None while it never did."""
    entries: int = 0

    @property
    def key(self) -> Key:
        return self.document.kind, self.document.id

    @property
    def order(self) -> tuple[int, datetime, str]:
        """Where its turn comes in a run."""
        return ALL_KINDS.index(self.document.kind), self.document.created or _LAST, self.document.id

    @property
    def number(self) -> Key | None:
        """Vendor and number of a bill, by which a second one is known; None without a number."""
        number = "".join((self.document.number or "").split()).lower()
        vendor = self.document.party
        return (vendor, number) if self.document.kind == BILLS and number and vendor is not None else None


@dataclass
class _Turn:
    """What a run has to do with one document."""

    record: _Record
    draft: Draft
    cutoff: date
    posts: bool = False
    """It is to post, unless codes forbid it."""
    reason: str | None = None
    codes: set[str] = field(default_factory=set)


@dataclass
class _Settling:
    """What an entry has to do with those of other documents.

    Attributes:
        differences: What it books beside the document's own value.
        new: What the document settles.
        earlier: What settled the document before it was posted, with the home value that it took.
    """

    differences: list[Difference] = field(default_factory=list)
    new: list[Application] = field(default_factory=list)
    earlier: list[tuple[Application, Decimal]] = field(default_factory=list)


@dataclass(frozen=True)
class _Run:
    """What a run is made with."""

    snapshot: Snapshot
    policy: Policy
    cutoff: date
    today: date
    reposting: bool


class ReferenceBooks:
    """The books of one integration.

    Attributes:
        entries: All entries in the order in which they were made.
        documents: What became of each document, by kind and id.
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.documents: dict[Key, DocumentState] = {}
        self._records: dict[Key, _Record] = {}

    def post(
        self,
        snapshot: Snapshot,
        policy: Policy,
        cutoff: date | None,
        today: date,
        *,
        kinds: Collection[str] = ALL_KINDS,
        reposting: bool = False,
    ) -> None:
        """Makes one run: what left the books is reversed, what changed is reversed and posted again, the rest posted.

        Args:
            snapshot: What is known now.
            policy: The posting policy now.
            cutoff: First day of the books; None for all of BILL's history.
            today: UTC day on which the run starts.
            kinds: Kinds of documents to look at; the others stay as they are.
            reposting: A person confirmed that entries which stand follow today's policy and mappings.
        """
        run = _Run(snapshot, policy, cutoff or date.min, today, reposting)
        records = sorted(
            (self._record(document) for document in snapshot.documents if document.kind in kinds),
            key=lambda record: record.order,
        )
        for record in records:
            self._reverse_what_left(record, run)
        turns = [self._turn(record, run) for record in records]
        numbers = _Numbers(turns)
        lifted = {turn.record.key: _lift(turn.record) for turn in turns if turn.posts and not turn.codes}
        for turn in turns:
            if not turn.posts or turn.codes:
                self._follow_usages(turn, run)
        for turn in turns:
            if turn.posts and not turn.codes:
                self._take(turn, run, numbers, lifted.get(turn.record.key))
        for turn in turns:
            if turn.codes:
                numbers.mark(turn)
            self.documents[turn.record.key] = _state(turn)

    def standing_entries(self) -> dict[Key, Entry]:
        """The entries that are not reversed, by kind and id of their documents."""
        return {key: record.standing.entry for key, record in self._records.items() if record.standing is not None}

    def applications(self) -> list[Application]:
        """What standing payments and credits settle."""
        return [one for record in self._records.values() for one in _applications(record)]

    def trial_balance(self) -> dict[str, Balance]:
        """The sums of all lines by ledger account, reversals included, whatever their date."""
        sums: dict[str, Balance] = {}
        for line in (line for entry in self.entries for line in entry.lines):
            before = sums.get(line.account, Balance())
            sums[line.account] = Balance(debit=before.debit + line.debit, credit=before.credit + line.credit)
        return sums

    def _record(self, document: Document) -> _Record:
        record = self._records.setdefault((document.kind, document.id), _Record(document))
        record.document = document
        return record

    def _reverse_what_left(self, record: _Record, run: _Run) -> None:
        if record.standing is None:
            return
        reason = leaves_books(
            record.document,
            _scope(record, run),
            as_opposite=record.standing.draft.opposite,
            reposting=run.reposting,
        )
        if reason is not None:
            day = reversal_day(record.document, reason, record.standing.entry.posting_date)
            self._reverse(record, record.standing, run.policy.first_open_day(day))
            record.standing = None
            self._no_longer_settled(record)

    def _reverse(self, record: _Record, standing: _Standing, day: date) -> None:
        record.entries += 1
        self.entries.append(standing.entry.reversal(record.entries, day))

    def _turn(self, record: _Record, run: _Run) -> _Turn:
        scope = _scope(record, run)
        opposite = posts_as_opposite(record.document, scope)
        draft = draft_of(record.document, run.snapshot, run.policy, opposite=opposite)
        turn = _Turn(record, draft, scope.cutoff)
        if record.standing is not None:
            if record.standing.draft.content == draft.content:
                booked = abs(record.standing.draft.home_amount or ZERO)
                draft = draft_of(record.document, run.snapshot, run.policy, opposite=opposite, booked=booked)
                turn.draft = draft
            turn.posts = _differs(record.standing, draft, run) and not may_not_change_to(record.document, scope)
            turn.codes = set(draft.codes) if turn.posts else set()
            if turn.codes and record.standing.draft.content == draft.content:
                # Only its coding would change, and cannot: nobody has to do anything about what stands.
                turn.posts, turn.codes = False, set()
            return turn
        turn.reason = out_of_scope(record.document, scope)
        if turn.reason is not None:
            record.without_entry = None
        elif record.without_entry is None or record.without_entry.content != draft.content:
            record.without_entry = None
            turn.posts, turn.codes = True, set(draft.codes)
            if draft.dated is not None and run.policy.late == "hold" and "DENIED" not in turn.codes:
                is_closed = run.policy.is_closed(max(draft.dated, scope.cutoff))
                turn.codes |= {"PERIOD_CLOSED"} if is_closed else set()
        return turn

    def _take(self, turn: _Turn, run: _Run, numbers: _Numbers, old: _Standing | None) -> None:
        """The document's turn; ``old`` is the entry that its new one replaces."""
        if old is None:
            numbers.mark(turn)
        settling = _Settling() if turn.codes else self._settling(turn, run.policy.home_currency)
        turn.codes |= _exchange_codes(settling.differences, run)
        if turn.codes:
            turn.record.standing = old
            if old is not None and old.draft.content == turn.draft.content:
                turn.codes = set()
            self._follow_usages(turn, run)
            return
        self._post(turn, run, settling, old)
        numbers.add(turn)

    def _post(self, turn: _Turn, run: _Run, settling: _Settling, old: _Standing | None) -> None:
        record, draft = turn.record, turn.draft
        if old is not None:
            self._reverse(record, old, run.policy.first_open_day(old.entry.posting_date))
        if old is None or record.came_in_under is None:
            record.came_in_under = turn.cutoff
        lines = with_differences(draft, settling.differences, run.policy.exchange_gain_loss or "")
        if not lines:
            record.without_entry = draft
            self._no_longer_settled(record)
            return
        entry = self._entry(record, draft, lines, run.policy)
        self.entries.append(entry)
        record.standing = _Standing(entry, draft, [replace(one, date=entry.posting_date) for one in settling.new])
        for one, taken in settling.earlier:
            self._replace_application(one, replace(one, settled_home_amount=taken))

    def _entry(self, record: _Record, draft: Draft, lines: tuple[Line, ...], policy: Policy) -> Entry:
        is_complete = all(line.account for line in lines) and draft.home_amount is not None
        if not is_complete or draft.document_date is None or draft.dated is None:
            raise AssertionError(record.key)
        record.entries += 1
        return Entry(
            kind=record.document.kind,
            document_id=record.document.id,
            sequence=record.entries,
            type="posting",
            document_date=draft.document_date,
            posting_date=policy.first_open_day(max(draft.dated, record.came_in_under or date.min)),
            currency=draft.currency,
            amount=draft.amount,
            home_amount=draft.home_amount or ZERO,
            lines=lines,
        )

    def _settling(self, turn: _Turn, home: str) -> _Settling:
        """What the entry books beside the document's own value, and what it settles."""
        draft, settling, open_values = turn.draft, _Settling(), dict[Key, OpenValue | None]()
        self._settled_before(turn, settling, home)
        for part in draft.parts:
            key = (part.settled_kind, part.settled_id)
            if key not in open_values:
                open_values[key] = self._open_value(key, draft, home)
            value = open_values[key]
            taken = part.home if value is None else value.take(part.amount, part.home, home)
            settling.new.append(_application(turn.record.document, part, taken))
            difference = draft.side * (taken - part.home)
            settling.differences.append(
                Difference(control=part.control, home=difference, source_line=part.position, settles=part.settled_id)
            )
        return settling

    def _settled_before(self, turn: _Turn, settling: _Settling, home: str) -> None:
        """Adds what settlements that were posted before the foreign document booked otherwise than it does."""
        draft = turn.draft
        if draft.currency == home or not draft.makes_an_entry:
            return
        value = OpenValue(draft.amount, draft.home_amount or ZERO)
        for one in self._applications_to(turn.record.key):
            by = self._records[one.kind, one.document_id].standing
            if by is not None and by.draft.currency == draft.currency:
                taken = value.take(one.amount, one.home_amount, home)
                settling.earlier.append((one, taken))
                settling.differences.append(Difference(control=0, home=-draft.side * (one.home_amount - taken)))

    def _open_value(self, key: Key, settling: Draft, home: str) -> OpenValue | None:
        """What is open of a foreign document that stands; None for any other, which settlements do not look at."""
        record = self._records.get(key)
        standing = None if record is None else record.standing
        if standing is None or not home != standing.draft.currency == settling.currency:
            return None
        value = OpenValue(standing.draft.amount, standing.control_home)
        for one in self._applications_to(key):
            if one.amount * standing.draft.amount > 0:
                value.amount -= one.amount
                value.home -= one.home_amount
        return value

    def _applications_to(self, key: Key) -> list[Application]:
        """What standing documents settle of this one, in the order of a run."""
        settling = sorted(
            (record for record in self._records.values() if any(one.settled == key for one in _applications(record))),
            key=lambda record: record.order,
        )
        return [one for record in settling for one in _applications(record) if one.settled == key]

    def _no_longer_settled(self, record: _Record) -> None:
        for one in self._applications_to(record.key):
            self._replace_application(one, replace(one, settled_home_amount=one.home_amount))

    def _replace_application(self, old: Application, new: Application) -> None:
        standing = self._records[old.kind, old.document_id].standing
        if standing is not None:
            standing.applications = [new if one is old else one for one in standing.applications]

    def _follow_usages(self, turn: _Turn, run: _Run) -> None:
        """A credit that stands is used on other bills than it was: their applications change, its entry does not."""
        standing = turn.record.standing
        if standing is None or turn.record.document.kind not in _CREDITS:
            return
        known = list(standing.applications)
        standing.applications = []
        homes = _own_values(standing.draft, turn.draft.parts, run.policy.home_currency)
        for part, own in zip(turn.draft.parts, homes, strict=True):
            same = [one for one in known if _usage(one) == (part.settled_id, part.payment, part.amount)]
            if same:
                known.remove(same[0])
                standing.applications.append(replace(same[0], position=part.position))
                continue
            new = _application(turn.record.document, replace(part, home=own), own)
            standing.applications.append(replace(new, date=standing.entry.posting_date))


class _Numbers:
    """Which bills have which number: of each vendor's, one may stand."""

    def __init__(self, turns: Iterable[_Turn]) -> None:
        self._holders: dict[Key, set[str]] = {}
        standing = [turn for turn in turns if turn.record.standing is not None]
        for turn in standing:
            if not turn.posts or turn.codes or turn.draft.makes_an_entry:
                self.add(turn)
        for turn in standing:
            self.mark(turn)

    def add(self, turn: _Turn) -> None:
        """The bill stands, if it has an entry."""
        if turn.record.number is not None and turn.record.standing is not None:
            self._holders.setdefault(turn.record.number, set()).add(turn.record.document.id)

    def mark(self, turn: _Turn) -> None:
        """Says of a bill that is to post that another one which stands has its number."""
        number = turn.record.number
        holders = self._holders.get(number, set()) if number is not None else set()
        if turn.posts and "DENIED" not in turn.codes and holders - {turn.record.document.id}:
            turn.codes.add("DUPLICATE_NUMBER")


def _scope(record: _Record, run: _Run) -> Scope:
    """What stands is judged by the cutoff under which it came in, unless the present one is earlier."""
    came_in_under = None if record.standing is None else record.came_in_under
    earlier = min(came_in_under or date.max, run.cutoff)
    was_reversed = record.standing is None and record.entries > 0
    return Scope(policy=run.policy, cutoff=earlier, today=run.today, was_reversed=was_reversed)


def _lift(record: _Record) -> _Standing | None:
    """Takes the entry that another one will replace out of what stands."""
    standing, record.standing = record.standing, None
    return standing


def _differs(standing: _Standing, draft: Draft, run: _Run) -> bool:
    if standing.draft.content != draft.content:
        return True
    gains_on = {line.account for line in standing.entry.lines if line.role == "exchange"}
    is_elsewhere = bool(gains_on - {run.policy.exchange_gain_loss})
    return run.reposting and (is_elsewhere or _booked_on(standing.draft) != _booked_on(draft))


def _booked_on(draft: Draft) -> list[Line]:
    """The lines without their home values: what was booked at a rate stays."""
    return [replace(line, home=ZERO) for line in draft.lines if line.amount]


def _exchange_codes(differences: Iterable[Difference], run: _Run) -> set[str]:
    references = References(run.snapshot, run.policy)
    if any(one.home for one in differences):
        references.setting("exchange_gain_loss")
    return references.codes


def _applications(record: _Record) -> list[Application]:
    return [] if record.standing is None else record.standing.applications


def _usage(one: Application) -> tuple[str, str | None, Decimal]:
    return one.settled_id, one.payment, one.amount


def _own_values(credit: Draft, parts: Sequence[Part], home: str) -> list[Decimal]:
    """What parts of a credit that stands are in the home currency, by the rate at which it was booked."""
    amounts = [part.amount for part in parts]
    return amounts if credit.currency == home else home_shares(credit.home_amount or ZERO, amounts, credit.amount, home)


def _application(document: Document, part: Part, taken: Decimal) -> Application:
    return Application(
        kind=document.kind,
        document_id=document.id,
        position=part.position,
        settled_kind=part.settled_kind,
        settled_id=part.settled_id,
        amount=part.amount,
        own_home_amount=part.home,
        home_amount=taken,
        settled_home_amount=taken,
        date=date.min,
        payment=part.payment,
    )


def _state(turn: _Turn) -> DocumentState:
    record, standing = turn.record, turn.record.standing
    stands = standing is not None or record.without_entry is not None
    shown = turn.draft if standing is None else standing.draft
    return DocumentState(
        kind=record.document.kind,
        id=record.document.id,
        state="imported" if stands else "held" if turn.reason is None else "out_of_scope",
        reason=turn.reason,
        held=frozenset(turn.codes),
        entry_id=None if standing is None else standing.entry.id,
        number=record.document.number,
        party=record.document.party,
        document_date=record.document.date,
        posting_date=None if standing is None else standing.entry.posting_date,
        currency=shown.currency,
        amount=shown.amount,
        home_amount=shown.home_amount,
    )
