"""What a customer could have instead of waiting: planned on the stock as it is now, and changed by nothing."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders.lifecycle import OrderState
from dom.orders.questions import Offers, SwapOffer
from dom.orders.status import SourcingCause
from dom.sourcing.sourced import SourceAgain
from dom.sourcing.substitution import Choice
from services import sourcing, substitution
from services.database import Database
from services.sourcing_again import run_of, said_of_failed_nodes
from store.orders import orders


@dataclass(frozen=True, slots=True)
class PlannedOffers:
    """What is offered, and the substitutes that it names as they would be taken."""

    offers: Offers
    substitutes: Choice = ()


async def plan(connection: AsyncConnection, database: Database, state: OrderState, now: datetime) -> PlannedOffers:
    """What could be done now for units of a locked order that wait. Nothing where none do."""
    if not state.backordered:
        return PlannedOffers(Offers())
    order_id = state.order_id
    order = await orders.document(connection, order_id)
    last, failed_nodes = await said_of_failed_nodes(connection, order_id)
    asked = SourceAgain(
        order_id=order_id, attempt=last + 1, cause=SourcingCause.EDITED, as_of=now, failed_nodes=failed_nodes
    )
    run = await run_of(database, connection, order, asked)
    planned = await sourcing.plan_order(connection, database, order, state.waiting, run)
    substitutes = await substitution.possible(connection, database, order, planned, run)
    partial = False
    if order.ship_complete:
        apart = order.model_copy(update={"ship_complete": False})
        partial = bool((await sourcing.plan_order(connection, database, apart, state.waiting, run)).decision.shipments)
    swap = tuple(
        SwapOffer(each.line.line_id, each.units, each.substitute.sku, each.quantity, each.unit_price)
        for each in substitutes
    )
    return PlannedOffers(Offers(partial, swap), substitutes)
