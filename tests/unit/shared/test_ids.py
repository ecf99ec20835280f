"""Ids are built from what they name, and told apart."""

import re
from string import ascii_lowercase, digits

from hypothesis import example, given
from hypothesis import strategies as st

from dom.shared import ids

channels = st.text(ascii_lowercase + digits + "_", max_size=12).map(lambda rest: f"w{rest}")
numbers = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
tricky = st.text("aF1R-~_ %2D7E/\u00e9", min_size=1, max_size=8)
external = numbers | tricky


class TestOrderId:
    def test_reads_as_channel_and_number(self) -> None:
        assert ids.order_id("web", "536365") == "web-536365"

    def test_what_does_not_travel_in_a_url_is_escaped(self) -> None:
        assert ids.order_id("web", "A/1 é~") == "web-A~2F1~20~C3~A9~7E"

    @given(channels, external, channels, external)
    @example("w", "~2F", "w", "/")
    @example("w", "a-b", "w_a", "b")
    @example("w", "1-F1", "w", "1")
    def test_different_orders_have_different_ids(self, one: str, first: str, other: str, second: str) -> None:
        same = ids.order_id(one, first) == ids.order_id(other, second)
        assert same == ((one, first) == (other, second))

    @given(tricky, tricky)
    def test_different_numbers_of_one_channel_have_different_ids(self, first: str, second: str) -> None:
        assert (ids.order_id("web", first) == ids.order_id("web", second)) == (first == second)

    @given(channels, external)
    def test_is_safe_in_a_url_path(self, channel: str, number: str) -> None:
        assert re.fullmatch(r"[A-Za-z0-9._~-]+", ids.order_id(channel, number))


class TestWhatBelongsToAnOrder:
    @given(channels, external, st.integers(1, 10**6), st.text())
    def test_the_order_can_be_read_off(self, channel: str, number: str, count: int, token: str) -> None:
        order = ids.order_id(channel, number)
        assert ids.order_of(ids.fulfilment_id(order, count)) == order
        assert ids.order_of(ids.return_id(order, token)) == order

    @given(st.text(), st.integers(1, 99))
    def test_a_return_is_not_a_fulfilment(self, token: str, count: int) -> None:
        assert ids.return_id("web-1", token) != ids.fulfilment_id("web-1", count)

    def test_the_same_token_is_the_same_return(self) -> None:
        assert ids.return_id("web-1", "k") == ids.return_id("web-1", "k")
        assert ids.return_id("web-1", "k") != ids.return_id("web-1", "l")
        assert re.fullmatch(r"web-1-R[A-Z2-7]{6}", ids.return_id("web-1", "k"))

    def test_each_attempt_is_booked_under_its_own_key(self) -> None:
        fulfilment = ids.fulfilment_id("web-1", 2)
        assert ids.booking_key(fulfilment, 1) == "web-1-F2-B1"
        assert ids.booking_key(fulfilment, 1) != ids.booking_key(fulfilment, 2)


class TestWorkflowIds:
    @given(channels, external, external)
    def test_an_order_and_a_return_never_share_a_workflow(self, channel: str, number: str, token: str) -> None:
        order = ids.order_id(channel, number)
        names = {ids.order_workflow_id(order), ids.return_workflow_id(ids.return_id(order, token))}
        assert len(names) == 2
        assert names == {f"order-{order}", f"return-{ids.return_id(order, token)}"}
