"""TODO."""

from typing import Any

Example = dict[str, Any]
