"""Some sequences of the carrier fuzz with fixed seeds; `python -m tests.fuzz.carrier_feed` draws others."""

import asyncio
from collections import Counter

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from tests.fuzz.carrier_feed import attempt
from tests.fuzz.running import running

SEEDS = ("2/58", "11/100", "11/157", "11/186", "11/287", "21/249", *(f"kept/{number}" for number in range(13)))
"""The first ones once parted model and system."""


async def test_the_system_is_what_the_model_says(temporal_client: Client, world: AsyncEngine) -> None:
    done: Counter[str] = Counter()
    async with running(temporal_client, world) as system:
        stories = await asyncio.gather(*(attempt(system, seed, done) for seed in SEEDS))
    assert not [story for story in stories if story]
    assert done["sequences"] == len(SEEDS)
    assert min(done["scan"], done["step"], done["cancel"]) > len(SEEDS)
