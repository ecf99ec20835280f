"""`dom stock reallocate`: stock of orders that can wait, given to dearer ones whose promise is in danger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.calling import environment, problems_as_one_line
from cli.refusals import refusals_in_words
from cli.staff_writing import By, audited

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine


def reallocate(
    sku: Annotated[list[str] | None, typer.Argument(help="Only these SKUs; all, if absent.")] = None,
    run: Annotated[bool, typer.Option("--run", help="Make the changes; without it they are only shown.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    by: By = "operator",
) -> None:
    """Show which orders would give their stock to which, by the live policy's terms; make it with --run."""
    from cli.records import on_database

    entry = audited("dom stock reallocate", ", ".join(sku or ()) or "all", by)

    async def work(pool: AsyncEngine, webhooks: bool) -> tuple[list[dict[str, Any]], int, list[dict[str, Any]]]:
        from services import reallocation
        from services.clock import utc_now
        from services.database import Database
        from store.access import audit

        database = Database(engine=pool, webhooks=webhooks)
        if not run:
            looked = await reallocation.look(database, utc_now(), sku)
            return list(map(reallocation.shown, looked.found)), looked.endangered, reallocation.shown_left(looked)
        done = await reallocation.run(database, utc_now(), sku, by)
        async with pool.begin() as connection:
            await audit.write(connection, entry)
        return list(map(reallocation.shown, done.made)), done.found.endangered, reallocation.shown_left(done.found)

    with problems_as_one_line(), refusals_in_words(as_json=as_json):
        settings, folder = environment()
        found, waiting, left = on_database(settings, folder, lambda pool: work(pool, bool(settings.webhook_url)))
    if as_json:
        import json

        said = {"made": run, "reallocations": found, "waiting": waiting, "not_helped": left}
        typer.echo(json.dumps(said, default=lambda value: value.isoformat()))
        return
    for each in found:
        typer.echo(_line(each))
    for each in left:
        typer.echo(f"{each['order_id']} gets none of {each['units']} {each['sku']}: {each['says']}")
    if not waiting:
        typer.echo("no order of a class that others may give to waits for stock by a day")
    elif waiting > len(found) + len(left):
        typer.echo(f"and {waiting - len(found) - len(left)} more, less urgent ones")
    word = "made" if run else "found; --run makes them"
    typer.echo(f"{len(found)} re-allocations {word}")


def _line(each: dict[str, Any]) -> str:
    gives = ", ".join(
        f"{giving['units']} of {giving['order_id']}, which has its own from {giving['new_node']}"
        + (f" on {giving['due_on']}" if giving["due_on"] else "")
        for giving in each["gives"]
    )
    days = f"{each['days_late_before']} days late, then {each['days_late_after']}"
    return f"{each['order_id']} gets {each['units']} {each['sku']} at {each['node_id']}: {gives} ({days})"
