"""The budget of connections: what processes take is what is said, and the doctor does the sum."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cli import connections
from cli.finding import CheckVerdict
from settings import Settings
from store.database import engine as database
from store.database import leader_lock
from store.database.engine import ProcessKind


async def limited(world: AsyncEngine, url: str, limit: int) -> str:
    """The same database for a role that may hold so many connections."""
    role = f"r_{uuid4().hex[:8]}"
    async with world.begin() as connection:
        await connection.execute(
            text(f"CREATE ROLE {role} LOGIN PASSWORD 'p' CONNECTION LIMIT {limit} IN ROLE pg_read_all_data")
        )
    return f"postgresql+psycopg://{role}:p@{url.rpartition('@')[2]}"


async def hold(engine: AsyncEngine, callers: int) -> None:
    async def ask() -> None:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT pg_sleep(0.05)"))

    await asyncio.gather(*(ask() for _ in range(callers)))


class TestBudget:
    async def test_a_process_takes_its_pool_and_no_more(self, world: AsyncEngine, world_url: str) -> None:
        settings = Settings(db_pool_size=3)
        worker, api = database.create(world_url, 3, ProcessKind.WORKER), database.create(world_url, 3, ProcessKind.API)
        try:
            async with leader_lock.own_connection(worker) as held:
                await held.take()
                await asyncio.gather(hold(worker, 12), hold(api, 12))
                async with world.connect() as connection:
                    rows = await connection.execute(
                        text("""
                        SELECT split_part(application_name, ' ', 1), count(*) FROM pg_stat_activity
                        WHERE datname = current_database() AND application_name LIKE 'dom-%' GROUP BY 1
                        """)
                    )
                    counted = {str(kind): int(number) for kind, number in rows}
                budget = await asyncio.to_thread(connections.look, settings, world_url)
        finally:
            await worker.dispose()
            await api.dispose()

        assert {kind: counted[kind] for kind in (ProcessKind.WORKER, ProcessKind.JOBS, ProcessKind.API)} == {
            ProcessKind.WORKER: 3,
            ProcessKind.JOBS: 1,
            ProcessKind.API: 3,
        }
        assert (budget.a_worker, budget.an_api) == (6, 3)
        assert budget.workers >= 1
        assert budget.apis >= 1

    async def test_the_doctor_says_how_many_fit(self, world: AsyncEngine, world_url: str) -> None:
        roomy = await asyncio.to_thread(connections.finding, Settings(), await limited(world, world_url, 40))
        assert roomy.verdict is CheckVerdict.FINE
        assert "more workers or" in roomy.words

        tight = await asyncio.to_thread(connections.finding, Settings(), await limited(world, world_url, 5))
        assert tight.verdict is CheckVerdict.NOTE
        assert "no room for another worker" in tight.words

    def test_a_worker_that_is_never_the_leader_takes_two_less(self) -> None:
        assert connections.of_a_worker(Settings(db_pool_size=5, background_jobs=False)) == 6
