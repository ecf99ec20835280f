"""A mapping in the body of a request: the document as JSON, or its text as YAML."""

import asyncio
from typing import Annotated, Any, Final

from fastapi import Depends, Request

from api.contract import responses
from api.http.documents import text_of
from api.inbox import examples
from dom.channels.mapping.reading import CheckedMapping, check

REQUEST_BODY: Final[dict[str, Any]] = {
    "required": True,
    "description": "The mapping. Its text as YAML is taken as well, with the content type `application/yaml`, and "
    "keeps its comments.",
    "content": {
        "application/json": {
            "schema": {"type": "object", "description": "A mapping as docs/channels.md describes it."},
            "examples": responses.named({"a shop": examples.MAPPING}),
        },
    },
}
"""What OpenAPI says of the body; FastAPI does not see one that is read as it is."""


async def _checked(request: Request) -> CheckedMapping:
    return await asyncio.to_thread(check, await text_of(request))


MappingText = Annotated[CheckedMapping, Depends(_checked)]
"""The mapping of the body, read, with what is wrong with it."""
