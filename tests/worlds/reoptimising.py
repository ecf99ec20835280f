"""Re-optimisations in the tests: orders captured without a process, and a look at them."""

from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.order import Order
from dom.sourcing.reoptimisation import Joint, sweep
from dom.sourcing.sourced import Sourced
from jobs.reoptimising import Reoptimising
from services import reoptimisation
from services.database import Database
from store import stock
from store.enums import LedgerKind
from store.network import reference
from store.network.reference import ReferenceCache
from store.policy import policies
from store.sourcing import reoptimisation as reoptimisations
from store.stock import Movement
from tests.worlds import small
from tests.worlds.captured import accept
from tests.worlds.policies import changed
from tests.worlds.sourcing import MONDAY_NOON


def reoptimisation_job(engine: AsyncEngine) -> Reoptimising:
    """The background job, for orders that are planned as of Monday noon."""
    return Reoptimising(engine, replaying=True)


async def capture(engine: AsyncEngine, order: Order) -> Sourced:
    """An order is captured as of Monday noon; no process runs for it."""
    return await accept(Database(engine=engine, replaying=True), order)


async def comes(engine: AsyncEngine, node_id: str, sku: str, quantity: int) -> None:
    """Goods come in."""
    async with engine.begin() as connection:
        key = f"receipt {node_id} {sku} {quantity}"
        movement = Movement(node_id, sku, quantity, LedgerKind.RECEIPT, "receipt", key)
        await stock.move(connection, movement, actor="test", at=MONDAY_NOON)


async def policy(engine: AsyncEngine, **fields: object) -> None:
    """Publish another policy for re-optimisations."""
    async with engine.begin() as connection:
        await policies.publish_policy(connection, changed(small.POLICY, reoptimisation=fields), "test")


async def found(engine: AsyncEngine) -> tuple[tuple[Joint, ...], reference.Reference]:
    """What a look at everything finds."""
    async with engine.connect() as connection:
        order_ids = await reoptimisations.orders(connection, skus=None)
        orders = await reoptimisations.unbegun(connection, order_ids, MONDAY_NOON, replaying=True)
        worlds, known = await reoptimisation.worlds(connection, ReferenceCache(), orders)
    return sweep(orders, worlds, known.policy, known.policy_version), known


async def change(engine: AsyncEngine, joint: Joint, known: reference.Reference) -> None:
    """Make a change."""
    async with engine.begin() as connection:
        await reoptimisation.change(connection, joint, known.network)
