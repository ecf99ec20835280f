"""A policy as YAML a person can go on with: what is not said is left to its default."""

from typing import Any, Final

import yaml

from dom.documents.text import plain
from dom.sourcing.policy.document import Policy

WIDTH: Final = 100


def as_yaml(policy: Policy) -> str:
    """The policy as text; read again it is the same one. Short lists and mappings stand in a line."""
    document = {"name": policy.name, "currency": policy.currency}
    document |= policy.model_dump(mode="json", exclude_defaults=True)
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH)


class _Dumper(yaml.SafeDumper):
    """Indents lists, writes no aliases, and keeps in one line what has no lists or mappings inside."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True

    def represent_scalar(self, tag: str, value: Any, style: str | None = None) -> Any:
        """Quotes what would be read as something else than a text."""
        is_text = tag.endswith(":str")
        return super().represent_scalar(tag, value, "'" if is_text and not isinstance(plain(value), str) else style)

    def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> Any:
        simple = all(not isinstance(each, list | dict) for each in sequence)
        return super().represent_sequence(tag, sequence, flow_style=simple if flow_style is None else flow_style)
