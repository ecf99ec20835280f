"""Each kind of question is asked many times and explained once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from statistics import mean
from time import perf_counter
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.measure import percentile, processor_seconds, used_between
from bench.search.plans import Plan, explained, recorded
from bench.search.questions import QUESTIONS, Question, samples
from store.database import engine as database
from store.orders import reads
from store.orders.search import Search, find


@dataclass(frozen=True, slots=True)
class Asked:
    """What a kind of question took: the searches as a caller sees them, and their statements, as PostgreSQL says when
    it is asked to explain them; `pages` and `how` of the middle one. `processor` is the mean of PostgreSQL's processor
    time, which other work on the machine changes least.
    """

    kind: str
    milliseconds: list[float]
    statements: list[float]
    processor: float
    rows: float
    pages: int
    how: str

    @property
    def p50(self) -> float:
        """Half of the searches took no longer."""
        return percentile(self.milliseconds, 0.5)

    @property
    def p95(self) -> float:
        """Nineteen of twenty took no longer."""
        return percentile(self.milliseconds, 0.95)

    @property
    def in_words(self) -> str:
        """Half and nineteen of twenty."""
        own = [percentile(self.statements, share) for share in (0.5, 0.95)]
        whole, alone = f"{self.p50:.1f} / {self.p95:.1f}", f"{own[0]:.1f} / {own[1]:.1f}"
        return f"{self.kind}: {whole} ms, statements {alone} ms, processor {self.processor:.1f} ms"

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {**asdict(self), "p50": self.p50, "p95": self.p95}


async def ask_all(url: str, now: datetime, times: int, say: Callable[[str], None], only: str = "") -> list[Asked]:
    """Every kind of question, so many times."""
    engine = database.create(url, 1)
    try:
        async with engine.connect() as connection:
            known = await samples(connection, 0.5)
        found = []
        for question in (each for each in QUESTIONS if only in each.kind):
            searches = [Search((asked,), now, question.limits, limit=51) for asked in known.filters(question, times)]
            found.append(await _ask(engine, question, searches))
            say(found[-1].in_words)
        return found
    finally:
        await engine.dispose()


async def _ask(engine: AsyncEngine, question: Question, searches: list[Search]) -> Asked:
    await page(engine, searches[0])  # the statements are known to the driver, the caches are not
    if question.deep:
        searches = [replace(search, after=(await page(engine, search))[-1]) for search in searches]
    async with engine.connect() as connection:
        backend = {"postgres": int(await connection.scalar(text("SELECT pg_backend_pid()")) or 0)}
    took, rows, before = [], [], processor_seconds(backend)
    for wanted in searches:
        began = perf_counter()
        found = await page(engine, wanted)
        took.append((perf_counter() - began) * 1000)
        rows.append(len(found))
    processor = used_between(before, processor_seconds(backend), len(searches))["postgres"]
    explanations = [await plans_of(engine, search) for search in searches]
    statements = [sum(plan.milliseconds for plan in plans) for plans in explanations]
    middle = explanations[statements.index(percentile(statements, 0.5))]
    return Asked(
        question.kind, took, statements, processor, mean(rows), sum(plan.pages for plan in middle), _said(middle)
    )


async def page(engine: AsyncEngine, wanted: Search) -> list[tuple[datetime, str]]:
    """What the API asks for a page: the orders found, and what is shown of each."""
    async with engine.connect() as connection:
        found = await find(connection, wanted)
        await reads.summaries(connection, [order_id for _, order_id in found])
    return found


async def plans_of(engine: AsyncEngine, wanted: Search) -> list[Plan]:
    """How the statements of a page are carried out."""
    with recorded(engine) as statements:
        await page(engine, wanted)
    async with engine.connect() as connection:
        return [await explained(connection, each) for each in list(statements)]


def _said(plans: list[Plan]) -> str:
    """The indexes each statement but the last used: that one reads the rows by their keys."""
    parts = []
    for plan in plans[:-1]:
        used = dict.fromkeys(
            step.index or f"{step.kind} on {step.table}" for step in plan.steps if step.index or step.kind == "Seq Scan"
        )
        parts.append(f"{plan.milliseconds:.0f} ms: {', '.join(used)}")
    return "; then ".join(parts)
