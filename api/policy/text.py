"""A policy in the body of a request: the document as JSON, or its text as YAML."""

import asyncio
from typing import Annotated, Any, Final

from fastapi import Depends, Request

from api.contract import responses
from api.http.documents import text_of
from api.policy import examples
from dom.sourcing.policy.reading import Reading, read

REQUEST_BODY: Final[dict[str, Any]] = {
    "required": True,
    "description": "The policy document; its schema is at `/v1/ofl/policies/schema`. Its text as YAML is taken as "
    "well, with the content type `application/yaml`, and keeps its comments.",
    "content": {
        "application/json": {
            "schema": {"type": "object", "description": "The document as `/v1/ofl/policies/schema` describes it."},
            "examples": responses.named({"two strategies": examples.POLICY_DOCUMENT}),
        },
    },
}
"""What OpenAPI says of the body; FastAPI does not see one that is read as it is."""


async def _reading(request: Request) -> Reading:
    return await asyncio.to_thread(read, await text_of(request))


PolicyText = Annotated[Reading, Depends(_reading)]
"""The policy of the body, read and not yet looked at against the network."""
