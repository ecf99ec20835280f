"""Random carrier feeds against a model: `python -m tests.fuzz.carrier_feed --seconds 3600 --seed 1`.

Each sequence is one order: scans of its living, voided and ended parcels with two carriers in random sequence, repeats,
reused event ids and scans that cannot be taken, mixed with node steps, short picks, cancellations, parcels packed anew,
parcels that arrive after they were lost, collections and returns. After each act stock, statuses, shipments,
exceptions, timeline and messages must be what the model says. A failure prints its sequence, and the acts as they are
kept in `tests/fuzz/kept`; `--only SEED` draws that one again, `--story FILE` carries out the acts of a file, and
`--shorten FILE` looks for the fewest acts that fail.
"""

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from cli.embedded import postgres, temporal
from store.database import engine as database
from store.database import migrate
from tests.fuzz.acts import Story, read
from tests.fuzz.drawing import Draw
from tests.fuzz.life import Life
from tests.fuzz.running import World, running
from tests.worlds import small

AT_ONCE = 6


async def _lived(life: Life, name: str, done: Counter[str]) -> str | None:
    """Run a life; answers its story if it failed."""
    try:
        await life.run()
    except Exception as error:  # whatever it is, it is a finding
        return f"sequence {name}\n{life.story.as_json()}  -> {type(error).__name__}: {error}"
    finally:
        done.update(life.done)
        done["sequences"] += 1
    return None


async def attempt(world: World, seed: str, done: Counter[str]) -> str | None:
    """Draw a sequence and run it; answers its story if it failed."""
    return await _lived(Life(world, Draw(seed)), seed, done)


async def again(world: World, story: Story, name: str, done: Counter[str]) -> str | None:
    """Carry a story out; answers it if it failed."""
    return await _lived(Life(world, None, story), name, done)


async def explore(world: World, seed: int, until: float, most_failures: int = 10) -> tuple[Counter[str], list[str]]:
    """Sequences until a moment of the monotonic clock; answers what was done, and the stories of those that failed."""
    done: Counter[str] = Counter()
    failed: list[str] = []
    numbers = iter(range(10**9))

    async def one_after_another() -> None:
        while time.monotonic() < until and len(failed) < most_failures:
            if story := await attempt(world, f"{seed}/{next(numbers)}", done):
                failed.append(story)
                sys.stdout.write(f"{story}\n")
                sys.stdout.flush()

    await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))
    return done, failed


async def shortened(world: World, story: Story) -> Story:
    """The story without the acts that are not needed to make it fail: halves of it are left out, then ever less."""
    acts, size = list(story.acts), max(len(story.acts) // 2, 1)
    while True:
        at = 0
        while at < len(acts):
            fewer = Story(story.start, acts[:at] + acts[at + size :])
            if await again(world, fewer, "shorter", Counter()):
                acts = list(fewer.acts)
            else:
                at += size
        if size == 1:
            return Story(story.start, acts)
        size //= 2


@asynccontextmanager
async def _system() -> AsyncIterator[World]:
    with TemporaryDirectory(prefix="dom-fuzz-") as folder:
        store = postgres.start(Path(folder))
        server = temporal.start(Path(folder), in_memory=True)
        try:
            await asyncio.to_thread(migrate.upgrade, store.url)
            engine = database.create(store.url, 12)
            async with engine.begin() as connection:
                await small.write(connection)
            client = await Client.connect(server.address, data_converter=pydantic_data_converter)
            async with running(client, engine) as world:
                yield world
            await engine.dispose()
        finally:
            server.stop()
            store.stop()


async def _main(asked: argparse.Namespace) -> int:
    async with _system() as world:
        if asked.shorten:
            shorter = await shortened(world, read(asked.shorten))
            sys.stdout.write(f"{await again(world, shorter, str(asked.shorten), Counter())}\n")
            return 1
        if asked.only or asked.story:
            story = (
                await attempt(world, asked.only, Counter())
                if asked.only
                else await again(world, read(asked.story), str(asked.story), Counter())
            )
            sys.stdout.write(f"{story or 'no failure'}\n")
            return 1 if story else 0
        began = time.monotonic()
        done, failed = await explore(world, asked.seed, began + asked.seconds)
        figures = ", ".join(f"{number} {name}" for name, number in done.most_common())
        seconds = time.monotonic() - began
        sys.stdout.write(f"seed {asked.seed}: {seconds:.0f} s; {figures}; {len(failed)} failed\n")
        return 1 if failed else 0


def main() -> int:
    """Read the command line and explore."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="the seed of one sequence, as it was printed")
    parser.add_argument("--story", type=Path, help="a file of acts")
    parser.add_argument("--shorten", type=Path, help="a file of acts that fails")
    return asyncio.run(_main(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
