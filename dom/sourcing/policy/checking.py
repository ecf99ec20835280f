"""From a text to a policy that may be published, or to everything that is wrong with it."""

from dataclasses import dataclass

from dom.documents.findings import Finding, has_errors, refused
from dom.documents.reading import placed_findings, tidy
from dom.shared.errors import PolicyInvalid
from dom.sourcing.policy.document import Policy
from dom.sourcing.policy.lint import NOTHING, Known, lint
from dom.sourcing.policy.reading import Reading


@dataclass(frozen=True, slots=True)
class Checked:
    """A policy that was read, its text, and what was found. `policy` is None where the text holds none."""

    text: str
    policy: Policy | None
    findings: tuple[Finding, ...]

    def publishable(self) -> Policy:
        """The policy. Raises PolicyInvalid if it has errors; warnings pass."""
        if self.policy is None or has_errors(self.findings):
            raise refused(self.findings, PolicyInvalid)
        return self.policy


def linted(reading: Reading, known: Known = NOTHING) -> Checked:
    """What was read, looked at against the network."""
    found = list(reading.findings)
    if reading.document is not None:
        found += placed_findings(lint(reading.document, known), reading.placed)
    return Checked(reading.placed.text, reading.document, tidy(found))
