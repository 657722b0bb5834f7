"""Groups of commands that come after the KEY of an integration, as in ``billcom policy acme-us show``."""

from __future__ import annotations

import click

from billcom_assets.cli.app import BillcomGroup
from billcom_assets.cli.database import known_keys
from billcom_assets.redaction.close_matches import listed


class KeyedGroup(BillcomGroup):
    """Such a group; its function takes ``key``, and its commands get that from :func:`given_key`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Says what is missing where the key or the command is, or where the two changed places."""
        first, *more = args or [""]
        if first in self.commands and (not more or more[0] not in self.commands):
            if not set(more).isdisjoint(ctx.help_option_names):
                # The help of a command needs no key.
                return super().parse_args(ctx, ["KEY", *args])
            usage = f"{ctx.command_path} KEY {first}"
            raise click.UsageError(f"The KEY of an integration comes first: {usage}.{known_keys()}", ctx)
        if first and not first.startswith("-") and not more:
            raise click.UsageError(f"Say what to do: {listed(self.commands)}.", ctx)
        return super().parse_args(ctx, args)


def given_key() -> str:
    """The KEY of the command that runs."""
    group = click.get_current_context().parent
    if group is None:
        raise RuntimeError("only the commands of a KeyedGroup have a key")
    return str(group.params["key"])
