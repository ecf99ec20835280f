"""Channels: what a quantity is called, and what is no channel."""

from typing import Any

import pytest
from pydantic import ValidationError

from dom.channels.channel import Channel, ChannelRule, Level, Publish, level, unknown

WEB = Channel(id="web", name="Web")


@pytest.mark.parametrize(
    ("quantity", "called"), [(-1, Level.OUT), (0, Level.OUT), (1, Level.LOW), (5, Level.LOW), (6, Level.IN_STOCK)]
)
def test_a_quantity_has_a_name(quantity: int, called: Level) -> None:
    assert level(quantity, WEB) is called


def test_a_channel_may_call_nothing_low() -> None:
    never_low = Channel(id="web", name="Web", low_at=0)
    assert [level(quantity, never_low) for quantity in (0, 1)] == [Level.OUT, Level.IN_STOCK]


def test_an_unknown_channel_stands_where_most_do_whatever_its_name() -> None:
    for name in ("web", "No Channel's Code"):
        stands = unknown(name)
        assert (stands.id, stands.priority, stands.publish, stands.webhook_url) == (name, 100, Publish.QUANTITY, None)
        assert level(5, stands) is Level.LOW


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "Web"},
        {"name": ""},
        {"priority": -1},
        {"low_at": -1},
        {"publish": "everything"},
        {"webhook_url": "shop.example"},
        {"webhook_url": "ftp://shop.example/"},
        {"webhook_url": "http://"},
        {"webhook_url": "https://[::1/"},
        {"webhook_url": "https://shop.example:port/"},
    ],
)
def test_what_is_no_channel(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Channel.model_validate({"id": "web", "name": "Web", **wrong})


@pytest.mark.parametrize("wrong", [{"share": 101}, {"share": -1}, {"buffer": -1}, {"sku": ""}, {"node_id": "A B"}])
def test_what_is_no_rule(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ChannelRule.model_validate(wrong)
