"""Rehearsals of a policy over recorded orders: asked for here, each run by a workflow, read here.

Their figures are sums over the orders of all channels and nodes: they are for callers without limits, as shadows are.
"""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Depends, Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import HTMLResponse, Response

from api.contract import responses
from api.http import cursor
from api.http.answers import Json
from api.http.models import Cursor, Limit
from api.http.services import Use
from api.identity import visibility
from api.identity.scopes import caller, needs
from api.rehearsal import examples
from api.rehearsal import page as reports
from api.rehearsal.models import RehearsalDetail, RehearsalId, RehearsalList, RehearsalReport, RehearsalRequest
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from dom.shared.errors import Conflict
from dom.sourcing.policy.document import Policy
from store.enums import RehearsalStatus
from store.policy import drafts, policies
from store.rehearsal import rehearsals
from store.rehearsal.rehearsals import Rehearsal


def sees_everything(request: Request) -> None:
    """Raises Forbidden for a caller with limits."""
    visibility.no_limit(caller(request), "rehearsals and shadows are")


router = APIRouter(tags=["ofl"], dependencies=[Depends(sees_everything)])

PATH = "/ofl/rehearsals"
OWN_VERSIONS: Final = "each decision's own version"
_DRAFT: Final = "draft:"


@router.post(
    PATH,
    status_code=202,
    summary="Rehearse a policy over recorded orders",
    operation_id="startRehearsal",
    response_model=RehearsalDetail,
    responses={
        **responses.success(202, "It is run now, or after others.", examples.REHEARSAL),
        **responses.problems("invalid-input", "not-found"),
    },
)
async def start(
    asked: Annotated[RehearsalRequest, AS_SEEN, Body(openapi_examples=responses.named(examples.REHEARSAL_REQUESTS))],
    services: Use,
    who: Annotated[Principal, needs(Scope.POLICY_WRITE)],
) -> Json:
    """Every recorded decision of the orders is made again by the planner, in sequence, on the stock as it stood, drawn
    down by what the draft itself takes. Nothing is changed by it. Without a policy each decision is made again under
    its own version, and must come out the same.
    """
    async with services.engine.begin() as connection:
        policy, called = await named(connection, asked.which, asked.policy)
        found = await rehearsals.ask(
            connection, policy=policy, policy_name=called, orders=asked.orders, asked_by=who.name
        )
    await services.work.rehearsal_asked(found.id)
    content = _shown(found)
    return Json(content, 202, headers={"Location": content["links"]["self"]})


async def named(connection: AsyncConnection, which: str | None, policy: Policy | None) -> tuple[Policy | None, str]:
    """The policy that is meant, and what to call it. Raises NotFound."""
    if policy is not None:
        return policy, policy.name
    if which is None:
        return None, OWN_VERSIONS
    if which.startswith(_DRAFT):
        draft = await drafts.get(connection, which.removeprefix(_DRAFT))
        return draft.policy, f"draft {draft.name}, revision {draft.revision}"
    published = await policies.get(connection, None if which == "live" else int(which))
    return published.policy, f"version {published.version} ({published.policy.name})"


@router.get(
    PATH,
    summary="Find rehearsals",
    operation_id="listRehearsals",
    dependencies=[needs(Scope.POLICY_READ)],
    response_model=RehearsalList,
    responses={
        **responses.success(200, "Rehearsals, the newest first.", examples.REHEARSAL_LIST),
        **responses.problems("invalid-input"),
    },
)
async def find(
    services: Use,
    status: Annotated[list[RehearsalStatus] | None, Query(description="Repeatable.")] = None,
    limit: Limit = 50,
    cursor_: Annotated[Cursor, Query(alias="cursor")] = None,
) -> Json:
    """Without their figures; each has them under its own address."""
    before = cursor.decode_moment(cursor_) if cursor_ else None
    found = await rehearsals.find(services.reads, status or [], before, limit + 1)
    page, more = cursor.page(found, limit, lambda each: (each.created_at, each.id))
    return Json({"items": [_shown(each) for each in page], "next_cursor": more})


@router.get(
    PATH + "/{rehearsal_id}",
    summary="A rehearsal, how far it is, and its figures",
    operation_id="getRehearsal",
    dependencies=[needs(Scope.POLICY_READ)],
    response_model=RehearsalDetail,
    responses={
        **responses.success(200, "The rehearsal.", examples.REHEARSAL_DONE),
        **responses.problems("not-found", "invalid-input"),
    },
)
async def get(rehearsal_id: RehearsalId, services: Use) -> Json:
    """Amounts are minor units. `money` and `weighed` are both sides at the baseline's prices, to be compared."""
    return Json(_shown(await rehearsals.get(services.reads, rehearsal_id)))


@router.get(
    PATH + "/{rehearsal_id}/report",
    summary="The report of a rehearsal, as a page or as JSON",
    operation_id="getRehearsalReport",
    dependencies=[needs(Scope.POLICY_READ)],
    response_model=RehearsalReport,
    responses={
        200: {
            "description": "As the caller accepts it: JSON, or one HTML page with charts.",
            "content": {
                "application/json": {"example": examples.REHEARSAL_REPORT},
                "text/html": {"schema": {"type": "string"}, "example": "<!doctype html><title>Rehearsal</title>"},
            },
        },
        **responses.problems("not-found", "conflict", "invalid-input"),
    },
)
async def report(request: Request, rehearsal_id: RehearsalId, services: Use) -> Response:
    """The figures by channel, strategy and node, and the orders whose plan changes with both explanations. Before the
    rehearsal is done there is none: 409.
    """
    found = await rehearsals.get(services.reads, rehearsal_id)
    if found.report is None:
        raise Conflict(f"{found.id} is {found.status}, and has no report", data={"status": found.status})
    if _wants_page(request):
        return HTMLResponse(reports.page(found.report), headers={"Vary": "Accept"})
    return Json(found.report.model_dump(mode="json"), headers={"Vary": "Accept"})


@router.delete(
    PATH + "/{rehearsal_id}",
    summary="Cancel a rehearsal, or throw its report away",
    operation_id="deleteRehearsal",
    response_model=RehearsalDetail,
    responses={
        **responses.success(200, "The rehearsal as it was; it is gone.", examples.REHEARSAL),
        **responses.problems("not-found", "invalid-input"),
    },
)
async def delete(
    rehearsal_id: RehearsalId, services: Use, who: Annotated[Principal, needs(Scope.POLICY_WRITE)]
) -> Json:
    """One that is under way ends with its next step."""
    found = await rehearsals.get(services.reads, rehearsal_id)
    await services.work.delete_rehearsal(rehearsal_id, who.name)
    return Json(_shown(found))


def _wants_page(request: Request) -> bool:
    """Whether the caller would rather have HTML than JSON; whoever does not say gets JSON."""
    accepted = request.headers.get("accept", "*/*").lower()
    page, data = accepted.find("text/html"), accepted.find("application/json")
    return page >= 0 and (data < 0 or page < data)


def _shown(found: Rehearsal) -> dict[str, Any]:
    here = f"/v1{PATH}/{found.id}"
    names = [name for name in RehearsalDetail.model_fields if name not in {"links", "figures"}]
    figures = None
    if found.report is not None:
        figures = {
            "orders_changed": found.report.orders_changed,
            "decisions_the_same": found.report.reproduced,
            "baseline": found.report.baseline.total,
            "draft": found.report.draft.total,
        }
    return {
        **{name: getattr(found, name) for name in names},
        "figures": figures,
        "links": {"self": here, "report": f"{here}/report"},
    }
