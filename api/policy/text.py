"""A policy in the body of a request: the document as JSON, or its text as YAML."""

import asyncio
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from starlette.exceptions import HTTPException

from api.contract import responses
from api.policy import examples
from dom.shared.errors import InvalidInput
from dom.sourcing.policy.reading import Reading, read

MEDIA_TYPES: Final = frozenset({"application/json", "application/yaml", "application/x-yaml", "text/yaml"})
"""RFC 9512 registers `application/yaml`; the others were in use before."""

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
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in MEDIA_TYPES:
        raise HTTPException(415, f"Content-Type is {media_type or 'absent'}; send application/json or application/yaml")
    try:
        text = (await request.body()).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the body is not UTF-8: byte {error.start} cannot be read") from error
    return await asyncio.to_thread(read, text)


PolicyText = Annotated[Reading, Depends(_reading)]
"""The policy of the body, read and not yet looked at against the network."""
