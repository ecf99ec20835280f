"""Documents that people write, in the body of a request: as JSON, or as YAML with its comments."""

from typing import Final

from fastapi import Request
from starlette.exceptions import HTTPException

from dom.shared.errors import InvalidInput

MEDIA_TYPES: Final = frozenset({"application/json", "application/yaml", "application/x-yaml", "text/yaml"})
"""RFC 9512 registers `application/yaml`; the others were in use before."""


async def text_of(request: Request) -> str:
    """The text of the body. Raises HTTPException for another media type, InvalidInput for what is no UTF-8."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in MEDIA_TYPES:
        raise HTTPException(415, f"Content-Type is {media_type or 'absent'}; send application/json or application/yaml")
    try:
        return (await request.body()).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the body is not UTF-8: byte {error.start} cannot be read") from error
