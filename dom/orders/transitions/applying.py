"""The order after a change."""

from collections.abc import Mapping
from dataclasses import replace

from dom.orders.asked import OpenCancellation
from dom.orders.changes import OrderChange
from dom.orders.lifecycle import OrderState
from dom.orders.status import FulfilmentStatus
from dom.orders.transitions import collecting, holding, node_steps

_S = FulfilmentStatus


def apply(state: OrderState, change: OrderChange) -> OrderState:
    """The order as it is after the change; the state given stays as it is."""
    waiting, cancelled, unlisted = change.waiting, change.cancelled, change.unlisted
    statuses = {move.fulfilment_id: move.status for move in change.statuses}
    lines = {
        line_id: replace(
            line,
            quantity=line.quantity + change.added.get(line_id, 0),
            backordered=line.backordered + waiting.get(line_id, 0),
            cancelled=line.cancelled + cancelled.get(line_id, 0),
        )
        for line_id, line in [*state.lines.items(), *((new.line_id, new) for new in change.new_lines)]
    }
    fulfilments = {
        f.id: replace(
            node_steps.with_picked(f, change),
            status=statuses.get(f.id, f.status),
            collection=collecting.waiting_after(f, change, statuses.get(f.id, f.status)),
            put_back=collecting.put_back_after(f, change, statuses.get(f.id, f.status)),
            lines={line_id: n - unlisted.get(f.id, {}).get(line_id, 0) for line_id, n in f.lines.items()},
            steps=f.steps + (f.id == change.step_of),
            reshipped=f.reshipped or f.id == change.reshipped,
            comes_back=f.comes_back or statuses.get(f.id) is _S.RETURNED,
            packings=f.packings + (statuses.get(f.id) is _S.PACKED),
        )
        for f in state.fulfilments.values()
    }
    return OrderState(
        state.order_id,
        lines,
        fulfilments,
        state.cancellations + change.is_cancellation,
        holding.apply(state, change),
        state.holds_placed + (change.placed is not None),
        state.revision + (change.revision is not None),
        {**_still_asked(state, change), **{each.id: each for each in change.asked}},
        state.ever_asked + len(change.asked),
        state.priority if change.priority is None else change.priority.priority,
    )


def _still_asked(state: OrderState, change: OrderChange) -> dict[str, OpenCancellation]:
    """The requests that stay open. What is cancelled otherwise of the work that one is about is asked for no more."""
    ended = {each.id for each in change.ended}
    return {
        asked.id: replace(asked, units=_without(asked.units, change.unlisted.get(asked.fulfilment_id, {})))
        for asked in state.asked.values()
        if asked.id not in ended
    }


def _without(units: Mapping[str, int], taken: Mapping[str, int]) -> dict[str, int]:
    left = {line_id: n - taken.get(line_id, 0) for line_id, n in units.items()}
    return {line_id: n for line_id, n in left.items() if n > 0}
