"""Questions to customers, and what customers were told of each line."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, Select, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders.order import REPLAY_TAG
from dom.orders.questions import CustomerChoice, LinePromise, OpenQuestion, QuestionStatus, SwapOffer, Withdrawal
from dom.orders.status import BEFORE_HAND_OVER, ENDED_UNDELIVERED, FINAL_ORDER
from dom.shared.access import UNLIMITED, Limits
from store.access import visibility
from store.database.parameters import listed, to_json, to_rows
from store.tables.questions import customer_questions

_OPEN_WORK: Final = listed(BEFORE_HAND_OVER)
# Who gave his units to another order has others on their way, until the day on which these are counted on is over.
# While units have lost their node and were not sourced since, nobody knows yet when they come.
_FACTS: Final = f"""
SELECT o.id AS order_id, q.id AS question_id, q.units, q.expected, q.told_expected, q.told_at,
       (SELECT jsonb_agg(jsonb_build_object(
            'line_id', l.line_id, 'promised', l.promised, 'waiting', l.backordered, 'claimed', (
                SELECT k.units FROM first_claims k WHERE k.order_id = o.id AND k.sku = l.sku
                  AND k.counted_on >= (statement_timestamp() AT TIME ZONE 'UTC')::date),
            'in_work', (
                SELECT jsonb_object_agg(f.id, jsonb_build_array(fl.quantity, f.promise_latest))
                FROM fulfilments f JOIN fulfilment_lines fl ON fl.fulfilment_id = f.id AND fl.line_id = l.line_id
                WHERE f.order_id = o.id AND f.status IN ({_OPEN_WORK}) AND fl.quantity > 0)) ORDER BY l.position)
        FROM order_lines l WHERE l.order_id = o.id) AS lines,
       EXISTS (SELECT FROM order_holds WHERE order_id = o.id AND released_at IS NULL AND 'sourcing' = ANY(blocks))
       OR EXISTS (SELECT FROM order_lines WHERE order_id = o.id AND backordered > 0) AND EXISTS (
            SELECT FROM timeline t WHERE t.order_id = o.id
              AND (t.kind IN ('fulfilment_rejected', 'fulfilment_lost', 'reshipped')
                   OR t.kind = 'fulfilment_picked' AND t.data ? 'missing'
                   OR t.kind = 'edited' AND (t.data ? 'added' OR t.data ? 'recalled')
                   OR t.kind = 'hold_released' AND (t.data ? 'recalled' OR t.data->'blocks' ? 'sourcing'))
              AND t.id > (SELECT max(s.id) FROM timeline s
                          WHERE s.order_id = o.id AND s.kind IN ('accepted', 'sourced'))) AS unsettled
FROM orders o LEFT JOIN customer_questions q ON q.order_id = o.id AND q.status = '{QuestionStatus.OPEN}'
"""
_OF_ORDER: Final = text(f"{_FACTS} WHERE o.id = :id")
_LOOK: Final = text(f"""
WITH found AS (
    SELECT order_id FROM customer_questions WHERE status = '{QuestionStatus.OPEN}'
    UNION SELECT order_id FROM order_lines WHERE backordered > 0 AND promised IS NOT NULL
    UNION SELECT f.order_id FROM fulfilments f
          JOIN fulfilment_lines fl ON fl.fulfilment_id = f.id AND fl.quantity > 0
          JOIN order_lines l ON l.order_id = f.order_id AND l.line_id = fl.line_id
          WHERE f.status IN ({_OPEN_WORK}) AND f.promise_latest > l.promised
)
{_FACTS} WHERE o.id IN (SELECT order_id FROM found) AND o.id > :after AND NOT (o.document->'tags' ? '{REPLAY_TAG}')
  AND (q.id IS NOT NULL OR o.status NOT IN ({listed(FINAL_ORDER)}))
