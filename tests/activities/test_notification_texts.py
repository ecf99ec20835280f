"""What messages say: complete, escaped, and nothing that is not known or not meant for the customer."""

from datetime import UTC, datetime

import pytest

from connectors.notifications.templates import AskedCustomer, MessageContext, MessageLine, OfferedSwap, render
from dom.notifications.messages import MessageKind
from dom.orders.order import Promise
from dom.shared.money import Money

FULL = MessageContext(
    order_id="web-536365",
    external_id="536365",
    channel="web",
    customer_name="Ada <b>Fenn</b>",
    lines=(MessageLine(description="MUG & SAUCER <script>", sku="85123A", quantity=6),),
    promise=Promise(earliest=datetime(2011, 1, 3, tzinfo=UTC), latest=datetime(2011, 1, 5, tzinfo=UTC)),
    tracking_number="RA473124829GB",
    carrier="Northline",
    node_name="Leeds store",
    refund=Money(amount=1255, currency="GBP"),
    reason="fraud score 97, case 12",
    node_address="1 Yard, LS1 1AA Leeds, GB",
    gave_up=True,
    collection_code="7K4QX9",
    collect_by=datetime(2011, 1, 12, 18, 30, tzinfo=UTC),
    question=AskedCustomer(
        question_id="web-536365-Q1",
        promised=datetime(2011, 1, 5, tzinfo=UTC),
        expected=datetime(2011, 1, 9, tzinfo=UTC),
        choices=("wait", "partial", "swap", "cancel"),
        swap=(
            OfferedSwap(
                instead_of=MessageLine(description="MUG & SAUCER", sku="85123A", quantity=6),
                article=MessageLine(description="CUP <b>", sku="85124", quantity=6),
                unit_price=Money(amount=255, currency="GBP"),
            ),
        ),
        answer_by=datetime(2011, 1, 4, 12, tzinfo=UTC),
        silence="wait",
        link="https://shop.example/questions/" + "a-" * 40,
    ),
)
BARE = MessageContext(order_id="web-536365", external_id="536365", channel="web", customer_name="Ada")
WITH_A_CODE = (MessageKind.READY_FOR_COLLECTION, MessageKind.COLLECTION_REMINDER)


class TestTexts:
    @pytest.mark.parametrize("kind", MessageKind)
    def test_every_kind_has_a_text_that_is_complete(self, kind: MessageKind) -> None:
        made = render(kind, FULL)
        assert "536365" in made.subject
        assert "\n" not in made.subject
        assert "Dear Ada <b>Fenn</b>," in made.text
        assert "6 x MUG & SAUCER <script> (85123A)" in made.text
        assert made.text.count("\n\n\n") == 0

    @pytest.mark.parametrize("kind", MessageKind)
    def test_no_text_of_a_customer_becomes_markup(self, kind: MessageKind) -> None:
        html = render(kind, FULL).html
        assert "<b>" not in html
        assert "<script>" not in html
        assert "Ada &lt;b&gt;Fenn" in html
        assert "MUG &amp; SAUCER" in html
        assert "&amp;lt;" not in html

    @pytest.mark.parametrize("kind", MessageKind)
    def test_what_is_not_known_is_left_out(self, kind: MessageKind) -> None:
        made = render(kind, BARE)
        for leftover in ("None", "{{", "{%", "  ", " ,", " ."):
            assert leftover not in made.text
        assert "<table" not in made.html

    @pytest.mark.parametrize(
        ("kind", "said"),
        [
            (MessageKind.ORDER_CONFIRMED, "Monday 3 January 2011"),
            (MessageKind.SHIPPED, "RA473124829GB"),
            (MessageKind.SHIPPED, "Northline"),
            (MessageKind.READY_FOR_COLLECTION, "Leeds store"),
            (MessageKind.READY_FOR_COLLECTION, "1 Yard, LS1 1AA Leeds, GB"),
            (MessageKind.READY_FOR_COLLECTION, "Your collection code is 7K4QX9."),
            (MessageKind.READY_FOR_COLLECTION, "until Wednesday 12 January 2011, 18:30."),
            (MessageKind.COLLECTION_REMINDER, "until Wednesday 12 January 2011, 18:30."),
            (MessageKind.COLLECTION_REMINDER, "your collection code, 7K4QX9."),
            (MessageKind.RETURN_REQUESTED, "Send them to: Leeds store, 1 Yard, LS1 1AA Leeds, GB."),
            (MessageKind.CANCELLED, "we could not get them in time"),
            (MessageKind.CANCELLED, "12.55 GBP"),
            (MessageKind.REFUNDED, "12.55 GBP"),
            (
                MessageKind.PROMISE_SLIPPED,
                "come by Wednesday 5 January 2011. Now we expect them by Sunday 9 January 2011",
            ),
            (MessageKind.PROMISE_SLIPPED, "https://shop.example/questions/" + "a-" * 40),
            (MessageKind.PROMISE_SLIPPED, "6 x CUP <b>, at 2.55 GBP each"),
            (MessageKind.PROMISE_SLIPPED, "answer by Tuesday 4 January 2011, 12:00 UTC"),
        ],
    )
    def test_it_says_what_it_is_about(self, kind: MessageKind, said: str) -> None:
        assert said in " ".join(render(kind, FULL).text.split())

    def test_what_was_not_collected_is_cancelled_in_words_of_its_own(self) -> None:
        late = FULL.model_copy(update={"reason": "not_collected", "gave_up": False})
        text = " ".join(render(MessageKind.CANCELLED, late).text.split())
        assert "The goods below were not collected in time." in text
        assert "will not be sent" not in text

    @pytest.mark.parametrize(
        "kind", sorted(set(MessageKind) - {MessageKind.READY_FOR_COLLECTION, MessageKind.COLLECTION_REMINDER})
    )
    def test_a_code_stands_where_it_is_needed_alone(self, kind: MessageKind) -> None:
        assert "7K4QX9" not in render(kind, FULL).text

    @pytest.mark.parametrize("kind", MessageKind)
    def test_what_the_house_says_among_itself_is_told_to_no_customer(self, kind: MessageKind) -> None:
        made = render(kind, FULL)
        assert "fraud" not in made.subject + made.text + made.html

    def test_a_window_of_one_day_is_a_day(self) -> None:
        day = datetime(2011, 1, 3, 9, tzinfo=UTC)
        one = FULL.model_copy(update={"promise": Promise(earliest=day, latest=day.replace(hour=17)), "node_name": ""})
        assert "deliver it on Monday 3 January 2011." in " ".join(render(MessageKind.ORDER_CONFIRMED, one).text.split())

    def test_subjects_tell_the_occasions_apart(self) -> None:
        assert len({render(kind, FULL).subject for kind in MessageKind}) == len(MessageKind)
