"""`dom ofl draft list|show|save|delete|publish`: drafts of the policy, kept by name until they are published."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.calling import console
from cli.ofl.policies import BasedOn, By, File, Why, say
from cli.ofl.reading import in_database, reading_of, refusals, show_findings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from dom.documents.findings import Finding
    from store.policy.drafts import Draft

app = typer.Typer(no_args_is_help=True, help="Drafts of the policy; they decide nothing until they are published.")

Name = Annotated[str, typer.Argument(help="The draft's name: lower-case letters, digits and hyphens.")]
Revision = Annotated[
    int | None, typer.Option("--revision", min=1, help="The revision you replace; without it the draft is new.")
]


@app.callback()
def about() -> None:
    """Drafts of the policy; they decide nothing until they are published."""


@app.command("list")
def list_drafts() -> None:
    """List the drafts, the one that was written last first."""
    from rich.table import Table

    from store.policy import drafts

    with refusals():
        found = in_database(drafts.everyone)
    table = Table("name", "revision", "begun from", "written by", "written at", "comment")
    for row in found:
        at = f"{row['updated_at']:%Y-%m-%d %H:%M:%SZ}"
        table.add_row(row["name"], str(row["revision"]), str(row["based_on"]), row["updated_by"], at, row["comment"])
    console().print(table)


@app.command()
def show(name: Name) -> None:
    """Print a draft as it was written."""
    from store.policy import drafts

    with refusals():
        print(in_database(lambda connection: drafts.get(connection, name)).source.rstrip("\n"))


@app.command()
def save(
    name: Name,
    file: File,
    revision: Revision = None,
    based_on: BasedOn = None,
    by: By = "operator",
    comment: Why = "",
) -> None:
    """Keep a policy as a draft, mistakes and all, and say what they are."""
    from dom.documents.findings import refused
    from dom.shared.errors import PolicyInvalid
    from dom.sourcing.policy.checking import linted
    from services import policies as publishing
    from store.policy import drafts

    with refusals(file):
        _check_name(name)
        reading = reading_of(file)
        policy = reading.document
        if policy is None or reading.findings:
            raise refused(reading.findings, PolicyInvalid)

        async def kept(connection: AsyncConnection) -> tuple[Draft, tuple[Finding, ...]]:
            draft = await drafts.put(
                connection,
                name,
                policy,
                reading.placed.text,
                by,
                comment=comment,
                based_on=based_on,
                revision=revision,
            )
            return draft, linted(reading, await publishing.known(connection)).findings

        draft, findings = in_database(kept)
    show_findings(file, findings, err=True)
    typer.echo(f"Saved {name} as revision {draft.revision}, begun from version {draft.based_on}.")


@app.command()
def delete(name: Name) -> None:
    """Throw a draft away."""
    from store.policy import drafts

    with refusals():
        in_database(lambda connection: drafts.delete(connection, name))
    typer.echo(f"Threw {name} away.")


@app.command()
def publish(
    name: Name,
    by: By = "operator",
    comment: Annotated[str | None, typer.Option("--comment", help="Why; without it the draft's own.")] = None,
) -> None:
    """Publish a draft as the next version, unless another went live since it was begun."""
    from services import policies as publishing

    with refusals(Path(name)):
        published = in_database(lambda connection: publishing.publish_draft(connection, name, by, comment=comment))
    say(published, Path(name))


def _check_name(name: str) -> None:
    from pydantic import TypeAdapter, ValidationError

    from cli.problems import StartProblem
    from dom.sourcing.policy.document import Name as DraftName

    try:
        TypeAdapter(DraftName).validate_python(name)
    except ValidationError as error:
        raise StartProblem(f"{name} cannot be a draft's name", "use lower-case letters, digits and hyphens") from error
