"""Files of counts and changes of stock: sent in as a stream, applied in the background, answered row by row."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic_core import to_json
from starlette.responses import StreamingResponse

from api.contract import responses
from api.http import cursor
from api.http.answers import Json
from api.http.bodies import MAX_FILE_BYTES
from api.http.clock import not_in_the_future
from api.http.models import Cursor, Limit
from api.http.services import IdempotencyKey, Use
from api.identity.scopes import needs
from api.imports import examples
from api.stock.models import ImportDetail, ImportList, Source
from dom.shared.access import Principal, Scope
from dom.shared.base import GivenTime
from dom.shared.errors import InvalidInput
from store import imports
from store.enums import ImportKind, ImportStatus
from store.imports import Format, Header, Import

router = APIRouter(tags=["inventory"])

PATH = "/inventory/imports"
MEDIA_TYPES = {Format.CSV: "text/csv", Format.JSONL: "application/x-ndjson"}
PROBLEM_COLUMNS = ("row", "node_id", "sku", "quantity", "key", "outcome", "problem", "field", "detail", "raw")
ImportId = Annotated[str, Path(max_length=64, description="The import's id.", examples=[examples.IMPORT["id"]])]
_FILE = {
    "required": True,
    "description": "One row a line. CSV begins with a header of `node_id`, `sku`, `quantity` and, where wanted, "
    "`reason_code`, for counts `as_of`, for deltas `key` and `occurred_at`; JSON Lines, "
    """sent with `format=jsonl`, have the same names: `{"node_id": "dc-1", "sku": "EXAMPLE-1", "quantity": 141}`. """
    f"A row is one line, up to 10,000 bytes; the file may have {MAX_FILE_BYTES} bytes.",
    "content": {
        "application/octet-stream": {
            "schema": {"type": "string", "format": "binary"},
            "examples": responses.named(examples.IMPORT_FILES),
        }
    },
}


@router.post(
    PATH,
    status_code=202,
    summary="Send in a file of counts or changes",
    operation_id="importInventory",
    response_model=ImportDetail,
    openapi_extra={"requestBody": _FILE},
    responses={
        **responses.success(202, "Received in full; it is applied now.", examples.IMPORT),
        **responses.success(200, "Received before, with the same key.", examples.IMPORT, ImportDetail),
        **responses.problems("invalid-input", "conflict", "body-too-large"),
    },
)
async def send(
    request: Request,
    services: Use,
    who: Annotated[Principal, needs(Scope.STOCK_WRITE)],
    *,
    kind: Annotated[ImportKind, Query(description="Absolute counts, or changes.")],
    source: Annotated[Source, Query(description="Who counts or changes; each source numbers its own counts.")],
    format_: Annotated[Format, Query(alias="format")] = Format.CSV,
    all_or_nothing: Annotated[bool, Query(description="One bad row, and nothing of the file is applied.")] = False,
    as_of: Annotated[
        GivenTime | None, Query(description="When the rows are of that do not say it; now, if absent.")
    ] = None,
    sequence: Annotated[
        int | None,
        Query(
            ge=0,
            lt=2**63,
            description="Orders the source's counts; without it they go by `as_of`. A source has it always or never.",
        ),
    ] = None,
    key: IdempotencyKey = None,
) -> Json:
    """The answer says that every row was received; what became of each the import tells while it is applied, and its
    `problems` name each row that was not. A change counts once by its `key`, or by the import and the row: send an
    Idempotency-Key, so that a file sent again after a failure is the same import; another file with it is refused. Of
    two counts of one node and SKU in a file the later row stands. All-or-nothing holds every balance of the file until
    it ends. Rows of nodes that are not the caller's own are refused; who is limited to nodes sees the imports of those
    who are limited to some of them.
    """
    if request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers:
        raise InvalidInput("the file has no rows", field="body")
    at = not_in_the_future(as_of, "as_of")
    header = Header(
        kind=kind,
        format=format_,
        all_or_nothing=all_or_nothing,
        source=source,
        as_of=at,
        sequence=sequence,
        actor=who.name,
        key=key,
        nodes=who.limits.nodes,
        asked={"format": format_, "as_of": as_of, "sequence": sequence},
    )
    found, created = await imports.receive(services.engine, header, request.stream())
    if not found.ended:
        await services.work.import_received(found.id)
    content = _shown(found)
    return Json(content, 202 if created else 200, headers={"Location": content["links"]["self"]})


@router.get(
    PATH,
    summary="Find imports",
    operation_id="listImports",
    response_model=ImportList,
    responses={
        **responses.success(200, "Imports, the newest first.", examples.IMPORT_LIST),
        **responses.problems("invalid-input"),
    },
)
async def find(
    services: Use,
    who: Annotated[Principal, needs(Scope.STOCK_READ)],
    status: Annotated[list[ImportStatus] | None, Query(description="Repeatable.")] = None,
    limit: Limit = 50,
    cursor_: Annotated[Cursor, Query(alias="cursor")] = None,
) -> Json:
    """How far each is, and what became of its rows."""
    before = cursor.decode_moment(cursor_) if cursor_ else None
    found = await imports.find(services.reads, status or [], before, limit + 1, who.limits.nodes)
    page, more = cursor.page(found, limit, lambda each: (each.created_at, each.id))
    return Json({"items": [_shown(each) for each in page], "next_cursor": more})


@router.get(
    PATH + "/{import_id}",
    summary="An import and how far it is",
    operation_id="getImport",
    response_model=ImportDetail,
    responses={**responses.success(200, "The import.", examples.IMPORT), **responses.problems("not-found")},
)
async def get(import_id: ImportId, services: Use, who: Annotated[Principal, needs(Scope.STOCK_READ)]) -> Json:
    """Rows received, rows by outcome, and rows applied a second."""
    return Json(_shown(await imports.get(services.reads, import_id, who.limits.nodes)))


@router.post(
    PATH + "/{import_id}/cancel",
    summary="Apply no more of an import",
    operation_id="cancelImport",
    response_model=ImportDetail,
    responses={
        **responses.success(200, "Cancelled.", examples.IMPORT_CANCELLED),
        **responses.problems("not-found", "conflict"),
    },
)
async def cancel(import_id: ImportId, services: Use, who: Annotated[Principal, needs(Scope.STOCK_WRITE)]) -> Json:
    """What was applied stays. Every row that was not is one of the `problems`, as `cancelled`: send those in to go on.
    All-or-nothing, nothing was applied. Cancelled again it is answered again; one that has ended otherwise, or is still
    being received, is a conflict.
    """
    await imports.get(services.reads, import_id, who.limits.nodes)
    return Json(_shown(await services.work.cancel_import(import_id, who.name)))


@router.get(
    PATH + "/{import_id}/problems",
    summary="The rows that were not applied as they stand, and why",
    operation_id="getImportProblems",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "A row a line, in the file's sequence; `row` is the line of the file.",
            "content": {
                media_type: {"schema": {"type": "string"}, "example": example}
                for media_type, example in examples.IMPORT_PROBLEMS.items()
            },
        },
        **responses.problems("not-found", "invalid-input"),
    },
)
async def problems(
    import_id: ImportId,
    services: Use,
    who: Annotated[Principal, needs(Scope.STOCK_READ)],
    format_: Annotated[Format, Query(alias="format")] = Format.CSV,
) -> StreamingResponse:
    """Refused rows, counts below what is reserved, rows that a later count or a later row made void, and those that a
    cancelled import did not come to. What could not be read stands there as it came.
    """
    found = await imports.get(services.reads, import_id, who.limits.nodes)
    rows = _rows(services, import_id, _as_csv if format_ is Format.CSV else _as_json, format_)
    headers = {"Content-Disposition": f'attachment; filename="{found.id}-problems.{format_}"'}
    return StreamingResponse(rows, media_type=MEDIA_TYPES[format_], headers=headers)


async def _rows(services: Use, import_id: str, write: Any, format_: Format) -> AsyncIterator[bytes]:
    if format_ is Format.CSV:
        yield _as_csv(dict(zip(PROBLEM_COLUMNS, PROBLEM_COLUMNS, strict=True)))
    async for row in imports.problems(services.reads, import_id):
        yield write(dict(row))


def _as_csv(row: dict[str, Any]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow([row[name] for name in PROBLEM_COLUMNS])
    return line.getvalue().encode()


def _as_json(row: dict[str, Any]) -> bytes:
    return to_json(row) + b"\n"


def _shown(found: Import) -> dict[str, Any]:
    here = f"/v1{PATH}/{found.id}"
    names = [name for name in ImportDetail.model_fields if name != "links"]
    return {name: getattr(found, name) for name in names} | {"links": {"self": here, "problems": f"{here}/problems"}}
