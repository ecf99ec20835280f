"""Questions to customers: listed, and answered in a customer's name."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query
from sqlalchemy import RowMapping

from api.contract import responses
from api.http import cursor
from api.http.answers import Json
from api.http.models import Cursor, Limit
from api.http.services import Services, Use
from api.identity import visibility
from api.identity.scopes import needs
from api.questions import examples
from api.questions.models import ChoiceRequest, CustomerQuestion, CustomerQuestionList
from dom.orders.questions import QuestionStatus, as_seen
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from services import question_answers
from services.clock import utc_now
from services.database import Database
from services.question_answers import Answer
from store.access.visibility import QUESTION
from store.orders import customer_questions as rows

router = APIRouter(tags=["orders"])

QuestionId = Annotated[str, Path(max_length=900, description="The question's id.", examples=["web-EXAMPLE-1-Q1"])]
_SHOWN = tuple(name for name in CustomerQuestion.model_fields if name != "seen")


@router.get(
    "/customer-questions",
    summary="Questions to customers",
    operation_id="listCustomerQuestions",
    response_model=CustomerQuestionList,
    responses={
        **responses.success(200, "A page of questions, the oldest first.", examples.QUESTIONS),
        **responses.problems("invalid-input"),
    },
)
async def list_questions(
    services: Use,
    who: Annotated[Principal, needs(Scope.ORDERS_READ)],
    status: Annotated[list[QuestionStatus] | None, Query(description="Any of these; repeatable.")] = None,
    order: Annotated[str | None, Query(max_length=900, description="Only this order's.")] = None,
    limit: Limit = 50,
    cursor_: Annotated[Cursor, Query(alias="cursor")] = None,
) -> Json:
    """What customers are asked because what was promised comes later. Their links stand in no list."""
    wanted = rows.QuestionFilter(order=order, statuses=status, limits=who.limits)
    after = cursor.decode_moment(cursor_) if cursor_ else None
    async with services.reads.connect() as connection:
        found = await rows.find(connection, wanted, after=after, limit=limit + 1)
    page, more = cursor.page(found, limit, lambda row: (row["asked_at"], row["question_id"]))
    return Json({"items": list(map(_shown, page)), "next_cursor": more})


@router.post(
    "/customer-questions/{question_id}/answer",
    summary="Answer in the customer's name",
    operation_id="answerCustomerQuestion",
    response_model=CustomerQuestion,
    responses={
        **responses.success(200, "It is done, or was before.", examples.QUESTION_ANSWERED),
        **responses.problems("not-found", "conflict", "question-ended", "stale", "forbidden", "invalid-input"),
    },
)
async def answer(
    question_id: QuestionId,
    asked: Annotated[ChoiceRequest, AS_SEEN, Body(openapi_examples=responses.named(examples.CHOICES))],
    services: Use,
    who: Annotated[Principal, needs(Scope.ORDERS_EDIT)],
) -> Json:
    """The choice is carried out at once: units are cancelled, the order is edited, or the later day counts as told. The
    same answer again changes nothing, so that it needs no `Idempotency-Key`; another one is refused
    (`question-ended`), and so is one to what the question does not say any more (`stale`). A choice that is not
    possible any more is a conflict, `data` names those that are, and the question stays open. Not for callers that are
    limited to nodes: the late units may be anywhere.
    """
    await visibility.see(services, who, QUESTION, question_id)
    visibility.no_limit_of_nodes(who)
    said = Answer(asked.answer, who.name, utc_now(), asked.reason, asked.seen)
    question, _ = await question_answers.answer(database(services), question_id, said)
    return Json(_shown(question))


def _shown(question: RowMapping) -> dict[str, Any]:
    return {name: question[name] for name in _SHOWN} | {"seen": as_seen(dict(question))}


def database(services: Services) -> Database:
    """What answers are carried out on."""
    return Database(engine=services.engine, reference=services.reference, webhooks=services.webhooks)
