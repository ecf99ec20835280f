"""`dom order`: one order on one screen, and what staff does to it."""

from __future__ import annotations

import typer
from typer.core import TyperGroup

from cli import order_cancel, order_change, order_command, order_pickup, order_stopping, order_verbs


class _ShownUnlessToldOtherwise(TyperGroup):
    """`dom order web-1` shows the order. No order's id is a verb: ids have a hyphen."""

    def resolve_command(self, ctx: typer.Context, args: list[str]):  # type: ignore[no-untyped-def,override]
        """The command, which is `show` where an id is named alone."""
        if args and args[0] not in self.commands:
            args = ["show", *args]
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=_ShownUnlessToldOtherwise,
    no_args_is_help=True,
    help="One order: shown (`dom order web-536365`), and what staff does to it.",
)
app.command("show")(order_command.order)
app.command()(order_verbs.note)
app.command()(order_verbs.prioritise)
app.command()(order_verbs.resend)
app.command()(order_verbs.lost)
app.command()(order_verbs.delivered)
app.command()(order_verbs.reship)
app.command()(order_verbs.move)
app.command()(order_verbs.source_again)
app.command()(order_verbs.split)
app.command()(order_verbs.merge)
app.command()(order_pickup.receive_at_store)
app.command()(order_pickup.collected)
app.command()(order_pickup.keep)
app.command()(order_verbs.answer)
app.command()(order_stopping.hold)
app.command()(order_stopping.release)
app.command()(order_cancel.cancel)
app.command()(order_change.change)
