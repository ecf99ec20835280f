"""Work is taken from a node that cannot do it when the job looks, whether a process runs or not."""

from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.status import FulfilmentStatus
from jobs.retiring_nodes import Retiring
from services import unable_nodes
from services.change_orders import Writing
from services.database import Database
from store.fulfilment.unable_nodes import Unable
from tests.worlds import small
from tests.worlds.advancing import comes_to
from tests.worlds.books import check_books, one, rows
from tests.worlds.captured import accept
from tests.worlds.retiring import LEEDS, change
from tests.worlds.sourcing import MONDAY_NOON

WORK = "SELECT status, reason FROM fulfilments"
NOTIFY = Writing(webhook=False, notify=True)


class TestTakenAway:
    async def test_by_the_job_and_the_process_is_told_to_read(self, world: AsyncEngine) -> None:
        order = small.order("unable", A=2)
        await accept(Database(world, replaying=True), order)
        await change(world, LEEDS, active=False)
        await Retiring(world).run()
        assert await rows(world, WORK) == [("rejected", "the node is switched off")]
        assert await rows(world, "SELECT recipient, kind FROM outbox WHERE medium = 'workflow'") == [
            (f"order-{order.order_id}", "order_changed")
        ]
        await Retiring(world).run()
        assert await one(world, "SELECT count(*) FROM timeline WHERE kind = 'fulfilment_rejected'") == 1
        await check_books(world)

    async def test_not_once_the_node_has_begun(self, world: AsyncEngine) -> None:
        """The job saw unbegun work; the node's own report came first."""
        order = small.order("unable-begun", A=2)
        await accept(Database(world, replaying=True), order)
        work = Unable(f"{order.order_id}-F1", order.order_id, "dc-leeds", "the node is switched off")
        await comes_to(world, work.fulfilment_id, FulfilmentStatus.ACCEPTED)
        assert not await unable_nodes.take_away(world, work, MONDAY_NOON, NOTIFY)
        assert await rows(world, WORK) == [("accepted", "")]
