"""Returning: a return is allowed, and each command to it carried out. The use cases are in `services.returns`."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.boundary import Database
from dom.orders.events import EventKind, ProcessRevivedData
from dom.orders.status import ReturnStatus
from dom.returns import EXPIRES_AFTER, Announce, Step
from dom.shared.base import Utc, Value
from dom.shared.errors import StepNotPossible
from services import returns
from services.returns import CommandedReturn, ReturnCall, ReturnTerms
from store.orders import processes, timeline

_REVIVED: Final = "the return's process was gone"


class OpenReturn(Value):
    """Allow a return; lines are (line, units). `revived_by`: it was allowed before, and its process begins anew;
    `continued`: it goes on in a new run.
    """

    return_id: str
    order_id: str
    lines: tuple[tuple[str, int], ...]
    reason: str
    node_id: str | None
    actor: str
    occurred_at: datetime | None
    revived_by: str | None = None
    continued: bool = False
    run_id: str = ""
    key: str | None = None


class CommitReturn(Value):
    """Carry a command to a return out, once for a `request`, whose content is `request_hash`."""

    return_id: str
    order_id: str
    command: Step
    actor: str
    reason: str = ""
    occurred_at: datetime | None = None
    request: str = ""
    request_hash: str = ""


class ReturnView(Value):
    """A return after a command, as its process shows it.

    `status` and `refund` are what the caller hears; `stands` is how it stands now, the same but for a repeat. Units by
    line. `earlier`: it was allowed before, for an earlier run.
    """

    status: ReturnStatus
    refund: int
    currency: str
    stands: ReturnStatus
    ended: bool
    expires_in: float | None = Field(description="Seconds until what is outstanding is let go; None: never.")
    expires_at: Utc | None
    node_id: str
    announced: dict[str, int]
    received: dict[str, int]
    inspected: dict[str, int]
    released: dict[str, int]
    channel: str = ""
    customer_id: str = ""
    earlier: bool = False


@dataclass(frozen=True, slots=True)
class Returning:
    """Commands to returns. `lasts` is how long goods are waited for."""

    database: Database
    lasts: timedelta = field(default=EXPIRES_AFTER)

    @activity.defn(name="open_return")
    async def open_return(self, request: OpenReturn) -> ReturnView:
        """Allow the return. Errors: not-found, nothing-to-return, invalid-input; then nothing is written."""
        asked = ReturnCall(
            return_id=request.return_id,
            order_id=request.order_id,
            actor=request.actor,
            occurred_at=request.occurred_at,
            reason=request.reason,
            run_id=request.run_id,
        )
        goes_on = request.revived_by is not None or request.continued
        async with self.database.transaction() as connection:
            command = Announce(lines=request.lines)
            standing, known = await returns.request(
                connection, asked, command, self._terms, node_id=request.node_id, key=request.key, again=goes_on
            )
            if not known:
                return self._view(standing)
            if request.revived_by is not None:
                await self._lives_again(connection, request)
            first = await timeline.data_of(connection, request.order_id, returns.requested(request.return_id))
            earlier = first.get("run_id") != request.run_id
            return self._view(standing).model_copy(update={"earlier": earlier})

    @activity.defn(name="commit_return")
    async def commit_return(self, request: CommitReturn) -> ReturnView:
        """Carry a command out. Errors: not-found, invalid-input, step-not-possible, conflict; then nothing is written,
        but that a person hears of goods that came although the return had let them go.
        """
        asked = ReturnCall(
            return_id=request.return_id,
            order_id=request.order_id,
            actor=request.actor,
            occurred_at=request.occurred_at,
            reason=request.reason,
            request=request.request,
            request_hash=request.request_hash,
        )
        late: StepNotPossible | None = None
        try:
            async with self.database.transaction() as connection:
                try:
                    return self._view(await returns.commit(connection, asked, request.command, self._terms))
                except StepNotPossible as error:
                    late = error
                    raise
        except ApplicationError:
            if late is not None:
                async with self.database.transaction() as connection:
                    await returns.arrived_too_late(connection, asked, late)
            raise

    async def _lives_again(self, connection: AsyncConnection, request: OpenReturn) -> None:
        await processes.process_runs_again(connection, request.order_id, request.return_id)
        event = timeline.Event(
            order_id=request.order_id,
            kind=EventKind.PROCESS_REVIVED,
            business_key=f"process_revived:{request.run_id}",
            actor=request.revived_by or "",
            occurred_at=self.database.now(),
            reason=_REVIVED,
            data=ProcessRevivedData(return_id=request.return_id),
        )
        await timeline.append(connection, event)

    @property
    def _terms(self) -> ReturnTerms:
        return ReturnTerms(self.lasts, self.database.now, webhooks=self.database.webhooks)

    def _view(self, standing: CommandedReturn) -> ReturnView:
        state = standing.state
        ours = {line_id: line for line_id, line in state.lines.items() if line.announced}
        expires_in = state.expires_at and (state.expires_at - self.database.now()).total_seconds()
        return ReturnView(
            status=standing.status,
            refund=standing.refund,
            currency=standing.order.currency,
            stands=state.status or standing.status,
            ended=state.ended,
            expires_in=expires_in,
            expires_at=state.expires_at,
            node_id=standing.node_id,
            announced={i: line.announced for i, line in ours.items()},
            received=state.received,
            inspected={i: line.inspected for i, line in ours.items() if line.inspected},
            released={i: line.released for i, line in ours.items() if line.released},
            channel=standing.order.channel,
            customer_id=standing.order.customer_id,
        )
