"""What follows a strategy: fences given up that are none, and words without effect."""

from collections.abc import Iterator
from typing import get_args

from dom.documents.findings import Mistake, Path, warning
from dom.sourcing.policy.document import OnNone, OnPartial, Policy, Relaxable, Strategy, Then
from dom.sourcing.policy.lint.fencing import is_set

MINUTES_OF_A_DAY = 1440


def following(policy: Policy) -> Iterator[Mistake]:
    """What is wrong with `on_partial`, `on_none`, `retry`, re-optimisation and re-allocation."""
    for position, strategy in enumerate(policy.strategies):
        here: Path = ("strategies", position)
        is_last = position == len(policy.strategies) - 1
        for field, follows in (("on_partial", strategy.on_partial), ("on_none", strategy.on_none)):
            yield from _relaxed((*here, field, "relax"), follows, strategy)
            yield from _then((*here, field), follows, is_last=is_last)
        retry = strategy.retry
        if 0 < retry.cancel_after_days * MINUTES_OF_A_DAY < retry.after_minutes:
            said = f"what waits is given up after {retry.cancel_after_days} days, before it is tried again"
            yield warning("retry-after-the-end", (*here, "retry", "after_minutes"), said, "try again earlier")
        carbon = strategy.cost.carbon
        if carbon is not None and not carbon.grams_per_tonne_km:
            said = "no service has a factor, so carbon costs nothing"
            path = (*here, "cost", "carbon", "grams_per_tonne_km")
            yield warning("carbon-without-factor", path, said, "name the grams a tonne-kilometre of each service")
    if policy.reoptimisation.hold_minutes and not policy.reoptimisation.enabled:
        said = "work is held back for a re-optimisation that is switched off"
        yield warning(
            "hold-without-reoptimisation", ("reoptimisation", "hold_minutes"), said, "set it to 0, or `enabled: true`"
        )
    reallocation = policy.reallocation
    if reallocation.enabled and set(reallocation.classes.values()) <= {1.0}:
        said = "every customer class weighs the same, so no order gives to another"
        yield warning("classes-weigh-alike", ("reallocation", "classes"), said, "weigh a class other than 1")


def _relaxed(here: Path, follows: OnPartial | OnNone, strategy: Strategy) -> Iterator[Mistake]:
    there_are = [fence for fence in get_args(Relaxable) if is_set(fence, strategy.fences)]
    for index, fence in enumerate(follows.relax):
        if fence in follows.relax[:index]:
            yield warning("relaxed-twice", (*here, index), f"{fence} is given up already", "take it out")
        elif not is_set(fence, strategy.fences):
            hint = f"take it out; set are {', '.join(there_are)}" if there_are else "take it out"
            yield warning("relax-without-fence", (*here, index), f"this strategy sets no fence {fence}", hint)


def _then(here: Path, follows: OnPartial | OnNone, *, is_last: bool) -> Iterator[Mistake]:
    if follows.strategy is not None and follows.then is not Then.NEXT_STRATEGY:
        said = f"with `then: {follows.then}` no strategy follows, so {follows.strategy} is never tried from here"
        yield warning("jump-not-taken", (*here, "strategy"), said, "write `then: next_strategy`, or take it out")
    if is_last and follows.then is Then.NEXT_STRATEGY and follows.strategy is None:
        said = "no strategy follows the last one"
        yield warning("nothing-follows", (*here, "then"), said, "say what is to become of the order")
