"""Returning: a return is allowed, and each command to it carried out. The use cases are in `services.returns`."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import Field
from temporalio import activity

from activities.defects import step
from dom.orders.status import ReturnStatus
from dom.returns import EXPIRES_AFTER, Announce, Step
from dom.shared.base import Utc, Value
from services import returns
from services.database import Database
from services.returns import CommandedReturn, Opening, ReturnCall, ReturnTerms


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
    """Carry a command to a return out, once for a `request`, whose content is `request_hash`.

    `answered`: somebody waits for the answer.
    """

    return_id: str
    order_id: str
    command: Step
    actor: str
    reason: str = ""
    occurred_at: datetime | None = None
    request: str = ""
    request_hash: str = ""
    answered: bool = False


class ReturnView(Value):
    """A return after a command, as its process shows it.

    `status` and `refund` are what the caller hears; `stands` is how it stands now, the same but for a repeat. Units by
    line. `earlier`: it was allowed before, for an earlier run. `parcel`: the fulfilment whose parcel its carrier brings
    back.
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
    parcel: str | None = None


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
        opening = Opening(request.node_id, request.key, request.revived_by, request.continued)
        answered = not opening.goes_on
        async with step(self.database, request.order_id, request.return_id, answered=answered):
            command = Announce(lines=request.lines)
            standing, earlier = await returns.open_(self.database.engine, asked, command, self._terms, opening)
        return self._view(standing, earlier=earlier)

    @activity.defn(name="commit_return")
    async def commit_return(self, request: CommitReturn) -> ReturnView:
        """Carry a command out. Errors: not-found, invalid-input, step-not-possible, conflict."""
        asked = ReturnCall(
            return_id=request.return_id,
            order_id=request.order_id,
            actor=request.actor,
            occurred_at=request.occurred_at,
            reason=request.reason,
            request=request.request,
            request_hash=request.request_hash,
        )
        async with step(self.database, request.order_id, request.return_id, answered=request.answered):
            return self._view(await returns.commit(self.database.engine, asked, request.command, self._terms))

    @property
    def _terms(self) -> ReturnTerms:
        return ReturnTerms(self.lasts, self.database.now, webhooks=self.database.webhooks)

    def _view(self, standing: CommandedReturn, *, earlier: bool = False) -> ReturnView:
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
            earlier=earlier,
            parcel=state.parcel,
        )
