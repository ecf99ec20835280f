"""`dom ofl diff`: what changes from one policy to another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.ofl.reading import in_database, is_file, named, reading_of, refusals

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from dom.sourcing.policy.document import Policy

WHICH = "A version's number, `live`, `draft:NAME`, or a file."
Older = Annotated[str, typer.Argument(metavar="FROM", help=WHICH)]
Newer = Annotated[str, typer.Argument(metavar="TO", help=WHICH)]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON: each change with its place, before and after.")]


def diff(older: Older, newer: Newer, as_json: AsJson = False) -> None:
    """Say what changes from one policy to another, strategy by strategy."""
    from pydantic_core import to_json

    from dom.sourcing.policy.comparing import compare

    before, after = _policy(older), _policy(newer)
    changes = compare(before, after)
    if as_json:
        print(to_json(changes, indent=2).decode())
        return
    for change in changes:
        typer.echo(change.words)
    if not changes:
        typer.echo("They say the same.")


def _policy(which: str) -> Policy:
    with refusals(Path(which)):
        if is_file(which):
            return _of_file(Path(which))

        async def asked_for(connection: AsyncConnection) -> Policy:
            return await named(connection, which)

        return in_database(asked_for)


def _of_file(file: Path) -> Policy:
    from dom.documents.findings import refused
    from dom.shared.errors import PolicyInvalid

    reading = reading_of(file)
    if reading.document is None:
        raise refused(reading.findings, PolicyInvalid)
    return reading.document
