"""Whether the process lives, and whether it can serve."""

import asyncio
from typing import Final

from fastapi import APIRouter
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from api import contract, examples, problems
from api.answers import Json
from api.failures import problem_of
from api.models.health import Alive, Ready
from api.services import Services, Use
from store import queries

router = APIRouter(prefix="/health", tags=["health"])

PATIENCE_SECONDS: Final = 3


@router.get(
    "/live",
    summary="Does the process answer",
    operation_id="getLiveness",
    response_model=Alive,
    responses=contract.success(200, "It does.", examples.ALIVE),
)
async def live() -> Json:
    """Looks at nothing else: a restart of this process would not bring a database back."""
    return Json({"status": "alive"})


@router.get(
    "/ready",
    summary="Can it serve orders",
    operation_id="getReadiness",
    response_model=Ready,
    responses={**contract.success(200, "It can.", examples.READY), **contract.problems("not-ready")},
)
async def ready(services: Use) -> Response:
    """PostgreSQL with its schema, and Temporal, answer. If not, `data` of the problem names what is missing."""
    parts = {"postgresql": await _postgresql(services), "temporal": await _temporal(services)}
    missing = {name: state for name, state in parts.items() if state != "ready"}
    if missing:
        named = "; ".join(f"{name}: {state}" for name, state in missing.items())
        return problems.answer(problems.of(problems.NOT_READY, named, data=missing))
    return Json({"status": "ready", **parts})


async def _postgresql(services: Services) -> str:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), services.reads.connect() as connection:
            await queries.probe(connection)
    except (SQLAlchemyError, TimeoutError) as error:
        return problem_of(error).detail
    return "ready"


async def _temporal(services: Services) -> str:
    return "ready" if await services.durable.is_healthy() else "Temporal cannot be reached now"
