"""Going on with an order whose process is gone. The use case is in `services.order_process`."""

from dataclasses import dataclass

from temporalio import activity

from activities.defects import step
from dom.shared.base import Value
from dom.sourcing.sourced import ResumedOrder
from services import order_process
from services.database import Database


class ResumeOrder(Value):
    """Read an order for a process that begins anew. `revived_by`: who asked for that, `run_id`: the process."""

    order_id: str
    revived_by: str | None
    run_id: str


@dataclass(frozen=True, slots=True)
class Resuming:
    """Orders that go on."""

    database: Database

    @activity.defn(name="resume_order")
    async def resume_order(self, request: ResumeOrder) -> ResumedOrder | None:
        """The order as the store holds it; None if it does not."""
        async with step(self.database, request.order_id, request.order_id):
            return await order_process.resume(
                self.database, request.order_id, revived_by=request.revived_by, run_id=request.run_id
            )
