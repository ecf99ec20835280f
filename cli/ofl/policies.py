"""`dom ofl show|versions|publish|rollback|schema`: the policy as it is published, and the next version of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.calling import console
from cli.ofl.reading import in_database, reading_of, refusals, show_findings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from services.policies import Published

File = Annotated[
    Path, typer.Argument(help="The policy as YAML or JSON; `dom ofl show > FILE` gives one to start from.")
]
Version = Annotated[int | None, typer.Argument(min=1, help="A published version; without it the live one.")]
Earlier = Annotated[int, typer.Argument(min=1, help="The published version to go back to.")]
By = Annotated[str, typer.Option("--by", help="Who does it; kept with what is written.", envvar="USER")]
Why = Annotated[str, typer.Option("--comment", help="Why; kept with what is written.")]
BasedOn = Annotated[
    int | None, typer.Option("--based-on", min=1, help="The version it was begun from; refused if another is live.")
]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, every field of it.")]


def show(version: Version = None, as_json: AsJson = False) -> None:
    """Print a published policy as YAML, as it was written, ready to be changed and published."""
    from services import policies as publishing
    from store.policy import policies

    with refusals():
        found = in_database(lambda connection: policies.get(connection, version))
    if as_json:
        print(json.dumps(found.policy.model_dump(mode="json"), indent=2, ensure_ascii=False))
    else:
        print(publishing.text_of(found.policy, found.source).rstrip("\n"))


def versions() -> None:
    """List the published versions, newest first; the first is live."""
    from rich.table import Table

    from store.policy import policies

    with refusals():
        published = in_database(policies.list_policies)
    table = Table("version", "name", "published by", "published at", "comment")
    for row in published:
        at = f"{row['published_at']:%Y-%m-%d %H:%M:%SZ}"
        table.add_row(str(row["version"]), row["document"]["name"], row["published_by"], at, row["comment"])
    console().print(table)


def publish(file: File, by: By = "operator", comment: Why = "", based_on: BasedOn = None) -> None:
    """Publish a policy; it acts on the next order. Running orders keep what was decided for them."""
    from services import policies as publishing

    with refusals(file):
        reading = reading_of(file)

        async def as_next(connection: AsyncConnection) -> Published:
            return await publishing.publish(connection, reading, by, comment=comment, based_on=based_on)

        published = in_database(as_next)
    say(published, file)


def rollback(version: Earlier, by: By = "operator", comment: Why = "") -> None:
    """Publish an earlier version again, as the next one."""
    from services import policies as publishing

    with refusals(Path(f"version-{version}")):
        published = in_database(lambda connection: publishing.restore(connection, version, by, comment=comment))
    say(published, Path(f"version-{version}"))


def schema() -> None:
    """Print the JSON Schema of the policy document, for your editor."""
    from dom.sourcing.policy.schema import json_schema

    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))


def say(published: Published, file: Path) -> None:
    """What came of publishing, after the warnings that were passed over."""
    show_findings(file, published.findings, err=True)
    if published.is_new:
        typer.echo(f"Published {published.name} as version {published.version}.")
    else:
        typer.echo(f"That policy is live already, as version {published.version}.")
