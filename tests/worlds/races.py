"""How often a race is run: `RACES=200` for the whole of it, fewer where there is little time."""

import os
from typing import Final

TURNS: Final = int(os.environ.get("RACES", "10"))
"""Turns of each race of two."""
