"""Answers to questions that customers were asked, and what silence comes to: each carried out once, by the commands
there are, in one transaction under the order's lock.

Whoever comes first ends the question: an answer, another one, or time. An answer counts until silence was carried out.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders.commands import CancelUnits, EditOrder
from dom.orders.editing.changes import Change, SetShipComplete
from dom.orders.events import EventKind
from dom.orders.lifecycle import OrderState
from dom.orders.questions import CustomerChoice, QuestionStatus, Slip, accepted, as_seen, has_grown
from dom.shared.access import TIMEOUT
from dom.shared.errors import Conflict, DomError, QuestionEnded, Stale
from services import question_offers, sourcing, substitution
from services.change_orders import Writing, change_order, locked
from services.customer_questions import get, see_to, write_event
from services.database import Database
from services.edits import edit_in
from services.one_by_one import apart
from store.orders import customer_questions as rows

REASONS: Final = {
    CustomerChoice.PARTIAL: "what there is goes now, the rest follows",
    CustomerChoice.SWAP: "substitutes stand for what is short",
    CustomerChoice.CANCEL: "it comes later than was promised",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What was chosen, by whom, when and why. `seen`: of what the question said, as `as_seen` of `dom.orders.questions`
    names it; None: of what it says when the answer comes.
    """

    choice: CustomerChoice
    actor: str
    at: datetime
    reason: str = ""
    seen: str | None = None


class _Impossible(Exception):
    """The choice is not there any more. Nothing of it was done."""


async def answer(database: Database, question_id: str, said: Answer) -> tuple[RowMapping, bool]:
    """Carry an answer out; the question after it, and whether it had been answered so before. Raises NotFound,
    QuestionEnded where it ended otherwise, Stale where it says something else by now than was seen, and Conflict for a
    choice that is not possible (any more): the question is open then, `data` says with which choices.
    """

    async def transaction() -> tuple[RowMapping, bool]:
        async with database.transaction() as connection:
            return await _answer(database, connection, question_id, said)

    question, repeated = await sourcing.in_reach(transaction)
    if question["status"] == QuestionStatus.OPEN:
        raise _not_taken(question, said.choice)
    if question["answer"] != said.choice or question["status"] != QuestionStatus.ANSWERED:
        raise ended(question)
    return question, repeated


def _not_taken(question: RowMapping, choice: CustomerChoice) -> Conflict:
    possible = ", ".join(question["choices"])
    why = f"{choice} is not possible; possible are: {possible}"
    if choice in question["choices"]:
        why = "more of the order is late than the question said; see what it says now, and answer again"
    return Conflict(why, field="answer", data={"choices": list(question["choices"])})


def ended(question: RowMapping) -> QuestionEnded:
    """The question was answered otherwise, expired or was withdrawn."""
    data = {name: question[name] for name in ("status", "answer", "withdrawal") if question[name] is not None}
    how = f" ({question['answer'] or question['withdrawal']})"
    return QuestionEnded(f"{question['question_id']} is {question['status']}{how}", data=data)


async def _answer(
    database: Database, connection: AsyncConnection, question_id: str, said: Answer
) -> tuple[RowMapping, bool]:
    """The question after the answer: still open if the choice is not possible, or more is late than was shown."""
    question = await get(connection, question_id)
    state = await locked(connection, question["order_id"])
    question = await get(connection, question_id)
    if question["status"] != QuestionStatus.OPEN:
        return question, True
    if said.seen is not None and said.seen != as_seen(dict(question)):
        raise Stale("the question says something else by now; look at it, and answer again", field="seen")
    policy, shown, asked = (await database.reference.now(connection)).policy.slips, question["expected"], question
    found = await see_to(database, connection, state, policy, said.at)
    question = await get(connection, question_id)
    if question["status"] != QuestionStatus.OPEN or found is None or said.choice not in question["choices"]:
        return question, False
    if has_grown(asked["units"], found):
        return question, False
    try:
        async with connection.begin_nested():
            await _carry_out(database, connection, state, question, found, said, shown)
    except _Impossible:
        await _without(connection, question, said.choice)
        return await get(connection, question_id), False
    await _end(connection, question, QuestionStatus.ANSWERED, said)
    return await get(connection, question_id), False


async def expire(database: Database, now: datetime) -> int:
    """Carry out what silence means for all questions whose time is over, each in a transaction of its own; answers how
    many ended.
    """
    done, after = 0, ""
    while True:
        async with database.statement() as connection:
            due = await rows.due(connection, now, after)
        if not due:
            return done
        after = due[-1][0]
        for question_id, _ in due:
            done += await apart(question_id, _in_reach(database, question_id, now))


