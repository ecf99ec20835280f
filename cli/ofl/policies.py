"""`dom ofl show|versions|publish`: the policy as it is published, and the next version of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.calling import console, environment, problems_as_one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection

    from dom.policy.document import Policy

File = Annotated[Path, typer.Argument(help="The policy as JSON; `dom ofl show > FILE` gives one to start from.")]
Version = Annotated[int | None, typer.Argument(min=1, help="A published version; without it the live one.")]
By = Annotated[str, typer.Option("--by", help="Who publishes it; kept with the version.", envvar="USER")]


def show(version: Version = None) -> None:
    """Print a published policy as JSON, ready to be changed and published."""
    with problems_as_one_line():
        print(json.dumps(_chosen(_published(), version)["document"], indent=2, ensure_ascii=False))


def versions() -> None:
    """List the published versions, newest first; the first is live."""
    from rich.table import Table

    with problems_as_one_line():
        published = _published()
    table = Table("version", "name", "published by", "published at")
    for row in published:
        at = f"{row['published_at']:%Y-%m-%d %H:%M:%SZ}"
        table.add_row(str(row["version"]), row["document"]["name"], row["published_by"], at)
    console().print(table)


def publish(file: File, by: By = "operator") -> None:
    """Publish a policy; it acts on the next order. Running orders keep what was decided for them."""
    from cli.records import in_database
    from store import reference

    with problems_as_one_line():
        policy = read_policy(file)

        async def as_next(connection: AsyncConnection) -> int | None:
            published = await reference.list_policies(connection)
            if published and published[0]["document"] == policy.model_dump(mode="json"):
                return None
            return await reference.publish_policy(connection, policy, by)

        version = in_database(*environment(), as_next)
    typer.echo("That policy is live already." if version is None else f"Published {policy.name} as version {version}.")


def read_policy(file: Path) -> Policy:
    """The policy in a file; raises StartProblem that names every wrong field."""
    from pydantic import ValidationError

    from cli.problems import StartProblem
    from dom.policy import reading

    try:
        return reading.read_policy(file.read_text())
    except OSError as error:
        raise StartProblem(f"{file} cannot be read ({error.strerror})", "name a file with a policy") from error
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'the file'}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False)
        )
        raise StartProblem(f"{file} holds no policy ({wrong})", "correct it; nothing was published") from error


def _published() -> Sequence[RowMapping]:
    from cli.problems import StartProblem
    from cli.records import in_database
    from store import reference

    published = in_database(*environment(), reference.list_policies)
    if not published:
        raise StartProblem("no policy is published", "run `dom seed`, or `dom ofl publish FILE`")
    return published


def _chosen(published: Sequence[RowMapping], version: int | None) -> RowMapping:
    from cli.problems import StartProblem

    for row in published:
        if version in {None, row["version"]}:
            return row
    raise StartProblem(f"version {version} was never published", "`dom ofl versions` lists those that were")
