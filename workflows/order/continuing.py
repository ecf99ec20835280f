"""Going on in a new run, before the history of an order's process becomes too long.

The new run reads from the store where the order stands, as one that was revived does; it starts with the order and
little more. So the run before must rest: whatever was told to it stands in the store, or is not heard yet.
"""

import asyncio
from collections.abc import Mapping, Sequence

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows.messages import EDITION, OrderInput
    from workflows.order.fulfilment import FulfilmentProcess, Told
    from workflows.order.sequence import OneAtATime
    from workflows.runs import is_long

Processes = Mapping[str, FulfilmentProcess]


def is_due(
    start: OrderInput,
    steps: OneAtATime,
    processes: Processes,
    under_way: Sequence[asyncio.Task[None]],
) -> bool:
    """Whether the history is long and nobody is in the middle of anything.

    No handler runs, no step is taken, and what is under way is work that waits for its next report.
    """
    return (
        is_long(start.most_events)
        and workflow.all_handlers_finished()
        and steps.at_rest
        and not any(process.inbox for process in processes.values())
        and len(under_way) == sum(process.at_rest for process in processes.values())
    )


def next_run(start: OrderInput, early: Sequence[Told], processes: Processes, told: Mapping[str, object]) -> OrderInput:
    """What the next run starts with: the order, what it was `told` and has not acted on, and reports of work that
    nobody knows yet.
    """
    unknown = tuple(report for _, report in early if report.fulfilment_id not in processes)
    goes_on = {"edition": EDITION, "continued": True, "revived_by": None, "corrections": (), "early": unknown}
    return start.model_copy(update=goes_on | dict(told))