async def _in_reach(database: Database, question_id: str, now: datetime) -> bool:
    async def transaction() -> bool:
        async with database.transaction() as connection:
            return await _expire(database, connection, question_id, now)

    return await sourcing.in_reach(transaction)


async def _expire(database: Database, connection: AsyncConnection, question_id: str, now: datetime) -> bool:
    question = await get(connection, question_id)
    state = await locked(connection, question["order_id"])
    policy = (await database.reference.now(connection)).policy.slips
    question = await get(connection, question_id)
    if question["status"] != QuestionStatus.OPEN or question["answer_by"] > now:
        return False
    if (await rows.facts(connection, state.order_id)).unsettled:  # nobody knows yet what is late
        return False
    shown = question["expected"]
    found = await see_to(database, connection, state, policy, now)
    question = await get(connection, question_id)
    if question["status"] != QuestionStatus.OPEN:
        return True
    if question["answer_by"] > now or found is None:  # it was mailed again
        return False
    choice = CustomerChoice(question["silence"])
    if choice not in question["choices"] and choice is not CustomerChoice.CANCEL:
        choice = CustomerChoice.WAIT
    said = Answer(choice, TIMEOUT, now, "the customer did not answer in time")
    try:
        async with connection.begin_nested():
            await _carry_out(database, connection, state, question, found, said, shown)
    except _Impossible:
        said = Answer(CustomerChoice.WAIT, TIMEOUT, now, said.reason)
        await _carry_out(database, connection, state, question, found, said, shown)
    await _end(connection, question, QuestionStatus.EXPIRED, said)
    return True


async def _end(connection: AsyncConnection, question: RowMapping, status: QuestionStatus, said: Answer) -> None:
    question_id = question["question_id"]
    await rows.end(
        connection, question_id, status, actor=said.actor, at=said.at, answer=said.choice, reason=said.reason
    )
    kinds = {
        QuestionStatus.ANSWERED: EventKind.CUSTOMER_ANSWERED,
        QuestionStatus.EXPIRED: EventKind.CUSTOMER_QUESTION_EXPIRED,
    }
    after = await get(connection, question_id)
    await write_event(connection, kinds[status], after, actor=said.actor, at=said.at, reason=said.reason)


async def _without(connection: AsyncConnection, question: RowMapping, choice: CustomerChoice) -> None:
    """The question stays open, without the choice that is not possible any more."""
    kept = tuple(CustomerChoice(each) for each in question["choices"] if each != choice)
    swap = () if choice is CustomerChoice.SWAP else rows.offered(question)
    says = rows.QuestionText(question["units"], question["promised"], question["expected"], kept, swap)
    await rows.change(connection, question["question_id"], says)


async def _carry_out(
    database: Database,
    connection: AsyncConnection,
    state: OrderState,
    question: RowMapping,
    found: Slip,
    said: Answer,
    shown: datetime | None,
) -> None:
    """`shown` is the day that the customer saw. Raises _Impossible where what was chosen cannot be done now, OutOfReach
    as sourcing does.
    """
    order_id = state.order_id
    reason = said.reason or REASONS.get(said.choice, "")
    if said.choice is CustomerChoice.CANCEL:
        await _cancel(database, connection, state, found, said, reason)
        return
    if said.choice is CustomerChoice.WAIT:
        await rows.accept(connection, order_id, accepted(found, shown))
    else:
        await _edit(database, connection, state, question, said, reason)
        await rows.accept(connection, order_id, dict.fromkeys(found.lines))


async def _edit(
    database: Database, connection: AsyncConnection, state: OrderState, question: RowMapping, said: Answer, reason: str
) -> None:
    """What is there goes now, or substitutes do."""
    planned = await question_offers.plan(connection, database, state, said.at)
    if said.choice is CustomerChoice.PARTIAL:
        possible = planned.offers.partial
        changes: tuple[Change, ...] = (SetShipComplete(ship_complete=False),)
    else:
        possible = planned.offers.swap == rows.offered(question) != ()
        changes = substitution.changes(planned.substitutes)
    if not possible:
        raise _Impossible
    command = EditOrder(revision=state.revision, changes=changes, actor=said.actor, at=said.at, reason=reason)
    try:
        await edit_in(database, connection, state.order_id, command)
    except DomError as refused:
        raise _Impossible from refused


async def _cancel(
    database: Database, connection: AsyncConnection, state: OrderState, found: Slip, said: Answer, reason: str
) -> None:
    """The late units, and no others of their lines."""
    command = CancelUnits(
        lines=dict(found.units),
        taken_from=found.places,
        actor=said.actor,
        at=said.at,
        reason=reason,
    )
    try:
        await change_order(connection, state.order_id, command, Writing(webhook=database.webhooks, notify=True))
    except DomError as refused:
        raise _Impossible from refused
