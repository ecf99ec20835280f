"""What is free and what a channel may have of it is the same in the database and in Python."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.stock import atp

UNITS = st.integers(0, 1_000_000)
FORMULAS = text("""
SELECT free_units(:on_hand, :reserved, :soft, :safety) AS free,
       allowed_units(free_units(:on_hand, :reserved, :soft, :safety), :buffer, :share) AS allowed
""")


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(on_hand=UNITS, reserved=UNITS, soft=UNITS, safety=UNITS, buffer=UNITS, share=st.integers(0, 100))
async def test_both_count_the_same(
    world: AsyncEngine, on_hand: int, reserved: int, soft: int, safety: int, buffer: int, share: int
) -> None:
    names = {"on_hand": on_hand, "reserved": reserved, "soft": soft, "safety": safety}
    async with world.connect() as connection:
        found = (await connection.execute(FORMULAS, names | {"buffer": buffer, "share": share})).one()
    free = atp.free(**names)
    assert (found.free, found.allowed) == (free, atp.allowed(free, buffer, share))
