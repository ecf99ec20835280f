"""The customer's link: what is asked is shown and answered without a login. Whoever has the link is the customer; it
tells what is late of one order, and nothing else. Reading changes nothing: mail scanners open links too.
"""

from datetime import UTC
from typing import Annotated, Any, Final
from urllib.parse import parse_qs, urlencode

from fastapi import APIRouter, Depends, Path, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from api.contract import responses
from api.http.answers import Json
from api.http.requests import refuse_what_would_be_lost
from api.http.services import Services, Use
from api.questions import examples
from api.questions.models import AskedLine, AskedSwap, ChoiceRequest, QuestionForCustomer
from api.questions.page import HEADERS, page
from api.questions.routes import database
from dom.orders.questions import CustomerChoice, QuestionStatus, Withdrawal, as_seen
from dom.shared import json_text
from dom.shared.access import CUSTOMER
from dom.shared.errors import Conflict, DomError, InvalidInput, NotFound, Stale
from dom.shared.money import Money
from services import question_answers
from services.clock import utc_now
from services.customer_links import PATH
from services.question_answers import Answer
from store.orders import customer_questions as rows

router = APIRouter(tags=["orders"])

Token = Annotated[
    str, Path(max_length=200, description="What the mailed link ends with.", examples=["kT0mGk0pXv6rWq1dJ3u0xQ..."])
]
_S = QuestionStatus
_CHOSEN: Final = {
    CustomerChoice.WAIT: "The goods come as soon as we have them.",
    CustomerChoice.PARTIAL: "What there is goes now, and the rest as soon as we have it.",
    CustomerChoice.SWAP: "Other articles are sent instead.",
    CustomerChoice.CANCEL: "The goods below are not sent.",
}
_VERBS: Final = {
    CustomerChoice.WAIT: "to wait",
    CustomerChoice.PARTIAL: "to get a part now",
    CustomerChoice.SWAP: "to take other articles",
    CustomerChoice.CANCEL: "to cancel",
}
_WITHDRAWN: Final = {
    Withdrawal.KEPT: "There is nothing to choose any more: the goods come as we told you after all.",
    Withdrawal.GONE: "There is nothing to choose any more: the goods are on their way, or not to be sent any more.",
}
_MEDIA: Final = ("application/json", "application/x-www-form-urlencoded")
_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {"$ref": "#/components/schemas/ChoiceRequest"},
            "examples": responses.named(examples.ANSWERS),
        },
        "application/x-www-form-urlencoded": {
            "schema": {
                "type": "object",
                "required": ["answer"],
                "properties": {
                    "answer": {"$ref": "#/components/schemas/CustomerChoice"},
                    "seen": {"type": "string", "description": "As the page has it; it always does."},
                },
            },
            "examples": responses.named({name: urlencode(each) for name, each in examples.ANSWERS.items()}),
        },
    },
}
_PAGE: Final = {"text/html": {"schema": {"type": "string"}, "example": "<!doctype html><title>Your order</title>"}}


def _shown(description: str, example: Any) -> responses.Responses:
    return {200: {"description": description, "content": {"application/json": {"example": example}, **_PAGE}}}


@router.get(
    PATH + "/{token}",
    summary="What the customer is asked",
    operation_id="getLinkedQuestion",
    response_model=QuestionForCustomer,
    responses={
        **_shown("As the caller accepts it: JSON, or a page that needs no script.", examples.FOR_CUSTOMER),
        **responses.problems("not-found", "too-many-requests"),
    },
)
async def get(request: Request, token: Token, services: Use) -> Response:
    """For whoever has the link that was mailed: no key is needed. It says what is late and what may be chosen, or how
    the question ended, and changes nothing.
    """
    try:
        return _answered(request, await _of_link(services, token))
    except NotFound:
        if _wants_page(request):
            return _page(None, 404)
        raise


@router.post(
    PATH + "/{token}",
    summary="The customer answers",
    operation_id="answerLinkedQuestion",
    response_model=QuestionForCustomer,
    openapi_extra={"requestBody": _BODY},
    dependencies=[Depends(refuse_what_would_be_lost)],
    responses={
        **_shown("It is done, or was before.", examples.BY_CUSTOMER),
        **responses.problems("not-found", "conflict", "question-ended", "stale", "invalid-input", "too-many-requests"),
    },
)
async def answer(request: Request, token: Token, services: Use) -> Response:
    """The choice is carried out at once. The same again changes nothing; another one, and one that comes after the
    question has ended, is refused (`question-ended`), and the page says where things stand. So is an answer to what the
    question does not say any more (`stale`).
    """
    try:
        choice, seen = await _choice(request)
        said = Answer(choice, CUSTOMER, utc_now(), seen=seen)
        await question_answers.answer(database(services), await _id_of(services, token), said)
    except DomError as refused:
        if not _wants_page(request):
            raise
        return await _refusal(services, token, refused)
    return _answered(request, await _of_link(services, token))


