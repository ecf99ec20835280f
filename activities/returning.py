"""Returning: a return is allowed, received, inspected and refunded; restocked units can be sold again."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import Field
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from activities.boundary import Database
from dom import returns as rules
from dom.notifications.messages import MessageKind
from dom.orders.status import Disposition, ReturnStatus
from dom.shared.base import Value
from dom.shared.errors import Conflict, NotFound, NothingToReturn, UnknownNode
from store import inbound, returns, stock
from store.enums import LedgerKind
from store.network import reference
from store.notifications import messages
from store.orders import processes, timeline

_AWAITS_DECISION: Final = frozenset({Disposition.QUARANTINE, Disposition.REFURBISH})
"""Dispositions whose units are in the node and cannot be sold yet."""


class OpenReturn(Value):
    """Allow a return; lines are (line, units). `revived_by`: it was allowed before, and its process begins anew."""

    return_id: str
    order_id: str
    lines: tuple[tuple[str, int], ...]
    reason: str
    node_id: str | None
    actor: str
    occurred_at: datetime | None
    revived_by: str | None = None
    run_id: str = ""
    key: str | None = None


class ReturnOpened(Value):
    """An allowed return: where the goods go and how many units of each line are announced.

    One that was allowed before says how far it is: and its `received` units by line.
    `earlier`: it was allowed for an earlier run of its process.
    """

    node_id: str
    announced: dict[str, int]
    channel: str = ""
    customer_id: str = ""
    status: ReturnStatus = ReturnStatus.REQUESTED
    received: dict[str, int] = Field(default={})
    known: bool = False
    earlier: bool = False


class ReceiveReturn(Value):
    """Goods of a return arrived: units by line."""

    return_id: str
    order_id: str
    units: dict[str, int]
    actor: str
    occurred_at: datetime | None


class FinishReturn(Value):
    """What became of the units, as (line, disposition, units)."""

    return_id: str
    order_id: str
    node_id: str
    found: tuple[tuple[str, Disposition, int], ...]
    actor: str
    occurred_at: datetime | None


class Refund(Value):
    """The refund recorded, in minor units."""

    amount: int
    currency: str


def occasion(return_id: str, step: str) -> str:
    """The occasion under which the messages of a return's step stand."""
    return f"{return_id}:{step}"


