"""What each type of problem means: the page its `type` leads to."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from api.contract import responses
from api.health import examples
from api.http import problems
from dom.shared.errors import NotFound

router = APIRouter(tags=["problems"])


class ProblemMeaning(BaseModel):
    """A type of problem."""

    type: str
    title: str
    status: int = Field(description="The HTTP status it comes with.")
    meaning: str


@router.get(
    "/problems/{name}",
    summary="What a problem means",
    operation_id="getProblemType",
    responses={
        **responses.success(200, "The type of problem.", examples.PROBLEM_MEANING),
        **responses.problems("not-found"),
    },
)
async def get(name: Annotated[str, Path(max_length=64, examples=["unknown-sku"])]) -> ProblemMeaning:
    """Types are stable: a program may decide by them."""
    if name not in problems.TYPES:
        raise NotFound(f"there is no problem of type {name}")
    kind = problems.TYPES[name]
    return ProblemMeaning(type=kind.uri, title=kind.title, status=kind.status, meaning=kind.meaning)
