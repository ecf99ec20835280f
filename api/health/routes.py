"""Whether the process lives, and whether it can serve."""

from typing import Final

from fastapi import APIRouter
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from api.contract import responses
from api.health import examples
from api.health.models import Alive, Ready
from api.http import problems
from api.http.answers import Json
from api.http.failures import problem_of
from api.http.services import Services, Use
from store.database import readiness

router = APIRouter(prefix="/health", tags=["health"])

PATIENCE_SECONDS: Final = 3
_UNFIT: Final = {
    readiness.DatabaseState.OLDER: "the database schema is older than this program; run `dom migrate`",
    readiness.DatabaseState.READ_ONLY: "the database takes no writes: it is a standby, or set to read only",
}


@router.get(
    "/live",
    summary="Does the process answer",
    operation_id="getLiveness",
    response_model=Alive,
    responses=responses.success(200, "It does.", examples.ALIVE),
)
async def live() -> Json:
    """Looks at nothing else: a restart of this process would not bring a database back."""
    return Json({"status": "alive"})


@router.get(
    "/ready",
    summary="Can it serve orders",
    operation_id="getReadiness",
    response_model=Ready,
    responses={**responses.success(200, "It can.", examples.READY), **responses.problems("not-ready")},
)
async def ready(services: Use) -> Response:
    """PostgreSQL answers and has its schema, Temporal its namespace and search attributes.

    If not, `data` of the problem names what is missing.
    """
    missing = await lacking(services)
    if missing:
        named = "; ".join(f"{name}: {state}" for name, state in missing.items())
        return problems.answer(problems.of(problems.NOT_READY, named, data=missing))
    return Json({"status": "ready", "postgresql": "ready", "temporal": "ready"})


async def lacking(services: Services) -> dict[str, str]:
    """What the API cannot serve without, each with what is wrong with it; empty if it can serve."""
    parts = {"postgresql": await _postgresql(services), "temporal": await _temporal(services)}
    return {name: state for name, state in parts.items() if state != "ready"}


async def _postgresql(services: Services) -> str:
    try:
        found = await services.standing.within(PATIENCE_SECONDS)
    except (SQLAlchemyError, TimeoutError) as error:
        return problem_of(error).detail
    return _UNFIT.get(found, "ready")


async def _temporal(services: Services) -> str:
    return await services.durable.lacks() or "ready"
