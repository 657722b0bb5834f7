"""``billcom errors``: what waits for somebody, and what they decide about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

import click
from rich.console import Console

from billcom_assets.books import queue
from billcom_assets.books.held import REASONS
from billcom_assets.books.kinds import KINDS
from billcom_assets.books.queue import Decided, Retried, Subject
from billcom_assets.books.queue_list import (
    OTHER_CODES,
    Held,
    ListedDocument,
    OpenReason,
    OtherError,
    Queue,
    Wanted,
)
from billcom_assets.cli.app import BillcomCommand
from billcom_assets.cli.database import opened
from billcom_assets.cli.options import acting, as_option, key_argument
from billcom_assets.cli.output import Output, clean, pass_output, shown, table, words
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.redaction.close_matches import did_you_mean, listed, quoted
from billcom_assets.redaction.counted import counted
from billcom_assets.redaction.display import one_line
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.sync.permissions import V2_API
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.known_integrations import require_integration

_SHOWN: Final = 20
_KINDS: Final = tuple(dict.fromkeys((*KINDS, *CATALOG.names(), V2_API)))
_STATUSES: Final = {"ignored": "set aside", "resolved": "closed"}
_WHOLE: Final = ("ID", "Number", "Date", "", "Since")


@click.command(
    cls=BillcomCommand,
    examples=(
        "billcom errors acme-us",
        "billcom errors acme-us --reason VENDOR_UNMAPPED --limit 100",
        "billcom errors acme-us --all --json",
        "billcom errors acme-us --retry 17",
        'billcom errors acme-us --ignore 17 --reason "Paid by hand in March"',
        "billcom errors acme-us --reopen 17",
    ),
)
@key_argument
@click.option("--open", "only_open", is_flag=True, help="List what is open; so it does without this, too.")
@click.option("--all", "everything", is_flag=True, help="List what is set aside or closed, too.")
@click.option(
    "--reason",
    metavar="CODE|TEXT",
    help="CODE, such as VENDOR_UNMAPPED: list only errors of this reason. With --ignore it is a TEXT: why.",
)
@click.option("--kind", metavar="KIND", help="List only errors of this kind of object, such as bills.")
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(min=1),
    help=f"List so many documents; {_SHOWN} without this. --json lists all.",
)
@click.option("--retry", metavar="ID", type=click.IntRange(min=1), help="Try now to post the document of this error.")
@click.option(
    "--ignore",
    metavar="ID",
    type=click.IntRange(min=1),
    help="Set the document of this error aside: it stays held and never posts. --reason says why.",
)
@click.option("--reopen", metavar="ID", type=click.IntRange(min=1), help="Take back an --ignore.")
@as_option
@pass_output
def errors(
    output: Output,
    /,
    *,
    key: str,
    only_open: bool,
    everything: bool,
    reason: str | None,
    kind: str | None,
    limit: int | None,
    retry: int | None,
    ignore: int | None,
    reopen: int | None,
    as_name: str | None,
) -> None:
    """Lists the documents that are held out of the books and what else is wrong, each with its fix; or decides on one.

    An error closes by itself at the next sync after its cause is gone; --retry does not wait for that. ID is the
    number in the list. Every reason is explained in docs/held-documents.md.
    """
    deciding = {"--retry": retry, "--ignore": ignore, "--reopen": reopen}
    listing = {"--open": only_open, "--all": everything, "--kind": kind, "--limit": limit}
    chosen = [name for name, value in deciding.items() if value is not None]
    _check(key, chosen, [name for name, value in listing.items() if value], reason)
    if not chosen:
        wanted = Wanted(key, everything, _code(reason), _kind(kind))
        _list(output, opened(), wanted, limit or _SHOWN)
        return
    warehouse, actor = opened(), acting(as_name)
    if retry is not None:
        _show_retried(output, queue.retry(warehouse, key, retry, actor=actor))
    elif ignore is not None:
        _show_set_aside(output, queue.set_aside(warehouse, key, ignore, reason=reason or "", actor=actor))
    elif reopen is not None:
        _show_reopened(output, queue.reopen(warehouse, key, reopen, actor=actor))


def _check(key: str, chosen: Sequence[str], listing: Sequence[str], reason: str | None) -> None:
    """Refuses options that do not go together."""
    if len(chosen) > 1:
        raise click.UsageError(f"{' and '.join(chosen)} are two decisions. Take one after the other.")
    if len(listing) > 1 and {"--open", "--all"} <= set(listing):
        raise click.UsageError("--open and --all contradict each other.")
    if not chosen:
        return
    if listing:
        raise click.UsageError(f"{chosen[0]} decides on one error, and {listing[0]} is for the list.")
    if chosen[0] == "--ignore" and reason is None:
        raise click.UsageError(
            f'Say why: billcom errors {one_line(key, limit=60)} --ignore ID --reason "In a few words"'
        )
    if chosen[0] != "--ignore" and reason is not None:
        raise click.UsageError(f"{chosen[0]} takes no --reason.")


def _code(reason: str | None) -> str | None:
    """The code of the errors that are wanted, however it was written."""
    if reason is None:
        return None
    known = {code.lower(): code for code in (*REASONS, *OTHER_CODES)}
    if reason.lower() in known:
        return known[reason.lower()]
    guess, codes = did_you_mean(reason, known.values()), ", ".join(known.values())
    raise click.UsageError(
        f"There is no reason {quoted(reason)}.{guess} Known are: {codes}. Why other documents are not in the books, "
        "docs/held-documents.md says; to give a reason of your own, add --ignore ID."
    )


def _kind(kind: str | None) -> str | None:
    if kind is not None and kind not in _KINDS:
        guess = did_you_mean(kind, _KINDS)
        raise click.UsageError(f"There is no kind {quoted(kind)}.{guess} Known are: {listed(_KINDS)}.")
    return kind


# The list ------------------------------------------------------------------------------------------------------------


def _list(output: Output, warehouse: Warehouse, wanted: Wanted, limit: int) -> None:
    with warehouse.read() as connection:
        require_integration(connection, wanted.integration)
        found = Queue(connection, warehouse.mirror, wanted)
        held, reasons = found.held(), found.reasons()
        if output.as_json:
            document = {
                "integration": wanted.integration,
                "held": asdict(held),
                "reasons": [asdict(one) for one in reasons],
                "errors": list(found.rows()),
            }
            output.result(document, lambda _console: None)
            return
        documents, others = found.documents(limit), found.others(limit)
    _render_held(output.out, wanted.integration, held)
    for one in reasons:
        _render_reason(output.out, one)
    _render_documents(output.out, wanted, *documents)
    _render_others(output.out, wanted, *others)
    output.out.print()
    if not (documents[1] or others[1]):
        output.out.print("No error matches." if wanted.is_narrow or wanted.everything else "No error is open.")
    else:
        output.out.print(f"Try one now: billcom errors {wanted.integration} --retry ID", soft_wrap=True)
        output.out.print(
            f"Set one aside: billcom errors {wanted.integration} --ignore ID --reason TEXT", soft_wrap=True
        )


def _render_held(console: Console, key: str, held: Held) -> None:
    if held.posted_at is None:
        console.print(f"No document was looked at yet. Next: billcom sync {key}", soft_wrap=True)
        return
    if not held.documents:
        console.print("No document is held.")
        return
    aside = f"; {held.set_aside:,} of them set aside by somebody" if held.set_aside else ""
    documents = counted(held.documents, "document is", "documents are")
    console.print(f"{documents} held: {_money(held.amounts)}{aside}.", soft_wrap=True)


def _render_reason(console: Console, one: OpenReason) -> None:
    console.print()
    documents = counted(one.documents, "document", "documents")
    console.print(f"{one.code}: {documents}, {_money(one.amounts)}", style="bold", soft_wrap=True)
    for cause in one.causes:
        console.print(f"  {clean(cause)}", soft_wrap=True)
    if one.more_causes:
        console.print(f"  ... and {one.more_causes:,} more like these")
    console.print(f"  Next: {clean(one.fix)}", soft_wrap=True)


def _render_documents(console: Console, wanted: Wanted, found: Sequence[ListedDocument], total: int) -> None:
    for _, of_first_reason in groupby(found, lambda one: (one.status, one.reasons[0], one.kind)):
        # Those that are held for the same reasons stand together.
        same = sorted(of_first_reason, key=lambda one: (len(one.reasons), one.reasons))
        for reasons, documents in groupby(same, lambda one: one.reasons):
            first, *others = documents
            console.print()
            title = f"{', '.join(reasons)}: {words(first.kind)}{_status(first.status)}"
            console.print(title, style="bold", soft_wrap=True)
            columns = ("ID", "Number", "Name", "Date", "Amount", "", "Since", "Note")
            rows = [_document_cells(one) for one in (first, *others)]
            console.print(table(columns, rows, whole=_WHOLE, wrap=("Note",), optional=("Name", "Note")))
    _render_more(console, wanted, len(found), total)


def _document_cells(one: ListedDocument) -> tuple[object, ...]:
    waits = "in the books; a change waits" if one.status == "open" and one.state == "imported" else ""
    note = one.set_aside_reason if one.status == "ignored" else waits
    # The number of an error is typed into the next command: nothing separates its thousands.
    return (
        *(str(one.error_id), one.number or one.id, one.party_name, one.document_date, one.amount, one.currency),
        *(one.first_seen_at.date(), note),
    )


def _render_others(console: Console, wanted: Wanted, found: Sequence[OtherError], total: int) -> None:
    if not found:
        return
    console.print()
    console.print(f"{counted(total, 'error', 'errors')} beside these, which hold no document:", style="bold")
    for one in found:
        where = " ".join(filter(None, (words(one.kind), one.id)))
        console.print(f"{one.error_id}  {one.code}, {where}{_status(one.status)}: {one.message}", soft_wrap=True)
        console.print(f"    {one.ignored_because or one.fix}", soft_wrap=True)
    _render_more(console, wanted, len(found), total)


def _render_more(console: Console, wanted: Wanted, listed_: int, total: int) -> None:
    if listed_ < total:
        options = {"--reason": wanted.code, "--kind": wanted.kind, "--limit": total}
        chosen = " ".join(f"{name} {value}" for name, value in options.items() if value is not None)
        everything = " --all" if wanted.everything else ""
        console.print(
            f"... and {total - listed_:,} more: billcom errors {wanted.integration}{everything} {chosen}",
            soft_wrap=True,
        )


def _status(status: str) -> str:
    return "" if status == "open" else f" ({_STATUSES[status]})"


def _money(amounts: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{shown(amount)} {currency}" for currency, amount in sorted(amounts.items())) or "no amount"


# Decisions -----------------------------------------------------------------------------------------------------------


def _show_set_aside(output: Output, decided: Decided) -> None:
    subject = decided.subject
    again = "" if decided.has_changed else " already"
    back = f"billcom errors {subject.integration} --reopen {subject.error_id}"
    done = (
        f"{subject.title} is set aside{again}: it stays held and does not post."
        if subject.is_of_document
        else f"Error {subject.error_id} about {subject.title} is ignored{again} until its cause is gone."
    )
    _show(output, subject, decided.has_changed, (done, f"To take that back: {back}"))


def _show_reopened(output: Output, decided: Decided) -> None:
    subject = decided.subject
    if not subject.is_of_document:
        done = f"Error {subject.error_id} about {subject.title} is {subject.status}."
        _show(output, subject, decided.has_changed, (done,))
        return
    was = "is no longer set aside" if decided.has_changed else "was not set aside"
    retry = f"billcom errors {subject.integration} --retry {subject.error_id}"
    posts = f"The next sync tries to post it; now: {retry}"
    is_held = decided.has_changed and subject.state == "held"
    _show(output, subject, decided.has_changed, (f"{subject.title} {was}.", *((posts,) if is_held else ())))


def _show_retried(output: Output, retried: Retried) -> None:
    subject = retried.subject
    lines = [f"{subject.title} {_became(retried)}"]
    for one in retried.reasons:
        lines += [f"  {one.code}: {excerpt(one.message, limit=400)}", f"    Next: {one.next_step}"]
    if retried.others_posted:
        others = counted(retried.others_posted, "other document was", "other documents were")
        lines.append(f"{others} posted as well.")
    document = {"reasons": [asdict(one) for one in retried.reasons], "others_posted": retried.others_posted}
    _show(output, subject, retried.has_posted, lines, document)


def _became(retried: Retried) -> str:
    subject = retried.subject
    if subject.state == "imported":
        now = "is posted" if retried.has_posted else "is in the books"
        entry = f" as entry {subject.entry_id} of {subject.posting_date}" if subject.entry_id else ", without an entry"
        waits = "; a change of it still waits:" if retried.reasons else "."
        return f"{now}{entry}{waits}"
    if subject.state == "out_of_scope":
        return f"is out of scope: {subject.out_of_scope}."
    return "is still held:"


def _show(
    output: Output,
    subject: Subject,
    has_changed: bool,
    lines: Sequence[str],
    more: Mapping[str, Any] | None = None,
) -> None:
    document = {
        "integration": subject.integration,
        "error_id": subject.error_id,
        "kind": subject.entity,
        "id": subject.record_id,
        "reason": subject.code,
        "status": subject.status,
        "state": subject.state,
        "out_of_scope": subject.out_of_scope,
        "entry_id": subject.entry_id,
        "posting_date": subject.posting_date,
        "set_aside_reason": subject.ignored_because,
        "has_changed": has_changed,
        **(more or {}),
    }

    def render(console: Console) -> None:
        for line in lines:
            console.print(clean(line), soft_wrap=True)

    output.result(document, render)