async def _refusal(services: Services, token: str, refused: DomError) -> Response:
    """The page that says why an answer was not taken, and where things stand."""
    try:
        return _page(await _of_link(services, token), refused.status, _notice(refused))
    except NotFound:
        return _page(None, 404)


def _notice(refused: DomError) -> str:
    if isinstance(refused, InvalidInput):
        return "Please choose one of these."
    if isinstance(refused, Stale):
        return "Something has changed since you opened this page. Please look at it, and choose again."
    if type(refused) is Conflict:
        return "That is not possible any more. Please choose again."
    return "Your choice could not be taken."


def _answered(request: Request, shown: QuestionForCustomer) -> Response:
    return _page(shown, 200) if _wants_page(request) else Json(shown.model_dump(mode="json"), headers=HEADERS)


def _page(shown: QuestionForCustomer | None, status: int, notice: str = "") -> Response:
    return HTMLResponse(page(shown, notice), status, headers=HEADERS)


def _wants_page(request: Request) -> bool:
    """Browsers say that they take pages; whoever does not say gets JSON."""
    accepted = request.headers.get("accept", "*/*").lower()
    wanted, data = accepted.find("text/html"), accepted.find("application/json")
    return wanted >= 0 and (data < 0 or wanted < data)


async def _choice(request: Request) -> tuple[CustomerChoice, str | None]:
    """The answer of a form or a JSON body, and what was seen; a page always says that. Raises InvalidInput,
    HTTPException for another kind of body.
    """
    media, body = request.headers.get("content-type", "").partition(";")[0].strip().lower(), await request.body()
    if media not in _MEDIA:
        raise HTTPException(415)
    try:
        if media == _MEDIA[0]:
            asked = ChoiceRequest.model_validate(json_text.read(body))
            return asked.answer, asked.seen
        form = parse_qs(body.decode("ascii"), max_num_fields=2)
        (said,) = form.get("answer", [""])
        return CustomerChoice(said), form.get("seen", [""])[0]
    except ValidationError as error:
        places = [{**each, "loc": ("body", *each["loc"])} for each in error.errors()]
        raise RequestValidationError(places) from error
    except (ValueError, json_text.KeyTwice) as error:
        raise InvalidInput("choose one of what is offered", field="answer") from error


async def _id_of(services: Services, token: str) -> str:
    async with services.reads.connect() as connection:
        return str((await _row(connection, services, token))["question_id"])


async def _row(connection: AsyncConnection, services: Services, token: str) -> RowMapping:
    link_id = services.links.link_of(token)
    found = None if link_id is None else await rows.by_link(connection, link_id)
    if found is None:
        raise NotFound("this link is not valid")
    return found


async def _of_link(services: Services, token: str) -> QuestionForCustomer:
    """What the customer sees. Raises NotFound."""
    async with services.reads.connect() as connection:
        question = await _row(connection, services, token)
        lines = await rows.shown_lines(connection, question["order_id"])
        swap = rows.offered(question)
        named = await rows.descriptions(connection, [each.sku for each in swap])
    articles = {line["line_id"]: (line["description"] or line["sku"], line["sku"]) for line in lines}

    def asked(line_id: str, units: int) -> AskedLine:
        description, sku = articles[line_id]
        return AskedLine(description=description, sku=sku, quantity=units)

    is_open = question["status"] == _S.OPEN
    return QuestionForCustomer(
        status=question["status"],
        order_number=lines[0]["external_id"],
        lines=[asked(line_id, units) for line_id, units in sorted(question["units"].items())],
        promised=question["promised"],
        expected=question["expected"],
        choices=question["choices"] if is_open else [],
        swap=[
            AskedSwap(
                instead_of=asked(each.line_id, each.units),
                article=AskedLine(description=named.get(each.sku, each.sku), sku=each.sku, quantity=each.quantity),
                unit_price=Money(amount=each.unit_price, currency=lines[0]["currency"]),
            )
            for each in swap
        ],
        silence=question["silence"],
        answer_by=question["answer_by"].astimezone(UTC),
        answer=question["answer"],
        says=_says(question),
        seen=as_seen(dict(question)),
    )


def _says(question: RowMapping) -> str:
    match question["status"]:
        case _S.OPEN:
            return "Please choose what we shall do."
        case _S.WITHDRAWN:
            return _WITHDRAWN[question["withdrawal"]]
    choice = CustomerChoice(question["answer"])
    if question["status"] == _S.EXPIRED:
        return f"The time to answer is over. {_CHOSEN[choice]}"
    who = "You chose" if question["ended_by"] == CUSTOMER else "We were told"
    return f"{who} {_VERBS[choice]}. {_CHOSEN[choice]}"
