"""`dom mapping`: how a channel's messages are read, by who can reach the database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.calling import environment, problems_as_one_line
from cli.ofl.reading import refusals, show_findings, text_of
from cli.staff_writing import audited

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from dom.channels.mapping.reading import CheckedMapping
    from services.channel_mappings import LiveMapping, Previewed

app = typer.Typer(no_args_is_help=True, help="Mappings: how messages of a channel are read.")

Channel = Annotated[str, typer.Argument(help="The channel's code.")]
File = Annotated[Path, typer.Argument(help="The mapping as YAML or JSON; docs/channels.md shows one.")]
By = Annotated[str, typer.Option("--by", help="Who does it; kept with what is published.", envvar="USER")]


@app.command()
def lint(file: File) -> None:
    """Look for mistakes in a mapping, each with its line; needs no database. Ends with 1 where there are errors."""
    from dom.documents.findings import has_errors

    found = _checked(file).findings
    show_findings(file, found)
    print(f"{len(found)} findings" if found else "no mistakes")
    if has_errors(found):
        raise typer.Exit(1)


@app.command()
def publish(
    channel: Channel,
    file: File,
    by: By = "operator",
    comment: Annotated[str, typer.Option("--comment", help="Why; kept with what is published.")] = "",
) -> None:
    """Publish a mapping; it reads the channel's next message."""
    from cli.records import in_database
    from services import channel_mappings
    from store import channels
    from store.access import audit

    entry = audited("dom mapping publish", channel, by, comment)
    checked = _checked(file)

    async def work(connection: AsyncConnection) -> LiveMapping:
        await channels.get(connection, channel)
        published = await channel_mappings.publish(connection, channel, checked, by, comment)
        await audit.write(connection, entry)
        return published

    with refusals(file):
        live = in_database(*environment(), work)
    said = "published" if live.is_new else "live already"
    print(f"version {live.mapping.version} of {channel}: {said}")


@app.command()
def preview(
    channel: Channel,
    file: File,
    messages: Annotated[int, typer.Option("--messages", min=1, max=200, help="The last so many.")] = 20,
) -> None:
    """What a mapping would make of the channel's last messages; nothing is kept."""
    from cli.records import in_database
    from services import channel_mappings

    checked = _checked(file)

    async def work(connection: AsyncConnection) -> list[Previewed]:
        return await channel_mappings.preview(connection, channel, checked.publishable(), messages)

    with refusals(file):
        found = in_database(*environment(), work)
    for each in found:
        if each.order is not None:
            lines = ", ".join(f"{line.wanted} {line.sku}" for line in each.order.lines)
            print(f"{each.message_id}: order {each.order.number}: {lines}")
            continue
        for fault in each.faults:
            print(f"{each.message_id}: {fault.field or 'the message'}: {fault.message}")
    print(f"{sum(each.order is not None for each in found)} of {len(found)} can be read")


def _checked(file: Path) -> CheckedMapping:
    from dom.channels.mapping.reading import check

    with problems_as_one_line():
        return check(text_of(file))