@dataclass(frozen=True, slots=True)
class Returning:
    """Steps of returns; each is written once."""

    database: Database

    @activity.defn(name="open_return")
    async def open_return(self, request: OpenReturn) -> ReturnOpened:
        """Allow the return. Errors: not-found, nothing-to-return, invalid-input; then nothing is written."""
        content = rules.content_hash(request.lines, request.reason, request.node_id)
        async with self.database.transaction() as connection:
            rows = await returns.returnable(connection, request.order_id)
            if not rows:
                raise NotFound(f"there is no order {request.order_id}")
            under_key = request.key and await returns.under_key(connection, request.key)
            if under_key and under_key != request.return_id:
                raise Conflict(rules.OTHER_REQUEST, field="Idempotency-Key", data={"return_id": under_key})
            known = await returns.get(connection, request.return_id)
            if known is not None:
                if known["content_hash"] != content and request.revived_by is None:
                    about = {"return_id": request.return_id}
                    raise Conflict(rules.OTHER_REQUEST, field="Idempotency-Key", data=about)
                return await self._known(connection, request, known, rows[0])
            rules.check_returnable(
                request.lines,
                {row["line_id"]: row["delivered"] for row in rows},
                {row["line_id"]: row["returned"] for row in rows},
            )
            node_id = await _goes_to(connection, rows, request)
            await self._write(connection, request, rows, node_id, content)
            return ReturnOpened(
                node_id=node_id,
                announced=dict(request.lines),
                channel=rows[0]["channel"],
                customer_id=rows[0]["customer_id"],
            )

    async def _known(
        self, connection: AsyncConnection, request: OpenReturn, known: RowMapping, order: RowMapping
    ) -> ReturnOpened:
        """How far a return is that was allowed before."""
        lines = await returns.lines(connection, request.return_id)
        arrived = known["status"] != ReturnStatus.REQUESTED
        if request.revived_by is not None:
            await processes.lives_again(connection, request.order_id, request.return_id)
            event = timeline.Event(
                order_id=request.order_id,
                kind="process_revived",
                business_key=f"process_revived:{request.run_id}",
                actor=request.revived_by,
                occurred_at=self.database.now(),
                reason="the return's process was gone",
                data={"return_id": request.return_id},
            )
            await timeline.append(connection, event)
        allowed = await timeline.data_of(connection, request.order_id, occasion(request.return_id, "requested"))
        return ReturnOpened(
            node_id=known["node_id"],
            announced={row["line_id"]: row["quantity"] for row in lines},
            channel=order["channel"],
            customer_id=order["customer_id"],
            status=ReturnStatus(known["status"]),
            received={row["line_id"]: row["received"] for row in lines if row["received"]} if arrived else {},
            known=True,
            earlier=allowed.get("run_id") != request.run_id,
        )

    async def _write(
        self,
        connection: AsyncConnection,
        request: OpenReturn,
        rows: Sequence[RowMapping],
        node_id: str,
        content: str,
    ) -> None:
        at = request.occurred_at or self.database.now()
        skus = {row["line_id"]: row["sku"] for row in rows}
        await returns.open_(
            connection,
            return_id=request.return_id,
            order_id=request.order_id,
            node_id=node_id,
            reason=request.reason,
            content_hash=content,
            key=request.key,
            lines=[{"line_id": i, "sku": skus[i], "quantity": quantity} for i, quantity in request.lines],
            at=at,
        )
        await inbound.follow_return(
            connection,
            request.return_id,
            node_id,
            _by_sku(dict(request.lines), skus),
            allowed_on=at.date(),
            actor=request.actor,
        )
        await self._note(connection, request, "requested", at, dict(request.lines), request.reason)
        context = {"node_id": node_id, "lines": dict(request.lines)}
        await self._tell(connection, request, "requested", MessageKind.RETURN_REQUESTED, context)

    @activity.defn(name="receive_return")
    async def receive_return(self, request: ReceiveReturn) -> None:
        """Write down what arrived."""
        at = request.occurred_at or self.database.now()
        async with self.database.transaction() as connection:
            if await self._note(connection, request, "received", at, request.units, ""):
                await returns.receive(connection, request.return_id, request.units, at)
                skus = {row["line_id"]: row["sku"] for row in await returns.lines(connection, request.return_id)}
                units = _by_sku(request.units, skus)
                await inbound.return_arrived(connection, request.return_id, units, actor=request.actor)
                context = {"lines": request.units}
                await self._tell(connection, request, "received", MessageKind.RETURN_RECEIVED, context)

    @activity.defn(name="finish_return")
    async def finish_return(self, request: FinishReturn) -> Refund:
        """Put the units where they belong, record the refund, and answer it; once, however often it is asked.

        Restocked units can be sold again. Those to be refurbished wait for their decision beside the quarantined ones;
        scrapped ones come into no balance.
        """
        at = request.occurred_at or self.database.now()
        async with self.database.transaction() as connection:
            rows = await returns.lines(connection, request.return_id)
            currency = rows[0]["currency"]
            units = {row["line_id"]: row["received"] for row in rows}
            amount = rules.refund_amount(units, {row["line_id"]: row["unit_price"] for row in rows})
            if await self._note(connection, request, "refunded", at, units, ""):
                await _put_away(connection, request, {row["line_id"]: row["sku"] for row in rows}, at)
                await returns.finish(
                    connection,
                    return_id=request.return_id,
                    order_id=request.order_id,
                    dispositions=_dispositions(request),
                    amount=amount,
                    currency=currency,
                    at=at,
                )
                refund = {"amount": amount, "currency": currency}
                context = {"lines": units, "refund": refund}
                await self._tell(connection, request, "refunded", MessageKind.REFUNDED, context)
            return Refund(amount=amount, currency=currency)

    async def _note(
        self,
        connection: AsyncConnection,
        request: OpenReturn | ReceiveReturn | FinishReturn,
        step: str,
        at: datetime,
        units: dict[str, int],
        reason: str,
    ) -> bool:
        data: dict[str, object] = {"return_id": request.return_id, "lines": units}
        if isinstance(request, OpenReturn) and request.run_id:
            data["run_id"] = request.run_id
        event = timeline.Event(
            request.order_id,
            f"return_{step}",
            occasion(request.return_id, step),
            request.actor,
            at,
            reason,
            data,
        )
        return await timeline.append(connection, event)

    async def _tell(
        self,
        connection: AsyncConnection,
        request: OpenReturn | ReceiveReturn | FinishReturn,
        step: str,
        kind: MessageKind,
        context: Mapping[str, object],
    ) -> None:
        await messages.write(
            connection,
            request.order_id,
            occasion(request.return_id, step),
            kind,
            context=dict(context),
            webhook=self.database.webhooks,
        )


async def _goes_to(connection: AsyncConnection, rows: Sequence[RowMapping], request: OpenReturn) -> str:
    if request.node_id is None:
        return _shipped_from(rows, request)
    try:
        return (await reference.get_node(connection, request.node_id)).id
    except NotFound as error:
        raise UnknownNode(error.detail, field="node_id") from error


def _shipped_from(rows: Sequence[RowMapping], request: OpenReturn) -> str:
    first = request.lines[0][0]
    for row in rows:
        if row["line_id"] == first and row["node_id"]:
            return str(row["node_id"])
    raise NothingToReturn(f"nothing of line {first} was delivered", field="lines[0].line_id")


def _dispositions(request: FinishReturn) -> list[dict[str, object]]:
    summed: defaultdict[tuple[str, Disposition], int] = defaultdict(int)
    for line_id, disposition, quantity in request.found:
        summed[line_id, disposition] += quantity
    return [{"line_id": i, "disposition": d, "quantity": quantity} for (i, d), quantity in summed.items()]


def _by_sku(units: Mapping[str, int], skus: Mapping[str, str]) -> dict[str, int]:
    summed: defaultdict[str, int] = defaultdict(int)
    for line_id, quantity in units.items():
        summed[skus[line_id]] += quantity
    return dict(summed)


async def _put_away(connection: AsyncConnection, request: FinishReturn, skus: dict[str, str], at: datetime) -> None:
    sellable: defaultdict[str, int] = defaultdict(int)
    waiting: defaultdict[str, int] = defaultdict(int)
    for line_id, disposition, quantity in request.found:
        if disposition is Disposition.RESTOCK:
            sellable[skus[line_id]] += quantity
        elif disposition in _AWAITS_DECISION:
            waiting[skus[line_id]] += quantity
    for sku in sorted({*sellable, *waiting}):
        back = stock.Movement(
            request.node_id,
            sku,
            sellable[sku],
            LedgerKind.RESTOCK,
            "return",
            occasion(request.return_id, "restock"),
            quarantine=waiting[sku],
        )
        await stock.move(connection, back, actor=request.actor, at=at, order_id=request.order_id)
