"""The database itself refuses what cannot be, whoever asks for it."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from store.orders import orders
from tests.worlds import small
from tests.worlds.books import rows
from tests.worlds.written import place

ORDER = small.order("held", A=3)

IMPOSSIBLE_BALANCES = {
    "reserved below nothing": "UPDATE stock SET reserved = -1 WHERE node_id = 'dc-leeds' AND sku = 'A'",
    "more reserved than on hand": "UPDATE stock SET reserved = 101 WHERE node_id = 'dc-leeds' AND sku = 'A'",
    "on hand below what is reserved": "UPDATE stock SET on_hand = -1 WHERE node_id = 'dc-leeds' AND sku = 'A'",
    "negative safety stock": "UPDATE stock SET safety_stock = -1 WHERE node_id = 'dc-leeds' AND sku = 'A'",
    "stock of an unknown SKU": "INSERT INTO stock (node_id, sku, on_hand) VALUES ('dc-leeds', 'NONE', 1)",
    "stock at an unknown node": "INSERT INTO stock (node_id, sku, on_hand) VALUES ('nowhere', 'A', 1)",
    "a ledger entry that moves nothing": """
        INSERT INTO stock_ledger (node_id, sku, kind, on_hand_delta, reserved_delta, business_key, actor, occurred_at)
        VALUES ('dc-leeds', 'A', 'adjustment', 0, 0, 'k', 'test', now())""",
    "a ledger entry of an unknown kind": """
        INSERT INTO stock_ledger (node_id, sku, kind, on_hand_delta, reserved_delta, business_key, actor, occurred_at)
        VALUES ('dc-leeds', 'A', 'magic', 1, 0, 'k', 'test', now())""",
    "a ledger entry without a balance": """
        INSERT INTO stock_ledger (node_id, sku, kind, on_hand_delta, reserved_delta, business_key, actor, occurred_at)
        VALUES ('dc-leeds', 'FAR', 'adjustment', 1, 0, 'k', 'test', now())""",
    "the opening entry again": """
        INSERT INTO stock_ledger (node_id, sku, kind, on_hand_delta, reserved_delta, business_key, actor, occurred_at)
        VALUES ('dc-leeds', 'A', 'opening', 1, 0, 'opening', 'test', now())""",
    "an active reservation of nothing": """
        INSERT INTO reservations (kind, status, node_id, sku, quantity, order_id, fulfilment_id)
        VALUES ('firm', 'active', 'dc-leeds', 'A', 0, 'web-held', 'web-held-F1')""",
    "a firm reservation for nobody": """
        INSERT INTO reservations (kind, status, node_id, sku, quantity)
        VALUES ('firm', 'active', 'dc-leeds', 'A', 1)""",
    "a soft reservation that never expires": """
        INSERT INTO reservations (kind, status, node_id, sku, quantity)
        VALUES ('soft', 'active', 'dc-leeds', 'A', 1)""",
    "a day used less than not at all": """
        INSERT INTO node_days (node_id, day, used) VALUES ('dc-leeds', '2026-03-02', -1)""",
}

IMPOSSIBLE_ORDERS = {
    "more cancelled than ordered": "UPDATE order_lines SET cancelled = 4 WHERE order_id = 'web-held'",
    "cancelled and waiting beyond the order": """
        UPDATE order_lines SET cancelled = 2, backordered = 2 WHERE order_id = 'web-held'""",
    "waiting below nothing": "UPDATE order_lines SET backordered = -1 WHERE order_id = 'web-held'",
    "a line of no units": "UPDATE order_lines SET quantity = 0 WHERE order_id = 'web-held'",
    "a status nobody knows": "UPDATE orders SET status = 'lost in thought' WHERE id = 'web-held'",
    "a fulfilment in a status nobody knows": "UPDATE fulfilments SET status = 'napping' WHERE order_id = 'web-held'",
    "fewer units in work than none": "UPDATE fulfilment_lines SET quantity = -1 WHERE order_id = 'web-held'",
    "work for a line the order does not have": """
        INSERT INTO fulfilment_lines (fulfilment_id, line_id, order_id, sku, quantity)
        VALUES ('web-held-F1', '9', 'web-held', 'A', 1)""",
    "an order taken away under its lines": "DELETE FROM orders WHERE id = 'web-held'",
    "a second state of the reference data": "INSERT INTO reference_state (id, version) VALUES (false, 1)",
    "a refund of less than nothing": """
        INSERT INTO refunds (business_key, order_id, amount, currency, reason)
        VALUES ('k', 'web-held', -1, 'GBP', 'test')""",
    "a shipment without a parcel": """
        INSERT INTO shipments (id, carrier, method, tracking_number, status, parcels, weight_grams, price, currency,
                               booking, booked_at)
        VALUES ('B', 'northline', 'standard', 'T', 'booked', 0, 1, 1, 'GBP', '{}', now())""",
    "a scan of an unknown parcel": """
        INSERT INTO carrier_events (carrier, event_id, tracking_number, kind, occurred_at)
        VALUES ('northline', 'e', 'T', 'delivered', now())""",
}


@pytest.mark.parametrize("statement", IMPOSSIBLE_BALANCES.values(), ids=IMPOSSIBLE_BALANCES)
async def test_no_balance_becomes_impossible(shared_world: AsyncEngine, statement: str) -> None:
    with pytest.raises(IntegrityError):
        async with shared_world.begin() as connection:
            await connection.execute(text(statement))


@pytest.mark.parametrize("statement", IMPOSSIBLE_ORDERS.values(), ids=IMPOSSIBLE_ORDERS)
async def test_no_order_becomes_impossible(shared_world: AsyncEngine, statement: str) -> None:
    with pytest.raises(IntegrityError):
        async with shared_world.begin() as connection:
            await connection.execute(text(statement))


async def test_a_reservation_needs_its_fulfilment_only_at_the_end(world: AsyncEngine) -> None:
    """The key is checked at commit: stock is taken before or after the work is written, but never without it."""
    await place(world, ORDER)
    with pytest.raises(IntegrityError):
        async with world.begin() as connection:
            await connection.execute(
                text("""
                INSERT INTO reservations (kind, status, node_id, sku, quantity, order_id, line_id, fulfilment_id)
                VALUES ('firm', 'active', 'dc-leeds', 'A', 1, 'web-held', '1', 'web-held-F2')
                """)
            )


async def test_units_move_within_the_line_only(world: AsyncEngine) -> None:
    await place(world, ORDER)
    async with world.begin() as connection:
        await orders.move_units(connection, ORDER.order_id, [orders.UnitMove("1", cancelled=1, backordered=2)])
    with pytest.raises(IntegrityError):
        async with world.begin() as connection:
            await orders.move_units(connection, ORDER.order_id, [orders.UnitMove("1", cancelled=1)])
    assert await rows(world, "SELECT cancelled, backordered FROM order_lines") == [(1, 2)]
