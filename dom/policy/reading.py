"""From YAML or JSON to a policy."""

import yaml

from dom.policy.document import Policy


def read_policy(text: str) -> Policy:
    """The policy in a text; JSON is YAML too. Raises ValueError (pydantic's, or YAML's) for what is none."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"neither YAML nor JSON: {error}") from error
    return Policy.model_validate(document)