ORDER BY o.id LIMIT :most
""")
AT_ONCE: Final = 500
"""Orders that are looked at together."""


@dataclass(frozen=True, slots=True)
class PromiseFacts:
    """What an order's customer was told and what is expected, and the question that is open, if one is. `unsettled`:
    it is not known yet, for units are about to be sourced, or a hold blocks that.
    """

    order_id: str
    lines: tuple[LinePromise, ...]
    question: OpenQuestion | None
    unsettled: bool


async def facts(connection: AsyncConnection, order_id: str) -> PromiseFacts:
    """Of one order, which is there. Lock it first, if anything is to follow."""
    return _facts((await connection.execute(_OF_ORDER, {"id": order_id})).mappings().one())


async def look(connection: AsyncConnection, after: str) -> list[PromiseFacts]:
    """Of orders with an open question, and of those whose units come later than was told, by id from after that one on.
    A replayed order lives in its own time.
    """
    rows = await connection.execute(_LOOK, {"after": after, "most": AT_ONCE})
    return [_facts(row) for row in rows.mappings()]


def _facts(row: RowMapping) -> PromiseFacts:
    question = None
    if row["question_id"] is not None:
        question = OpenQuestion(row["question_id"], row["units"], row["expected"], row["told_expected"], row["told_at"])
    return PromiseFacts(row["order_id"], tuple(map(_line, row["lines"] or ())), question, row["unsettled"])


def _line(each: Mapping[str, Any]) -> LinePromise:
    work = {i: (units, datetime.fromisoformat(until)) for i, (units, until) in (each["in_work"] or {}).items()}
    promised = None if each["promised"] is None else datetime.fromisoformat(each["promised"])
    return LinePromise(each["line_id"], promised, each["waiting"], work, each["claimed"] or 0)


_TOLD: Final = text("""
UPDATE order_lines l SET promised = o.promise_latest
FROM orders o WHERE o.id = :id AND l.order_id = o.id AND l.backordered = 0
""")
_FIRST: Final = text("""
UPDATE order_lines l SET promised = o.promise_latest
FROM orders o WHERE o.id = :id AND l.order_id = o.id AND l.backordered = 0 AND l.promised IS NULL
RETURNING l.line_id
""")
_ACCEPTED: Final = text("""
UPDATE order_lines l
SET promised = CASE WHEN a.day IS NOT NULL THEN greatest(l.promised, a.day) WHEN l.backordered = 0 THEN l.promised END
FROM jsonb_to_recordset(CAST(:accepted AS jsonb)) AS a (line_id text, day timestamptz)
WHERE l.order_id = :id AND l.line_id = a.line_id
""")
_STANDS_FOR: Final = text("""
UPDATE order_lines l SET promised = replaced.promised FROM order_lines replaced
WHERE l.order_id = :id AND l.line_id = :new AND replaced.order_id = :id AND replaced.line_id = :old
""")
_CURRENT: Final = text(f"""
UPDATE orders o SET promise_latest = CASE WHEN EXISTS (SELECT FROM order_lines WHERE order_id = :id AND backordered > 0)
                                          THEN greatest(o.promise_latest, work.latest) ELSE work.latest END
FROM (SELECT max(promise_latest) AS latest FROM fulfilments
      WHERE order_id = :id AND status NOT IN ({listed(ENDED_UNDELIVERED)})) work
WHERE o.id = :id AND work.latest IS NOT NULL AND o.promise_latest IS DISTINCT FROM work.latest
""")


async def tell(connection: AsyncConnection, order_id: str) -> None:
    """The customer is told the order's promise anew: of all lines but those of which units wait."""
    await connection.execute(_TOLD, {"id": order_id})


async def tell_first_days(connection: AsyncConnection, order_id: str) -> list[str]:
    """Lines of which no day was ever told, and of which no units wait any more, have the order's promise from now on.
    Answers which lines.
    """
    return list(await connection.scalars(_FIRST, {"id": order_id}))


async def accept(connection: AsyncConnection, order_id: str, days: Mapping[str, datetime | None]) -> None:
    """The customer was told that these lines come by these days; of units that wait, with None, that nobody knows."""
    accepted = to_rows({"line_id": line_id, "day": day} for line_id, day in days.items())
    await connection.execute(_ACCEPTED, {"id": order_id, "accepted": accepted})


