"""Everything that was found is put right, subject by subject, while the system goes on working."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.exceptions import ExceptionKind
from store import exceptions
from store.database.engine import is_unavailable
from store.reconcile import days, transit
from store.reconcile.differences import BusyError, CannotMendError, StockDifference, Subject, SubjectKind, Trust
from store.reconcile.finding import LISTED, Findings, find
from store.reconcile.place_repair import Line, PlaceRepair, RepairRun, repair_place

ROUND: Final = 20_000
"""How many subjects are remembered from one look at the books."""
TRIES: Final = 3
"""How often a subject is tried: an order may be at work, and what one place lets go another may need."""
BUSY: Final = frozenset({"40001", "40P01", "55P03"})
"""SQL states of a transaction that was in another's way."""

PATIENCE: Final = "10s"
"""How long a place is waited for that somebody has locked."""

EXCEPTION: Final = ExceptionKind.STOCK_DIFFERENCE


@dataclass(slots=True)
class Repaired:
    """What a repair did: `found` before it, how many subjects are mended, what is left afterwards and why."""

    run_id: str
    found: Findings
    left: Findings
    mended: int = 0
    problems: dict[Subject, str] = field(default_factory=dict)


async def repair(
    engine: AsyncEngine, *, actor: str, now: datetime, trust: Trust = Trust.LEDGER, limit: int = LISTED
) -> Repaired:
    """Mend what can be mended; the rest stands in the exception queue. Looks again at the end."""
    run = RepairRun(f"{now:%Y%m%dT%H%M%S}-{uuid4().hex[:6]}", actor, trust)
    tries: Counter[Subject] = Counter()
    mended: set[Subject] = set()
    problems: dict[Subject, str] = {}
    look = await _look(engine, trust, limit, tries)
    found = look.findings
    while look.worth:
        for subject in look.worth:
            tries[subject] += 1
            problem = await _repair_subject(engine, subject, run)
            if problem:
                problems[subject] = problem
            else:
                problems.pop(subject, None)
                mended.add(subject)
        look = await _look(engine, trust, limit, tries)
    vanished = problems.keys() - look.tried
    async with engine.begin() as connection:
        await _close_exceptions(connection, [_key(subject) for subject in vanished])
    left = {subject: why for subject, why in problems.items() if subject not in vanished}
    return Repaired(run.id, found, look.findings, len(mended - left.keys()), left)


@dataclass(slots=True)
class _Look:
    """The books, subjects in them that are still worth a try, and those that were tried and differ all the same."""

    findings: Findings = field(default_factory=Findings)
    worth: dict[Subject, None] = field(default_factory=dict)
    tried: set[Subject] = field(default_factory=set)


async def _look(engine: AsyncEngine, trust: Trust, limit: int, tries: Mapping[Subject, int]) -> _Look:
    look = _Look()

    def remember(difference: StockDifference) -> None:
        subject = difference.subject
        if tries[subject]:
            look.tried.add(subject)
        if len(look.worth) < ROUND and tries[subject] < TRIES:
            look.worth[subject] = None

    look.findings = await find(engine, trust=trust, limit=limit, visit=remember)
    return look


async def _repair_subject(engine: AsyncEngine, subject: Subject, run: RepairRun) -> str:
    """Put one subject right; answers what stands in the way, or nothing."""
    try:
        async with engine.begin() as connection:
            await connection.execute(text(f"SET LOCAL lock_timeout = '{PATIENCE}'"))
            settled = await _repair_kind(connection, subject, run)
            await _close_exceptions(connection, [_key(subject), *map(_line_key, settled.met)])
            for line, why in settled.unmet.items():
                await _open_exception(connection, _line_key(line), f"{subject}: {why}", line[0])
            return "; ".join(sorted(set(settled.unmet.values())))
    except BusyError:
        return "an order of it is being worked on: repair again"
    except CannotMendError as error:
        problem = str(error)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) in BUSY:
            return "somebody else was in the way: repair again"
        if is_unavailable(error):
            raise
        problem = f"the database refuses: {str(error.orig).strip().splitlines()[0]}"
    async with engine.begin() as connection:
        await _open_exception(connection, _key(subject), f"{subject}: {problem}")
    return problem


async def _repair_kind(connection: AsyncConnection, subject: Subject, run: RepairRun) -> PlaceRepair:
    if subject.kind is SubjectKind.BALANCE:
        node_id, sku = subject.parts
        return await repair_place(connection, (node_id, sku), run)
    if subject.kind is SubjectKind.DAY:
        await days.repair_day(connection, subject)
    elif subject.kind is SubjectKind.INBOUND:
        await transit.repair_transit(connection, subject)
    else:
        raise CannotMendError("an unknown status says nothing about its units: a person must say what it is")
    return PlaceRepair()


def _key(subject: Subject) -> str:
    return f"{EXCEPTION}/{subject.kind}/{subject}"


def _line_key(line: Line) -> str:
    _, fulfilment_id, line_id = line
    return f"{EXCEPTION}/{fulfilment_id}/{line_id}"


async def _open_exception(connection: AsyncConnection, key: str, detail: str, order_id: str | None = None) -> None:
    """One exception for one trouble, opened again where it was closed too early."""
    await exceptions.open_(connection, order_id, EXCEPTION, key, detail, reopening=exceptions.Reopening.ALWAYS)


async def _close_exceptions(connection: AsyncConnection, keys: Sequence[str]) -> None:
    await exceptions.close_by_keys(connection, *keys)
