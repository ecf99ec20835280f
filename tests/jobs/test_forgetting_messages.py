"""Old messages of channels go; what waits for somebody stays."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from jobs.forgetting_messages import ForgettingMessages
from tests.worlds.books import rows
from tests.worlds.channel_messages import open_shop, send, told

AGE = """
UPDATE channel_messages SET outcome = :outcome, settled_at = CASE WHEN :outcome = 'received' THEN NULL ELSE now() END
WHERE id = :id
"""


async def test_what_is_old_and_done_goes_with_its_repeats(world: AsyncEngine) -> None:
    await open_shop(world)
    for outcome in ("captured", "received", "quarantined", "duplicate"):
        kept = await send(world, told(f"old-{outcome}", A=1), outcome)
        await send(world, told(f"old-{outcome}", A=1), f"{outcome} again")
        async with world.begin() as connection:
            await connection.execute(text(AGE), {"outcome": outcome, "id": kept.id})
    assert not await ForgettingMessages(world, 1).run()
    assert len(await rows(world, "SELECT id FROM channel_messages")) == 4
    async with world.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE channel_messages DISABLE TRIGGER raw_never_changes")
        await connection.exec_driver_sql("UPDATE channel_messages SET received_at = now() - interval '2 days'")
    assert not await ForgettingMessages(world, 1).run()
    left = await rows(world, "SELECT outcome FROM channel_messages ORDER BY outcome")
    assert left == [("quarantined",), ("received",)]
    assert len(await rows(world, "SELECT id FROM channel_message_repeats")) == 2
