"""Some sequences of the carrier fuzz; `python -m tests.fuzz.carrier_feed` draws others.

`kept` holds those that once parted model and system, as the fuzz printed them.
"""

import asyncio
from collections import Counter

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from tests.fuzz.acts import KEPT, read
from tests.fuzz.carrier_feed import again, attempt
from tests.fuzz.running import running

SEEDS = tuple(f"drawn/{number}" for number in range(12))


async def test_the_system_is_what_the_model_says(temporal_client: Client, world: AsyncEngine) -> None:
    done: Counter[str] = Counter()
    files = sorted(KEPT.glob("*.json"))
    async with running(temporal_client, world) as system:
        stories = await asyncio.gather(
            *(attempt(system, seed, done) for seed in SEEDS),
            *(again(system, read(file), file.name, done) for file in files),
        )
    assert not [story for story in stories if story]
    assert done["sequences"] == len(SEEDS) + len(files)
    assert min(done["scans"], done["step"], done["cancel"]) > done["sequences"]