async def stands_for(connection: AsyncConnection, order_id: str, new: str, old: str) -> None:
    """What was told of a line is told of the one that stands for it."""
    await connection.execute(_STANDS_FOR, {"id": order_id, "new": new, "old": old})


async def keep_current(connection: AsyncConnection, order_id: str) -> None:
    """The order's promise ends when the last of its work arrives; while units wait, no sooner than it did."""
    await connection.execute(_CURRENT, {"id": order_id})


@dataclass(frozen=True, slots=True)
class QuestionText:
    """What a question says."""

    units: Mapping[str, int]
    promised: datetime
    expected: datetime | None
    choices: tuple[CustomerChoice, ...]
    swap: tuple[SwapOffer, ...]

    def as_parameters(self) -> dict[str, Any]:
        """As bind parameters."""
        return {
            "units": to_json(dict(self.units)),
            "promised": self.promised,
            "expected": self.expected,
            "choices": list(self.choices),
            "swap": to_json([asdict(each) for each in self.swap]),
        }


_ASK: Final = text(f"""
INSERT INTO customer_questions (id, order_id, link_id, status, units, promised, expected, choices, swap, silence,
                                asked_at, answer_by, mails, told_at, told_expected)
VALUES (:id, :order_id, :link_id, '{QuestionStatus.OPEN}', CAST(:units AS jsonb), :promised, :expected,
        CAST(:choices AS text[]), CAST(:swap AS jsonb), :silence, :at, :answer_by, 1, :at, :expected)
""")
_CHANGE: Final = text("""
UPDATE customer_questions SET units = CAST(:units AS jsonb), promised = :promised, expected = :expected,
    choices = CAST(:choices AS text[]), swap = CAST(:swap AS jsonb) WHERE id = :id
""")
_MAILED: Final = text("""
UPDATE customer_questions SET mails = mails + 1, told_at = :at, told_expected = expected, answer_by = :answer_by
WHERE id = :id RETURNING mails
""")
_END: Final = text("""
UPDATE customer_questions SET status = :status, answer = :answer, withdrawal = :withdrawal, ended_by = :actor,
    ended_at = :at, reason = :reason WHERE id = :id
""")


async def next_number(connection: AsyncConnection, order_id: str) -> int:
    """The number of the order's next question, from 1 on."""
    asked = await connection.scalar(
        text("SELECT count(*) FROM customer_questions WHERE order_id = :id"), {"id": order_id}
    )
    return int(asked or 0) + 1


async def ask(
    connection: AsyncConnection,
    question_id: str,
    order_id: str,
    says: QuestionText,
    *,
    link_id: str,
    silence: CustomerChoice,
    at: datetime,
    answer_by: datetime,
) -> None:
    """Write a question. The order must be locked."""
    names = {"id": question_id, "order_id": order_id, "link_id": link_id, "silence": silence}
    await connection.execute(_ASK, {**says.as_parameters(), **names, "at": at, "answer_by": answer_by})


async def change(connection: AsyncConnection, question_id: str, says: QuestionText) -> None:
    """Write what an open question says now. The order must be locked."""
    await connection.execute(_CHANGE, {**says.as_parameters(), "id": question_id})


async def mailed(connection: AsyncConnection, question_id: str, at: datetime, answer_by: datetime) -> int:
    """The customer is told once more, and has time until then; answers how often he was."""
    names = {"id": question_id, "at": at, "answer_by": answer_by}
    return int(await connection.scalar(_MAILED, names) or 0)


async def end(
    connection: AsyncConnection,
    question_id: str,
    status: QuestionStatus,
    *,
    actor: str,
    at: datetime,
    answer: CustomerChoice | None = None,
    withdrawal: Withdrawal | None = None,
    reason: str = "",
) -> None:
    """Write how an open question ended. The order must be locked."""
    names = {"id": question_id, "status": status, "answer": answer, "withdrawal": withdrawal}
    await connection.execute(_END, {**names, "actor": actor, "at": at, "reason": reason})


