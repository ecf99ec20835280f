"""The timeline of an order: every kind has the data that belong to it, and each event happens once."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.orders.events import CancelledData, EventKind, FulfilmentData, of_return, of_status
from dom.orders.status import FulfilmentStatus, ReturnStep
from dom.shared.access import OFL
from store.orders import timeline
from tests.worlds import small
from tests.worlds.books import rows
from tests.worlds.reoptimising import capture
from tests.worlds.sourcing import MONDAY_NOON

WITHOUT_AN_EVENT = {
    FulfilmentStatus.RELEASED,
    FulfilmentStatus.BOOKED,
    FulfilmentStatus.CANCELLED,
    FulfilmentStatus.RECALLED,
}
"""Statuses that come with the event of something else: a decision, a booking, a cancellation, a re-optimisation."""


@pytest.mark.parametrize("status", sorted(set(FulfilmentStatus) - WITHOUT_AN_EVENT))
def test_each_status_that_is_reported_has_a_kind(status: FulfilmentStatus) -> None:
    assert of_status(status).endswith(status)


@pytest.mark.parametrize("step", ReturnStep)
def test_each_step_of_a_return_has_a_kind(step: ReturnStep) -> None:
    assert of_return(step).endswith(step)


def test_data_of_another_kind_are_refused() -> None:
    with pytest.raises(TypeError, match="cancelled has no data of the type FulfilmentData"):
        timeline.Event("web-1", EventKind.CANCELLED, "c", OFL, MONDAY_NOON, FulfilmentData(fulfilment_id="web-1-F1"))


async def test_an_event_is_written_once_and_without_what_it_does_not_have(world: AsyncEngine) -> None:
    await capture(world, small.order("once", A=1))
    event = timeline.Event("web-once", EventKind.CANCELLED, "c", OFL, MONDAY_NOON, CancelledData(lines={"1": 1}))
    async with world.begin() as connection:
        assert [await timeline.append(connection, event) for _ in range(2)] == [True, False]
    written = await rows(world, "SELECT kind, data FROM timeline WHERE business_key = 'c'")
    assert written == [("cancelled", {"lines": {"1": 1}})]
