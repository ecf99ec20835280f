"""The type of an example in the OpenAPI document."""

from typing import Any

Example = dict[str, Any]
