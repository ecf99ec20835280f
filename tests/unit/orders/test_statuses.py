"""Every status is classified once, and every list of statuses follows from it."""

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest

from api.orders.models import OrderMessage, Shipment
from dom.orders import lifecycle, status
from dom.orders.status import FulfilmentStatus, OrderStatus, SourcingCause, Whereabouts
from simulator import board
from store.enums import MessageStatus, ShipmentStatus
from workflows.order import temporal_view

ROOT = Path(__file__).parents[3]
SETS = (status.BEFORE_HAND_OVER, frozenset({FulfilmentStatus.HANDED_OVER}), status.ARRIVED, status.ENDED_UNDELIVERED)
ORDERS_AND_WORK = {*map(str, FulfilmentStatus), *map(str, OrderStatus)}


class TestFulfilments:
    def test_every_status_has_a_meaning(self) -> None:
        assert set(status.MEANING) == set(FulfilmentStatus)

    def test_each_is_in_one_set(self) -> None:
        assert sorted(each for part in SETS for each in part) == sorted(FulfilmentStatus)

    def test_goods_that_left_are_not_at_the_node(self) -> None:
        assert not status.LEFT_NODE & status.BEFORE_HAND_OVER
        assert status.LEFT_NODE >= status.ARRIVED
        assert status.UNBEGUN <= status.BEFORE_HAND_OVER

    @pytest.mark.parametrize("each", FulfilmentStatus)
    def test_progress_is_known_of_all_that_lives(self, each: FulfilmentStatus) -> None:
        assert (each in lifecycle.PROGRESS) == (each not in status.ENDED_UNDELIVERED)

    @pytest.mark.parametrize("each", FulfilmentStatus)
    def test_people_are_told_what_comes_next(self, each: FulfilmentStatus) -> None:
        assert (each in temporal_view._NEXT) == (each not in status.FINAL_FULFILMENT)

    def test_units_of_each_whereabouts_are_somewhere(self) -> None:
        assert {meaning.units for meaning in status.MEANING.values()} == set(Whereabouts)


class TestTheSimulator:
    """It knows the public API alone, and writes the statuses down again."""

    def test_knows_every_open_status(self) -> None:
        assert set(board.OPEN_FULFILMENT) == set(FulfilmentStatus) - status.FINAL_FULFILMENT
        assert set(board.PROGRESS) == set(board.OPEN_FULFILMENT) - status.UNBEGUN

    def test_knows_the_final_ones(self) -> None:
        assert set(board.FINAL_ORDER) == set(status.FINAL_ORDER)


def test_failed_sourcing_is_a_part_of_the_causes() -> None:
    assert set(SourcingCause) > status.FAILED_SOURCING


@pytest.mark.parametrize(
    ("shown", "known"),
    [
        (Shipment.model_fields["status"].annotation, ShipmentStatus),
        (OrderMessage.model_fields["status"].annotation, MessageStatus),
    ],
)
def test_the_api_shows_every_status(shown: object, known: type[StrEnum]) -> None:
    assert shown is known


def quoted() -> Iterator[str]:
    """Lists of quoted values in the SQL of the store, but for migrations and tables."""
    for path in sorted(ROOT.glob("store/**/*.py")):
        if "migrations" not in path.parts:
            for found in re.finditer(r"(?:\bf\.|\bo\.|\b)status (?:NOT )?IN \(('[a-z][^)]*)\)", path.read_text()):
                yield f"{path.relative_to(ROOT)}: {found[1]}"


@pytest.mark.parametrize("found", sorted(set(quoted())))
def test_no_sql_lists_statuses_of_orders_or_work_by_hand(found: str) -> None:
    """Those of imports, inbound goods, messages and rehearsals are few, and their tables check them."""
    values = set(re.findall(r"'(\w+)'", found))
    assert not values <= ORDERS_AND_WORK, found
