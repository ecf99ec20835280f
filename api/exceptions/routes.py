"""Exceptions: what a person must look at."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import RowMapping

from api.contract import responses
from api.exceptions import examples
from api.exceptions.models import ExceptionList
from api.http import cursor
from api.http.answers import Json
from api.http.models import Cursor, Limit
from api.http.services import Use
from api.identity.scopes import needs
from dom.exceptions import ExceptionKind, ExceptionSeverity, OwnerRole, info_of, matching
from dom.shared.access import Principal, Scope
from store.enums import ExceptionStatus
from store.reports import lists

router = APIRouter(tags=["exceptions"])


@router.get(
    "/exceptions",
    summary="Find exceptions",
    operation_id="listExceptions",
    response_model=ExceptionList,
    responses={
        **responses.success(200, "A page of exceptions, newest first.", examples.EXCEPTION_LIST),
        **responses.problems("invalid-input"),
    },
)
async def find(
    services: Use,
    who: Annotated[Principal, needs(Scope.EXCEPTIONS_READ)],
    *,
    status: Annotated[ExceptionStatus | None, Query(description="Only open ones, or only closed ones.")] = None,
    kind: Annotated[
        ExceptionKind | None, Query(description="Only of this kind.", examples=["message_given_up"])
    ] = None,
    severity: Annotated[ExceptionSeverity | None, Query(description="Only kinds as bad as this.")] = None,
    owner_role: Annotated[OwnerRole | None, Query(description="Only kinds that this role looks at.")] = None,
    order: Annotated[str | None, Query(max_length=900, description="Only this order's.")] = None,
    limit: Limit = 50,
    cursor_: Annotated[Cursor, Query(alias="cursor")] = None,
) -> Json:
    """Open ones and closed ones, unless `status` says which."""
    kinds = matching(kind, severity, owner_role)
    wanted = lists.ExceptionFilter(order_id=order, kinds=kinds, status=status, limits=who.limits)
    before = cursor.decode_number(cursor_, cursor.LONGEST_SERIAL) if cursor_ else None
    async with services.reads.connect() as connection:
        rows = await lists.list_exceptions(connection, wanted, before=before, limit=limit + 1)
    page, more = cursor.page(rows, limit, lambda row: (str(row["id"]),))
    return Json({"items": [_with_info(row) for row in page], "next_cursor": more})


def _with_info(row: RowMapping) -> dict[str, object]:
    return {**row, **asdict(info_of(row["kind"]))}
