"""What is wrong with a policy that can be read: names nobody knows, contradictions, dead ends. A module an idea."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from dom.documents.findings import Mistake
from dom.sourcing.policy.document import Policy
from dom.sourcing.policy.lint import (
    coverage,
    currencies,
    expressions,
    fencing,
    following,
    groups,
    matches,
    names,
    reaching,
    splitting,
)
from dom.sourcing.policy.lint.known import NOTHING, Known

__all__ = ["NOTHING", "Known", "lint"]

MOST_OF_A_KIND: Final = 200

_ALONE: Final[tuple[Callable[[Policy], Iterator[Mistake]], ...]] = (
    names.names_given_twice,
    currencies.no_currencies,
    matches.matches,
    expressions.expressions,
    splitting.splitting,
    following.following,
    reaching.never_reached,
    reaching.loops,
)
_AGAINST_THE_NETWORK: Final[tuple[Callable[[Policy, Known], Iterator[Mistake]], ...]] = (
    names.unknown_names,
    currencies.currencies,
    groups.groups,
    fencing.fencing,
    coverage.fall_through,
)


def lint(policy: Policy, known: Known = NOTHING) -> list[Mistake]:
    """The mistakes of the policy by itself and against what the network holds; of each kind not too many."""
    looks = [look(policy) for look in _ALONE] + [look(policy, known) for look in _AGAINST_THE_NETWORK]
    return [mistake for look in looks for mistake in islice(look, MOST_OF_A_KIND)]