def offered(question: RowMapping) -> tuple[SwapOffer, ...]:
    """The substitutes that a question names."""
    return tuple(SwapOffer(**each) for each in question["swap"])


def _shown() -> Select[Any]:
    columns = [each for each in customer_questions.c if each.name != "id"]
    return select(customer_questions.c.id.label("question_id"), *columns)


async def get(connection: AsyncConnection, question_id: str) -> RowMapping | None:
    """A question, open or ended."""
    return await _one(connection, _shown().where(customer_questions.c.id == question_id))


async def by_link(connection: AsyncConnection, link_id: str) -> RowMapping | None:
    """The question that a link is of."""
    return await _one(connection, _shown().where(customer_questions.c.link_id == link_id))


async def open_of(connection: AsyncConnection, order_id: str) -> RowMapping | None:
    """The order's open question."""
    table = customer_questions
    return await _one(connection, _shown().where(table.c.order_id == order_id, table.c.status == QuestionStatus.OPEN))


async def _one(connection: AsyncConnection, query: Select[Any]) -> RowMapping | None:
    found: RowMapping | None = (await connection.execute(query)).mappings().first()
    return found


async def waited_without_a_day(connection: AsyncConnection, order_id: str) -> bool:
    """Whether the order's customer was asked once, and waits for what had no day then."""
    table = customer_questions
    query = select(table.c.id).where(
        table.c.order_id == order_id, table.c.answer.is_not(None), table.c.expected.is_(None)
    )
    return (await connection.execute(query.limit(1))).first() is not None


@dataclass(frozen=True, slots=True)
class QuestionFilter:
    """Which questions are asked for; what is None does not matter."""

    order: str | None = None
    statuses: Sequence[QuestionStatus] | None = None
    limits: Limits = UNLIMITED


async def find(
    connection: AsyncConnection, wanted: QuestionFilter, *, after: tuple[datetime, str] | None, limit: int
) -> Sequence[RowMapping]:
    """Questions, the oldest first, from behind the position `after` (asked_at, question_id) on."""
    table = customer_questions
    query = _shown().where(*visibility.of_questions(wanted.limits))
    if wanted.order is not None:
        query = query.where(table.c.order_id == wanted.order)
    if wanted.statuses:
        query = query.where(table.c.status.in_(list(wanted.statuses)))
    if after is not None:
        query = query.where(tuple_(table.c.asked_at, table.c.id) > after)
    query = query.order_by(table.c.asked_at, table.c.id).limit(limit)
    found: Sequence[RowMapping] = (await connection.execute(query)).mappings().all()
    return found


async def due(connection: AsyncConnection, now: datetime, after: str) -> list[tuple[str, str]]:
    """Open questions whose time is over, each with its order, by id from after that one on; at most 200 at once."""
    table = customer_questions
    query = select(table.c.id, table.c.order_id).where(
        table.c.status == QuestionStatus.OPEN, table.c.answer_by <= now, table.c.id > after
    )
    rows = await connection.execute(query.order_by(table.c.id).limit(200))
    return [(row.id, row.order_id) for row in rows]


_SHOWN_LINES: Final = text("""
SELECT l.line_id, l.sku, s.document->>'description' AS description, o.external_id, o.currency
FROM order_lines l JOIN skus s ON s.id = l.sku JOIN orders o ON o.id = l.order_id WHERE l.order_id = :id
""")


async def shown_lines(connection: AsyncConnection, order_id: str) -> Sequence[RowMapping]:
    """What a customer is shown of an order's lines: SKU and description; with the order's number and currency."""
    return (await connection.execute(_SHOWN_LINES, {"id": order_id})).mappings().all()


async def descriptions(connection: AsyncConnection, skus: Sequence[str]) -> dict[str, str]:
    """Descriptions of the SKUs that have one."""
    rows = await connection.execute(
        text("SELECT id, document->>'description' AS description FROM skus WHERE id = ANY(:skus)"), {"skus": list(skus)}
    )
    return {row.id: row.description for row in rows if row.description}
