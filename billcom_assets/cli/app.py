"""The command's frame: which commands there are, what every one of them takes, and how failures end it."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click
from click.exceptions import NoArgsIsHelpError, NoSuchCommand

from billcom_assets.cli.database import known_keys
from billcom_assets.cli.failures import ExitCode, Failure, explain
from billcom_assets.cli.output import Output, clean, to_json
from billcom_assets.redaction.close_matches import did_you_mean, quoted
from billcom_assets.warehouse.errors import describe, describe_where

_JSON, _DEBUG = "--json", "--debug"
_WHOLE = 1000
"""No first sentence of a help is as long."""


def _shared_options() -> list[click.Option]:
    """What every command takes; the frame looks at the arguments itself, because a wrong one ends parsing."""
    return [
        click.Option([_JSON], is_flag=True, expose_value=False, help="Print one JSON document, for scripts."),
        click.Option(
            [_DEBUG],
            is_flag=True,
            expose_value=False,
            help="When something unexpected goes wrong, show where in the program.",
        ),
    ]


class BillcomCommand(click.Command):
    """A command with the shared options that never repeats an argument it did not expect: it may be a password."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.examples = tuple(examples)
        self.params += _shared_options()
        self.allow_extra_args = True

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Ends the help with lines to copy."""
        if self.examples:
            with formatter.section("Examples" if len(self.examples) > 1 else "Example"):
                for example in self.examples:
                    for line in example.splitlines():
                        formatter.write(f"{'':>{formatter.current_indent}}{line}\n")

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuses words too many without showing them; names the keys there are where KEY is missing."""
        try:
            left = super().parse_args(ctx, args)
        except click.MissingParameter as missing:
            if missing.param is None or missing.param.name != "key":
                raise
            raise click.UsageError(f"The KEY of an integration is missing.{known_keys()}", ctx) from None
        if ctx.args and not ctx.resilient_parsing:
            extra = "There is one word" if len(ctx.args) == 1 else f"There are {len(ctx.args)} words"
            raise click.UsageError(f"{extra} too many. Put a value that holds spaces in quotes.", ctx)
        return left


class BillcomGroup(click.Group):
    """A group of such commands."""

    command_class = BillcomCommand
    group_class = type

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first word names."""
        try:
            return super().resolve_command(ctx, args)
        except NoSuchCommand as unknown:
            guess = did_you_mean(unknown.command_name, self.list_commands(ctx))
            raise click.UsageError(f"There is no command {quoted(unknown.command_name)}.{guess}", ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands with the first sentences of their helps, whole."""
        commands = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        with formatter.section("Commands"):
            formatter.write_dl([(name, one.get_short_help_str(limit=_WHOLE)) for name, one in commands.items() if one])


@dataclass(frozen=True)
class Lazy:
    """A command that is imported when it is used: some need Dagster, which takes seconds to import."""

    module: str
    summary: str

    def load(self, name: str) -> click.Command:
        """The command itself."""
        command: click.Command = getattr(import_module(f"billcom_assets.cli.{self.module}"), name)
        return command


COMMANDS = {
    "demo": Lazy("demo", "Show everything at once, on a simulated BILL."),
    "sandbox": Lazy("sandbox", "Serve a simulated BILL to try things on."),
    "connect": Lazy("connect", "Connect a BILL organization, or change its settings."),
    "validate": Lazy("connect", "Test an integration's login to BILL."),
    "status": Lazy("status", "Show how far the integrations are and what is missing."),
    "ledger": Lazy("ledger", "Load the company's own lists, or write the books as files."),
    "mappings": Lazy("mappings", "Link BILL's objects to the company's own."),
    "policy": Lazy("policy", "Decide how BILL's documents post into the books."),
    "align": Lazy("align", "Bring BILL's chart of accounts in line with the ledger's."),
    "seed": Lazy("runs", "Fetch BILL's lists for the first time."),
    "sync": Lazy("runs", "Fetch everything that changed in BILL."),
    "errors": Lazy("errors", "Show what is held out of the books and why, or decide on it."),
    "books": Lazy("books", "Show the books, trace a figure, post again, close a period."),
    "aging": Lazy("aging", "Show what is owed and since when, as of any day."),
    "reconcile": Lazy("reconcile", "Prove that the books agree with themselves and with BILL."),
    "documents": Lazy("documents", "Show the files attached in BILL, or open them."),
    "database": Lazy("database_roles", "Give people and programs their rights in the database."),
    "doctor": Lazy("doctor", "Check the whole installation, and say how to mend it."),
    "metrics": Lazy("metrics", "Print figures for Prometheus, or serve them."),
    "ui": Lazy("ui", "Serve the Dagster UI, safely."),
    "keys": Lazy("keys", "Make the key that seals credentials, or change it."),
    "audit": Lazy("audit", "Show who decided what, or prove that nobody changed the log."),
    "disconnect": Lazy("leaving", "Forget an integration's credentials and keep its data."),
    "forget": Lazy("leaving", "Delete everything of an integration."),
}


class App(BillcomGroup):
    """The ``billcom`` command itself."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The commands, in the order in which a user meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command called so, or None."""
        return COMMANDS[cmd_name].load(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Lists the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.summary) for name, command in COMMANDS.items()])

    def main(self, args: Sequence[str] | None = None, *ignored: Any, **settings: Any) -> Any:
        """Runs the command and exits with an :class:`ExitCode`; no exception leaves it."""
        given = list(sys.argv[1:] if args is None else args)
        output = Output(as_json=_JSON in given, debug=_DEBUG in given)
        settings["standalone_mode"] = False
        try:
            result = super().main(given, *ignored, obj=output, **settings)
            # Without standalone mode click returns the code of ctx.exit, which --help uses.
            code = result if isinstance(result, int) else ExitCode.DONE
        except NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            code = ExitCode.WRONG_USE
        except Exception as error:  # noqa: BLE001 - the last resort: the user gets a message, not a traceback
            code = _fail(error, output)
        sys.exit(int(code))


def _fail(error: Exception, output: Output) -> int:
    if isinstance(error, OSError) and error.errno == errno.EPIPE:
        # Whoever read our output has gone, as `head` does; Python must not try to flush into the broken pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.FAILED
    failure = explain(error)
    if failure is None:
        failure = _unexpected(error)
    if output.debug:
        click.echo(clean(describe_where(error)), err=True)
    if output.as_json:
        click.echo(to_json(failure.to_document()))
    label = click.style("Error:", fg="red", bold=True)
    click.echo(f"{label} {clean(failure.message)}", err=True)
    return failure.exit_code


def _unexpected(error: Exception) -> Failure:
    # The text of an exception that nobody expected may hold anything, so only its name is shown.
    return Failure(
        f"{describe(error)} Nothing committed is lost. Run the same command with --debug to see where, and report it.",
        ExitCode.FAILED,
    )


@click.group(cls=App, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="billcom-assets", prog_name="billcom")
def billcom() -> None:
    """Bring BILL (Bill.com) into your own SQL database.

    Start with the demo, which needs nothing: billcom demo

    Then connect your own organization: billcom connect acme-us --company "Acme Inc" ...
    """
