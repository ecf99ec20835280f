"""Why nobody gives to an order in danger: what stood in the way of the search where it came furthest."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from dom.shared.money import Money
from dom.sourcing.reallocation.models import Endangered


class Obstacle(StrEnum):
    """What stands in the way, in the sequence in which the search meets it."""

    NO_LIGHTER_ORDER = "no_lighter_order"
    IN_TIME = "in_time"
    CHANNEL_LIMIT = "channel_limit"
    NOT_SOONER = "not_sooner"
    NOT_ENOUGH = "not_enough"
    PROMISE = "promise"
    GAIN = "gain"
    OTHERS = "others"


_WORDS: Final[Mapping[Obstacle, str]] = {
    Obstacle.NO_LIGHTER_ORDER: "no order of a class that weighs less has it in work that it may give",
    Obstacle.IN_TIME: "it is served in time without that",
    Obstacle.CHANNEL_LIMIT: "its channel may not have all that is free at the nodes where such orders have it",
    Obstacle.NOT_SOONER: "from the nodes where such orders have it, it would not arrive sooner",
    Obstacle.NOT_ENOUGH: "no such order has enough of it, nor have two together at one node",
    Obstacle.PROMISE: "who could give would have no units of his own elsewhere by the day that he was told",
    Obstacle.GAIN: "it gains too little",
    Obstacle.OTHERS: "another choice gains more, or somebody who waits would be served later",
}
_SEQUENCE: Final = tuple(Obstacle)


@dataclass(frozen=True, slots=True)
class NotHelped:
    """An order in danger to which nobody gives, and why. `gain` is the best that there was, of what gained too little;
    `least` what it would have to gain, in minor units of `currency`.
    """

    taker: Endangered
    obstacle: Obstacle
    gain: int | None
    least: int
    currency: str

    @property
    def says(self) -> str:
        """Why, in words."""
        if self.gain is None:
            return _WORDS[self.obstacle]
        gain, least = (Money(amount=each, currency=self.currency) for each in (self.gain, self.least))
        return f"{_WORDS[self.obstacle]}: {gain} at best, and not {least}"


@dataclass(slots=True)
class Obstacles:
    """What the search met, by order and SKU: the furthest alone."""

    _met: dict[tuple[str, str], Obstacle] = field(default_factory=dict)
    _gains: dict[tuple[str, str], int] = field(default_factory=dict)

    def meet(self, taker: Endangered, obstacle: Obstacle, gain: int | None = None) -> None:
        """The search for an order came this far."""
        key = (taker.order_id, taker.sku)
        before = self._met.get(key, obstacle)
        self._met[key] = max(before, obstacle, key=_SEQUENCE.index)
        if gain is not None:
            self._gains[key] = max(gain, self._gains.get(key, gain))

    def of(
        self, takers: Iterable[Endangered], helped: Iterable[Endangered], least: int, currency: str
    ) -> Iterator[NotHelped]:
        """Of each order that was not helped."""
        done = {(each.order_id, each.sku) for each in helped}
        for taker in takers:
            key = (taker.order_id, taker.sku)
            if key not in done:
                obstacle = self._met.get(key, Obstacle.NO_LIGHTER_ORDER)
                gain = self._gains.get(key) if obstacle is Obstacle.GAIN else None
                yield NotHelped(taker, obstacle, gain, least, currency)
