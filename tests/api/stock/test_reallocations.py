"""Staff asks for re-allocations: a preview unless it says otherwise, and nobody who sees a part of the stock alone."""

from sqlalchemy.ext.asyncio import AsyncEngine

from dom.shared.access import Limits, Role
from tests.api.driving import Channel, problem
from tests.worlds.access import key_of

PATH = "/v1/inventory/reallocations"


async def test_where_nobody_gives(channel: Channel) -> None:
    for body in ({}, {"preview": False}):
        answer = await channel.http.post(PATH, json=body)
        assert answer.status_code == 200, answer.text
        said = answer.json()
        assert len(said["not_helped"]) == min(said["waiting"], 50)
        assert (said["preview"], said["made"], said["again"]) == (body.get("preview", True), [], [])
    problem(await channel.http.post(PATH, json={"skus": []}), 422, "invalid-input", "skus")
    for preview in (True, False):
        unknown = await channel.http.post(PATH, json={"skus": ["nothing"], "preview": preview})
        problem(unknown, 422, "unknown-sku", "skus[0]")


async def test_only_for_who_plans_all_of_it(channel: Channel, engine: AsyncEngine) -> None:
    support = await key_of(engine, Role.SUPPORT, Limits(), name="support of stock")
    problem(await channel.http.post(PATH, json={}, headers=support), 403, "forbidden")
    planner = await key_of(engine, Role.PLANNER, Limits.of(nodes=["dc-leeds"]), name="planner of one")
    problem(await channel.http.post(PATH, json={}, headers=planner), 403, "forbidden")
