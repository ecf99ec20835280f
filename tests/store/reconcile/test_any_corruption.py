# ruff: noqa: S608 -- the statements are our own
"""Whatever is broken, by statements drawn at random: it is mended, or it is said where not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from store import reconcile
from store.database import engine as database
from store.reconcile import Trust
from tests.worlds.books import check_books, one
from tests.worlds.broken import edit
from tests.worlds.databases import Databases
from tests.worlds.reconciling import BOOKED, GONE, OPEN, OVER, fill, mend

NTH = "(SELECT id FROM {table} ORDER BY id OFFSET {{nth}} LIMIT 1)"
AN_ENTRY = NTH.format(table="stock_ledger")
A_RESERVATION = NTH.format(table="reservations")
CORRUPTIONS = (
    "UPDATE stock SET {quantity} = {value} WHERE node_id = '{node}' AND sku = '{sku}'",
    "DELETE FROM stock WHERE node_id = '{node}' AND sku = '{sku}'",
    "DELETE FROM stock_ledger WHERE id = " + AN_ENTRY,
    "UPDATE stock_ledger SET {delta} = {value} WHERE id = " + AN_ENTRY,
    "DELETE FROM reservations WHERE id = " + A_RESERVATION,
    "UPDATE reservations SET status = '{status}' WHERE id = " + A_RESERVATION,
    "UPDATE reservations SET quantity = {value} WHERE id = " + A_RESERVATION,
    "UPDATE reservations SET node_id = '{node}', sku = '{sku}' WHERE id = " + A_RESERVATION,
    "UPDATE fulfilments SET status = '{work}' WHERE id = '{fulfilment}'",
    "UPDATE fulfilment_lines SET quantity = abs({value}) WHERE fulfilment_id = '{fulfilment}'",
    "DELETE FROM fulfilments WHERE id = '{fulfilment}'",
    "DELETE FROM orders WHERE id = '{order}'",
    "UPDATE orders SET status = '{of_order}' WHERE id = '{order}'",
    "DELETE FROM soft_reservations WHERE id = 'live'",
    "UPDATE soft_reservations SET status = 'converted'",
    "UPDATE node_days SET used = {value} WHERE node_id = '{node}'",
    "DELETE FROM node_days",
)
QUANTITIES = ("on_hand", "damaged", "quarantine", "reserved", "reserved_soft", "safety_stock", "promise_safety")
DELTAS = ("on_hand_delta", "damaged_delta", "reserved_delta", "soft_delta", "safety_delta")


@st.composite
def corruptions(draw: st.DrawFn) -> str:
    """A statement that breaks something."""
    return draw(st.sampled_from(CORRUPTIONS)).format(
        quantity=draw(st.sampled_from(QUANTITIES)),
        delta=draw(st.sampled_from(DELTAS)),
        value=draw(st.sampled_from(("NULL", "-5", "0", "1", "3", "60"))),
        node=draw(st.sampled_from(("dc-leeds", "wh-london", "st-york", "nowhere"))),
        sku=draw(st.sampled_from(("A", "B", "RARE", "NONE"))),
        nth=draw(st.integers(0, 12)),
        status=draw(st.sampled_from(("active", "released", "consumed", "expired", "napping"))),
        work=draw(st.sampled_from(("released", "picked", "handed_over", "rejected", "cancelled", "lost", "napping"))),
        fulfilment=draw(st.sampled_from((OPEN, BOOKED, GONE, OVER))),
        order=draw(st.sampled_from(("web-open", "web-booked", "web-gone", "web-over"))),
        of_order=draw(st.sampled_from(("accepted", "shipped", "delivered", "cancelled", "lost in thought"))),
    )


@pytest.fixture(scope="session")
async def house_template(databases: Databases, world_template: str) -> str:
    """The name of a database with a house at work."""
    engine = database.create(databases.make(world_template, "house_template"), 2)
    await fill(engine)
    await engine.dispose()
    return "house_template"


@asynccontextmanager
async def scratch(databases: Databases, template: str) -> AsyncIterator[AsyncEngine]:
    """An engine on a fresh copy of a database."""
    with databases.fresh(template) as url:
        engine = database.create(url, 4)
        yield engine
        await engine.dispose()


POSSIBLE = """
SELECT count(*) FROM stock WHERE on_hand < 0 OR damaged < 0 OR quarantine < 0 OR reserved < 0 OR reserved_soft < 0
OR safety_stock < 0 OR promise_safety < 0 OR reserved + reserved_soft > on_hand OR on_hand IS NULL
"""


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(statements=st.lists(corruptions(), min_size=1, max_size=6), trust=st.sampled_from(list(Trust)))
async def test_after_a_repair_the_books_agree_or_it_is_said_where_not(
    databases: Databases, house_template: str, statements: list[str], trust: Trust
) -> None:
    """Whatever is broken: a second look finds only places the repair named, and what it named is on the queue."""
    async with scratch(databases, house_template) as house:
        await edit(house, *statements)
        repaired = await mend(house, trust)
        left = {str(each.subject) for each in (await reconcile.find(house, trust=trust)).listed}
        named = {str(subject) for subject in repaired.problems}
        assert left <= named, (left - named, repaired.problems)
        again = await mend(house, trust)
        assert again.mended == 0
        assert {str(subject) for subject in again.problems} == left
        if not left:
            assert await one(house, POSSIBLE) == 0
            await check_books(house, reserved=int(str(await one(house, "SELECT sum(reserved) FROM stock"))))
        else:
            assert int(str(await one(house, "SELECT count(*) FROM exceptions"))) >= 1
