"""Customers are asked when what was promised comes later: questions are opened, kept current and withdrawn.

This looks at where orders have come to, and not at each change of one: between a node's rejection and the next
sourcing nobody knows the new day, and nobody is to be asked about a moment. All is decided again under the order's
lock, in the transaction that writes it.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.notifications.messages import MessageKind
from dom.orders import questions
from dom.orders.events import EventKind, QuestionData
from dom.orders.lifecycle import OrderState
from dom.orders.questions import OpenQuestion, QuestionStatus, Slip, Withdrawal
from dom.shared import ids
from dom.shared.access import OFL
from dom.shared.errors import NotFound
from dom.sourcing.policy.answers import Slips
from services import question_offers
from services.change_orders import locked
from services.customer_links import new_link_id
from services.database import Database
from services.one_by_one import apart
from store.notifications import messages
from store.orders import customer_questions as rows
from store.orders import orders, timeline
from store.orders.customer_questions import PromiseFacts, QuestionText

NOT_ASKED: Final = Slips(ask_from_days=365)
"""What counts for questions that are open, while the policy has nobody asked any more."""


async def look(database: Database, now: datetime, *, asks: bool = True) -> int:
    """Ask the customers of all orders that are later than was told (unless `asks` is false), and see to the questions
    that are open; answers how many orders it wrote about.
    """
    async with database.statement() as connection:
        policy = (await database.reference.now(connection)).policy.slips
    policy = policy if asks else None
    written, after = 0, ""
    while True:
        async with database.statement() as connection:
            found = await rows.look(connection, after)
        for facts in found:
            if _is_to_be_written(facts, policy):
                written += await apart(facts.order_id, _write(database, facts.order_id, policy, now))
        if len(found) < rows.AT_ONCE:
            return written
        after = found[-1].order_id


async def _write(database: Database, order_id: str, policy: Slips | None, now: datetime) -> bool:
    async with database.transaction() as connection:
        await see_to(database, connection, await locked(connection, order_id), policy, now)
    return True


async def see_to(
    database: Database, connection: AsyncConnection, state: OrderState, policy: Slips | None, now: datetime
) -> Slip | None:
    """Open, change or withdraw the question about a locked order, as it stands now; answers what is late of it."""
    facts = await rows.facts(connection, state.order_id)
    found, question = _slip(facts, policy), facts.question
    if question is not None and found is None:
        await _withdraw(database, connection, facts, question, now)
    elif facts.unsettled:
        return found
    elif question is not None and found is not None and questions.has_moved(question, found):
        await _change(database, connection, state, question, found, policy or NOT_ASKED, now)
    elif question is None and found is not None and policy is not None:
        await _ask(database, connection, state, found, policy, now)
    return found


def _is_to_be_written(facts: PromiseFacts, policy: Slips | None) -> bool:
    found, question = _slip(facts, policy), facts.question
    if question is not None and found is None:
        return True
    if found is None or facts.unsettled:
        return False
    return policy is not None if question is None else questions.has_moved(question, found)


def _slip(facts: PromiseFacts, policy: Slips | None) -> Slip | None:
    """What is late. A question that is open stays so while anything is."""
    from_days = 1 if facts.question is not None else (policy or NOT_ASKED).ask_from_days
    return questions.slip(facts.lines, from_days)


async def _ask(
    database: Database, connection: AsyncConnection, state: OrderState, found: Slip, policy: Slips, now: datetime
) -> None:
    order_id = state.order_id
    number = await rows.next_number(connection, order_id)
    question_id = ids.question_id(order_id, number)
    says = await _says(database, connection, state, found, policy, now)
    await rows.ask(
        connection,
        question_id,
        order_id,
        says,
        link_id=new_link_id(),
        silence=policy.silence,
        at=now,
        answer_by=now + timedelta(hours=policy.answer_within_hours),
    )
    await rows.keep_current(connection, order_id)
    asked = await get(connection, question_id)
    await write_event(connection, EventKind.CUSTOMER_ASKED, asked, actor=OFL, at=now)
    await _mail(database, connection, asked)


async def _change(
    database: Database,
    connection: AsyncConnection,
    state: OrderState,
    question: OpenQuestion,
    found: Slip,
    policy: Slips,
    now: datetime,
) -> None:
    """The question says what is so; the customer hears of it where it matters, and then has his whole time again."""
    await rows.change(connection, question.id, await _says(database, connection, state, found, policy, now))
    await rows.keep_current(connection, state.order_id)
    is_mailed = questions.is_mailed_again(question, found, policy.ask_from_days, now)
    if is_mailed:
        await rows.mailed(connection, question.id, now, now + timedelta(hours=policy.answer_within_hours))
    asked = await get(connection, question.id)
    at = f":{now.isoformat()}"
    await write_event(connection, EventKind.CUSTOMER_QUESTION_CHANGED, asked, actor=OFL, at=now, key=at)
    if is_mailed:
        await _mail(database, connection, asked)


async def _withdraw(
    database: Database, connection: AsyncConnection, facts: PromiseFacts, question: OpenQuestion, now: datetime
) -> None:
    """Of a day that is kept after all the customer hears; of units that are gone he heard otherwise."""
    lines = {line.line_id: line for line in facts.lines}
    left = [i for i in question.units if lines[i].waiting or lines[i].in_work]
    why = Withdrawal.KEPT if left else Withdrawal.GONE
    await rows.end(connection, question.id, QuestionStatus.WITHDRAWN, actor=OFL, at=now, withdrawal=why)
    await rows.keep_current(connection, facts.order_id)
    ended = await get(connection, question.id)
    await write_event(connection, EventKind.CUSTOMER_QUESTION_WITHDRAWN, ended, actor=OFL, at=now)
    if why is Withdrawal.KEPT:
        context = {"question_id": question.id, "lines": {i: question.units[i] for i in left}}
        await messages.write(
            connection,
            facts.order_id,
            f"{question.id}:kept",
            MessageKind.PROMISE_UPDATED,
            context=context,
            webhook=database.webhooks,
        )


async def _says(
    database: Database, connection: AsyncConnection, state: OrderState, found: Slip, policy: Slips, now: datetime
) -> QuestionText:
    offers = (await question_offers.plan(connection, database, state, now)).offers
    possible = questions.choices(policy.choices, found, offers)
    swap = offers.swap if questions.CustomerChoice.SWAP in possible else ()
    return QuestionText(found.units, found.promised, found.expected, possible, swap)


async def get(connection: AsyncConnection, question_id: str) -> RowMapping:
    """A question that is there. Raises NotFound."""
    found = await rows.get(connection, question_id)
    if found is None:
        raise NotFound(f"there is no question {question_id}")
    return found


async def write_event(
    connection: AsyncConnection,
    kind: EventKind,
    question: RowMapping,
    *,
    actor: str,
    at: datetime,
    reason: str = "",
    key: str = "",
) -> None:
    """What became of a question, in the order's timeline."""
    data = QuestionData(
        question_id=question["question_id"],
        lines=question["units"],
        promised=question["promised"],
        expected=question["expected"],
        choices=tuple(question["choices"]),
        answer_by=question["answer_by"],
        answer=question["answer"],
        end=question["withdrawal"],
    )
    business_key = f"{question['question_id']}:{kind}{key}"
    await timeline.append(connection, timeline.Event(question["order_id"], kind, business_key, actor, at, data, reason))


async def _mail(database: Database, connection: AsyncConnection, question: RowMapping) -> None:
    """The customer is asked by mail, and the channel hears what he is asked."""
    order_id, swap = question["order_id"], rows.offered(question)
    named = await rows.descriptions(connection, [each.sku for each in swap])
    about: Mapping[str, Any] = {
        "question_id": question["question_id"],
        "link_id": question["link_id"],
        "lines": question["units"],
        "promised": question["promised"].isoformat(),
        "expected": question["expected"].isoformat() if question["expected"] else None,
        "choices": question["choices"],
        "swap": [{**asdict(each), "description": named.get(each.sku)} for each in swap],
        "currency": (await orders.document(connection, order_id)).currency,
        "answer_by": question["answer_by"].isoformat(),
        "silence": question["silence"],
    }
    await messages.write(
        connection,
        order_id,
        f"{question['question_id']}:{question['mails']}",
        MessageKind.PROMISE_SLIPPED,
        context=about,
        webhook=database.webhooks,
    )
