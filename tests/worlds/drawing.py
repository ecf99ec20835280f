"""How many examples a property test draws: few by default, many where new ones are looked for."""

import os


def examples(few: int, many: int) -> int:
    """`many` with HYPOTHESIS_PROFILE=explore (`make explore`)."""
    return many if os.environ.get("HYPOTHESIS_PROFILE") == "explore" else few
