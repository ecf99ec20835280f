"""Where platforms post their webhooks: they have no key of ours, and sign instead."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Request

from api.contract import responses
from api.http.answers import Json
from api.http.requests import refuse_what_would_be_lost
from api.http.services import Use
from api.inbox.models import MessageReceived
from services import channel_inbox
from services.database import Database

router = APIRouter(tags=["channels"])

PATH: Final = "/webhooks/{channel_id}"
_BODY: Final[dict[str, Any]] = {
    "required": True,
    "description": "As the platform sends it.",
    "content": {"application/json": {"schema": {}, "examples": responses.named({"a hint": {"id": 1001}})}},
}


@router.post(
    PATH,
    status_code=202,
    summary="A platform's webhook",
    operation_id="receiveWebhook",
    response_model=MessageReceived,
    openapi_extra={"requestBody": _BODY},
    dependencies=[Depends(refuse_what_would_be_lost)],
    responses={
        **responses.success(202, "It is kept, and is taken in.", {"id": 17, "repeated": False}),
        **responses.problems("bad-signature", "invalid-input", "body-too-large", "too-many-requests"),
    },
)
async def receive(
    channel_id: Annotated[str, Path(max_length=31, description="The channel's code.", examples=["web"])],
    request: Request,
    services: Use,
) -> Json:
    """No key is needed: the message is signed with the channel's secret, as its platform signs, or is refused. It is
    kept as it came and answered at once; what it says is asked of the platform where that can be asked. A platform that
    only tries the address is answered with 0.
    """
    body = await request.body()
    headers = {name.lower(): value for name, value in request.headers.items()}
    database = Database(engine=services.engine, reference=services.reference, webhooks=services.webhooks)
    kept = await channel_inbox.deliver(database, services.secrets, channel_id, headers, body)
    if kept is None:
        return Json({"id": 0, "repeated": False}, 202)
    return Json({"id": kept.id, "repeated": not kept.is_new}, 202)
