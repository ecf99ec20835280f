"""What is kept with a decision is enough to make it again, whatever changed since."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.sourcing.explanation.recomputing import explained
from dom.sourcing.models import PLANNER
from services.capture import capture
from services.database import Database
from store.network import reference
from store.policy import policies
from store.sourcing import explanations
from store.sourcing.explanations import Kept
from tests.worlds import small
from tests.worlds.policies import policy


async def captured(world: AsyncEngine, number: str, **lines_or_fields: object) -> Kept:
    """The first decision of an order that is captured now, with its snapshot."""
    order = small.order(number, **lines_or_fields)
    await capture(Database(world, replaying=True), order)
    (found,) = await kept(world, order.order_id)
    return found


async def kept(world: AsyncEngine, order_id: str, **asked: int) -> list[Kept]:
    """The order's decisions with their snapshots."""
    async with world.connect() as connection:
        return list(await explanations.kept(connection, order_id, snapshots=True, **asked))


class TestOnRecord:
    async def test_a_decision_is_made_again(self, world: AsyncEngine) -> None:
        found = await captured(world, "1", A=2, RARE=1)
        assert found.attempt == 1
        assert found.record.decision.planner == PLANNER
        assert found.names["dc-leeds"] == "Dc Leeds"
        assert [shipment.node_id for shipment in found.record.decision.shipments] == ["dc-leeds"]
        again = explained(found.record)
        assert again.reproduced, again.differences
        assert {node.node_id for node in again.nodes} == {node.id for node in small.NODES}

    @pytest.mark.parametrize("lines", [{"A": 3}, {"A": 60, "B": 1}, {"RARE": 4}, {"NEVER": 1}, {"FAR": 1, "A": 1}])
    async def test_whatever_was_ordered(self, world: AsyncEngine, lines: dict[str, int]) -> None:
        assert explained((await captured(world, "1", **lines)).record).reproduced

    async def test_what_changes_later_changes_nothing(self, world: AsyncEngine) -> None:
        before = await captured(world, "1", A=2)
        async with world.begin() as connection:
            node = await reference.get_node(connection, "dc-leeds")
            await reference.put_node(connection, node.model_copy(update={"active": False, "name": "Closed"}))
            await policies.publish_policy(connection, policy(name="other", split_penalty=9), "test")
            await connection.execute(text("UPDATE stock SET on_hand = reserved WHERE node_id = 'dc-leeds'"))
        later = await captured(world, "2", A=2)
        assert [shipment.node_id for shipment in later.record.decision.shipments] != ["dc-leeds"]
        (again,) = await kept(world, before.record.decision.order_id)
        assert again.names["dc-leeds"] == "Dc Leeds"
        assert explained(again.record).reproduced
        assert explained(later.record).reproduced

    async def test_one_that_was_made_before_snapshots_were_kept(self, world: AsyncEngine) -> None:
        order_id = (await captured(world, "1", A=2)).record.decision.order_id
        async with world.begin() as connection:
            await connection.execute(text("UPDATE sourcing_decisions SET snapshot = NULL, network = NULL"))
        (found,) = await kept(world, order_id)
        again = explained(found.record)
        assert not again.reproduced
        assert "before what the planner saw was kept" in again.because
        assert found.record.decision.reasons

    async def test_one_of_another_planner_that_decided_otherwise(self, world: AsyncEngine) -> None:
        order_id = (await captured(world, "1", A=2)).record.decision.order_id
        async with world.begin() as connection:
            changed = """
            UPDATE sourcing_decisions SET document = jsonb_set(jsonb_set(document, '{decision,planner}', '0'),
                '{decision,shipments,0,node_id}', '"wh-london"')
            """
            await connection.execute(text(changed))
        again = explained((await kept(world, order_id))[0].record)
        assert not again.reproduced
        assert [difference.field for difference in again.differences] == ["shipments"]
        assert "an earlier version of the planner" in again.because

    async def test_nobody_asked_for_it(self, world: AsyncEngine) -> None:
        assert await kept(world, "web-none") == []
        await captured(world, "1", A=2)
        assert await kept(world, "web-1", attempt=2) == []

    async def test_capacity_is_kept_for_the_nodes_and_days_that_matter(self, world: AsyncEngine) -> None:
        used = """
        INSERT INTO node_days (node_id, day, service, used)
        SELECT id, DATE '2026-03-01' + ahead, '', 1 FROM nodes CROSS JOIN generate_series(0, 30) ahead
        WHERE id <> 'dc-leeds' OR ahead < 3
        """
        async with world.begin() as connection:
            await connection.execute(text(used))
        found = await captured(world, "1", B=1)
        assert found.seen is not None
        assert found.seen["nodes"] == ["dc-leeds"]
        assert found.seen["capacity_used"] == {"from": "2026-03-01", "nodes": {"dc-leeds": {"": [0, 1, 1]}}}
        assert explained(found.record).reproduced
