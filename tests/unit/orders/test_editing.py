"""An order is edited: all changes or none, units and money conserved, as far as the work on it allows."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from dom.notifications.messages import MessageKind
from dom.orders.changes import GiveDayBack, ReleaseStock
from dom.orders.commands import EditOrder
from dom.orders.editing.changes import Change, EditKind
from dom.orders.editing.revised import revised
from dom.orders.editing.rules import RULES, ChangeLevel, possible
from dom.orders.lifecycle import PROGRESS, OrderState
from dom.orders.status import FINAL_FULFILMENT, OrderStatus
from dom.orders.transitions import apply, decide
from dom.shared.access import Role
from dom.shared.errors import CannotCancel, CannotChange, Forbidden, InvalidInput, Stale
from tests.worlds import small
from tests.worlds.commanding import AT, S, order, working

K = EditKind
ADDRESS = {"name": "Ada", "lines": ["14 Mill Lane"], "city": "Leeds", "postal_code": "LS1 4AP", "country": "GB"}
EXAMPLES: dict[EditKind, dict[str, Any]] = {
    K.SET_QUANTITY: {"line_id": "a", "quantity": 1},
    K.ADD_LINE: {"line_id": "z", "sku": "Z", "quantity": 1, "unit_price": 10},
    K.REMOVE_LINE: {"line_id": "a"},
    K.SWAP_SKU: {"line_id": "a", "new_line_id": "z", "sku": "Z"},
    K.SUBSTITUTE: {
        "line_id": "a",
        "units": 1,
        "new_line_id": "z",
        "sku": "Z",
        "quantity": 2,
        "unit_price": 10,
    },
    K.SET_SHIP_TO: {"ship_to": ADDRESS},
    K.SET_SHIPPING_METHOD: {"shipping_method": "express"},
    K.SET_REQUESTED_BY: {"requested_by": "2026-03-09T12:00:00Z"},
    K.SET_PICKUP_NODE: {"pickup_node": "st-york"},
    K.SET_TAGS: {"tags": ["gift"]},
    K.SET_SHIP_COMPLETE: {"ship_complete": False},
}
LIVING = sorted(set(S) - FINAL_FULFILMENT, key=lambda status: (PROGRESS[status], status))


def edit(*changes: dict[str, Any], revision: int = 0, roles: frozenset[Role] | None = None) -> EditOrder:
    made = TypeAdapter(tuple[Change, ...]).validate_python(changes)
    return EditOrder(revision=revision, changes=made, actor="ada", at=AT, reason="asked", roles=roles)


def one(kind: EditKind, **fields: Any) -> dict[str, Any]:
    return {"change": kind, **EXAMPLES[kind], **fields}


def made(state: OrderState, *changes: dict[str, Any]) -> OrderState:
    return apply(state, decide(state, edit(*changes)))


def living(state: OrderState) -> dict[str, int]:
    return {line.line_id: line.quantity - line.cancelled for line in state.lines.values()}


class TestUnits:
    def test_fewer_are_cancelled_and_the_rest_stays_with_its_node(self) -> None:
        change = decide(working(S.ACCEPTED, a=5), edit(one(K.SET_QUANTITY, quantity=3)))
        after = apply(working(S.ACCEPTED, a=5), change)
        assert (living(after), after.waiting, after.fulfilments["F1"].lines) == ({"a": 3}, {}, {"a": 3})
        assert [type(effect) for effect in change.stock] == [ReleaseStock]

    def test_more_are_sourced_together_with_what_is_not_begun(self) -> None:
        change = decide(working(a=2), edit(one(K.SET_QUANTITY, quantity=5)))
        after = apply(working(a=2), change)
        assert (after.waiting, after.fulfilments["F1"].status) == ({"a": 5}, S.RECALLED)
        assert [type(effect) for effect in change.stock] == [ReleaseStock, GiveDayBack]

    def test_more_leave_what_was_begun_alone(self) -> None:
        after = made(working(S.PICKED, a=2), one(K.SET_QUANTITY, quantity=5))
        assert (after.waiting, after.fulfilments["F1"].status) == ({"a": 3}, S.PICKED)

    def test_a_new_line(self) -> None:
        after = made(working(S.PICKED, a=2), one(K.ADD_LINE, quantity=4))
        assert (living(after), after.waiting) == ({"a": 2, "z": 4}, {"z": 4})

    def test_a_line_is_removed(self) -> None:
        after = made(working(S.PICKED, a=2, b=1), one(K.REMOVE_LINE))
        assert (living(after), after.fulfilments["F1"].lines["b"]) == ({"a": 0, "b": 1}, 1)

    def test_the_last_line_removed_ends_the_order(self) -> None:
        assert made(working(a=2), one(K.REMOVE_LINE)).status() is OrderStatus.CANCELLED

    def test_a_swap_keeps_number_and_price(self) -> None:
        after = made(working(a=2), one(K.SWAP_SKU))
        assert living(after) == {"a": 0, "z": 2}
        assert (after.lines["z"].sku, after.lines["z"].unit_price) == ("Z", 100)

    def test_the_customer_is_told_what_is_sent_now(self) -> None:
        (told,) = decide(working(a=2), edit(one(K.SWAP_SKU))).notifications
        assert (told.kind, told.context) == (MessageKind.ORDER_EDITED, {"lines": {"z": 2}})


class TestWork:
    @pytest.mark.parametrize("status", [S.PACKED, S.BOOKED])
    def test_a_parcel_with_the_old_address_is_packed_anew(self, status: S) -> None:
        assert made(working(status, a=1), one(K.SET_SHIP_TO)).fulfilments["F1"].status is S.PICKED

    def test_work_that_is_not_packed_goes_on(self) -> None:
        assert made(working(S.PICKED, a=1), one(K.SET_SHIP_TO)).fulfilments["F1"].status is S.PICKED

    @pytest.mark.parametrize("kind", [K.SET_SHIP_TO, K.SET_SHIPPING_METHOD, K.SET_REQUESTED_BY])
    def test_unbegun_work_is_planned_anew(self, kind: EditKind) -> None:
        assert made(working(a=1), one(kind)).waiting == {"a": 1}

    @pytest.mark.parametrize("kind", [K.SET_TAGS, K.REMOVE_LINE])
    def test_or_stays(self, kind: EditKind) -> None:
        assert made(working(a=1, b=1), one(kind)).fulfilments["F1"].status is S.RELEASED


class TestRules:
    @pytest.mark.parametrize("kind", EditKind)
    @pytest.mark.parametrize("status", LIVING)
    @pytest.mark.parametrize("role", [Role.CHANNEL, Role.SUPPORT, Role.NODE])
    def test_every_cell(self, kind: EditKind, status: S, role: Role) -> None:
        """What the table says is what is decided, and what the caller is told beforehand."""
        state, rule = working(status, a=2), RULES[kind]
        asked = edit(one(kind), roles=frozenset({role}))
        (told,) = [each for each in possible(state, [role]) if each.change is kind]
        if role not in rule.until:
            with pytest.raises(Forbidden):
                decide(state, asked)
            assert told.why
            return
        left = PROGRESS[status] > PROGRESS[S.READY]
        late = left or (rule.level is not ChangeLevel.UNITS and PROGRESS[status] > PROGRESS[rule.until[role]])
        assert bool(told.why) == late
        if late:
            with pytest.raises(CannotChange) as refused:
                decide(state, asked)
            assert refused.value.data == {"change": kind, "level": rule.level, "instead": rule.instead}
        else:
            decide(state, asked)

    def test_of_a_part_shipped_order_the_rest(self) -> None:
        state = working(S.HANDED_OVER, a=2)
        state.lines["b"] = order(b=1).lines["b"]
        assert made(state, one(K.SET_SHIP_TO)).waiting == {"b": 1}
        with pytest.raises(CannotChange):
            made(state, one(K.REMOVE_LINE))

    def test_partly_shipped_units_of_a_line_are_not_taken(self) -> None:
        state = working(S.HANDED_OVER, a=2)
        state.lines["a"].quantity, state.lines["a"].backordered = 3, 1
        assert made(state, one(K.SET_QUANTITY, quantity=2)).waiting == {}
        with pytest.raises(CannotCancel):
            made(state, one(K.SET_QUANTITY, quantity=1))


class TestRefused:
    def test_what_he_did_not_see(self) -> None:
        state = made(working(a=2), one(K.SET_TAGS))
        with pytest.raises(Stale) as refused:
            decide(state, edit(one(K.SET_TAGS)))
        assert refused.value.data == {"revision": 1}
        assert apply(state, decide(state, edit(one(K.SET_TAGS), revision=1))).revision == 2

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ([one(K.SET_QUANTITY, line_id="q")], "changes[0].line_id"),
            ([one(K.SET_QUANTITY), one(K.REMOVE_LINE)], "changes[1].line_id"),
            ([one(K.ADD_LINE, line_id="a")], "changes[0].line_id"),
            ([one(K.ADD_LINE), one(K.SWAP_SKU)], "changes[1].new_line_id"),
        ],
    )
    def test_lines(self, changes: list[dict[str, Any]], field: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            decide(working(a=2), edit(*changes))
        assert refused.value.field == field


@given(
    st.sampled_from(LIVING[:5]),
    st.integers(1, 6),
    st.integers(0, 4),
    st.lists(st.sampled_from(["quantity", "remove", "swap"]), min_size=1, max_size=1),
    st.integers(1, 9),
    st.booleans(),
)
def test_units_and_money_are_conserved(
    status: S, in_work: int, waits: int, what: list[str], units: int, adds: bool
) -> None:
    """Each unit is in one place, and the document is worth what the units are."""
    captured = small.order("edited", A=in_work + waits)
    line_id = captured.lines[0].line_id
    state = working(status, pickup=False, **{line_id: in_work})
    line = state.lines[line_id]
    line.quantity, line.backordered, line.unit_price = in_work + waits, waits, captured.lines[0].unit_price
    changes = {
        "quantity": one(K.SET_QUANTITY, line_id=line_id, quantity=units),
        "remove": one(K.REMOVE_LINE, line_id=line_id),
        "swap": one(K.SWAP_SKU, line_id=line_id, new_line_id="s", unit_price=7),
        "substitute": one(K.SUBSTITUTE, line_id=line_id, units=1, new_line_id="u", quantity=3, unit_price=2),
    }
    asked = [changes[name] for name in what] + ([one(K.ADD_LINE)] if adds else [])
    command = edit(*asked)
    after = apply(state, decide(state, command))
    for each in after.lines.values():
        in_living = sum(work.lines.get(each.line_id, 0) for work in after.living)
        assert each.quantity == each.cancelled + each.backordered + in_living
        assert min(each.cancelled, each.backordered) >= 0
    document = revised(captured, command.changes, living(state))
    assert {each.line_id: each.quantity for each in document.lines} == {
        i: each.quantity for i, each in after.lines.items()
    }
    worth = sum(n * after.lines[i].unit_price for i, n in living(after).items())
    cancelled = sum(each.cancelled * each.unit_price for each in after.lines.values())
    assert document.total == worth + cancelled
