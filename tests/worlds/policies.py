"""Policies in a line: every field by its own name, wherever in the document it stands.

policy(split_penalty=0, maximum_distance_km={"store": 600}, after_minutes=1)
"""

from typing import Any

from pydantic import BaseModel

from dom.sourcing.policy.document import Costs, Fences, Match, Policy, Retry, Splitting, Strategy

_PARTS: dict[str, type[BaseModel]] = {
    "match": Match,
    "fences": Fences,
    "cost": Costs,
    "split": Splitting,
    "retry": Retry,
}


def strategy(name: str = "everything", **fields: Any) -> Strategy:
    """A strategy; a field of its match, fences, cost, split or retry is given by its own name."""
    document: dict[str, Any] = {"name": name}
    for field, value in fields.items():
        part = next((part for part, model in _PARTS.items() if field in model.model_fields), None)
        if part is None or field in Strategy.model_fields:
            document[field] = value
        else:
            document.setdefault(part, {})[field] = value
    return Strategy.model_validate(document)


def policy(*strategies: Strategy, name: str = "a policy", **fields: Any) -> Policy:
    """A policy of these strategies; without any, of one for every order that has the fields."""
    own = {field: value for field, value in fields.items() if field in Policy.model_fields}
    rest = {field: value for field, value in fields.items() if field not in own}
    return Policy.model_validate({"name": name, "strategies": strategies or (strategy(**rest),), **own})


def changed(known: Policy, **fields: Any) -> Policy:
    """The policy with its only strategy changed."""
    document = known.model_dump(mode="json")
    (only,) = document["strategies"]
    for field, value in fields.items():
        part = next((part for part, model in _PARTS.items() if field in model.model_fields), None)
        if field in Policy.model_fields:
            document[field] = value
        elif part is None or field in Strategy.model_fields:
            only[field] = value
        else:
            only[part][field] = value
    return Policy.model_validate(document)
