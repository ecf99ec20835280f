"""The JSON Schema of the policy document, for editors and for whoever writes policies by program."""

from typing import Any, Final

from dom.documents.schema import DocumentSchema
from dom.sourcing.policy.document import Policy

SCHEMA: Final = DocumentSchema(Policy)


def json_schema() -> dict[str, Any]:
    """The schema, in the dialect of JSON Schema 2020-12."""
    return SCHEMA.json_schema("/v1/ofl/policies/schema", "OFL policy")
