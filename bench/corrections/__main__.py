"""`python -m bench.corrections`: how often automatic corrections are right on the labelled set, by rule; how many
inputs need a person; every correction that is wrong.
"""

import argparse

from bench.corrections.measuring import Measured, inputs, measure
from dom.channels.corrections import DEFAULT_THRESHOLD, CorrectionSettings


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threshold", type=int, default=DEFAULT_THRESHOLD, help="per mille")
    parser.add_argument("--left", action="store_true", help="also the numbers of inputs that are left for a person")
    asked = parser.parse_args()
    cases = inputs()
    settings = CorrectionSettings(threshold=asked.threshold)
    print(f"{len(cases)} labelled inputs, threshold {asked.threshold} per mille")
    parts = {
        "looked at while the rules were made": [each for each in cases if not each["kept_apart"]],
        "kept apart": [each for each in cases if each["kept_apart"]],
        "all": cases,
    }
    found = measure(cases, settings)
    for name, part in parts.items():
        told = found if name == "all" else measure(part, settings)
        print(
            f"{name}: {told.inputs} inputs, {len(told.fields)} fields corrected by themselves, "
            f"{len(told.wrong)} wrong, precision {told.precision:.2%}; {told.needs_person:.1%} need a person"
        )
    show(found, left=asked.left)


def show(found: Measured, *, left: bool) -> None:
    """By rule and by kind, and each that is wrong."""
    print(f"of the {len(found.unresolved)} inputs that need a person, {found.proposed} have the right proposal")
    print("\nrule                right  wrong")
    for rule, counts in sorted(found.by_rule.items()):
        print(f"{rule:18} {counts[True]:6} {counts[False]:6}")
    print("\nrule               claimed  right  wrong  (per mille; made and proposed)")
    for (rule, confidence), counts in sorted(found.claimed.items()):
        print(f"{rule:18} {confidence:7} {counts[True]:6} {counts[False]:6}")
    print("\nkind                right   left")
    for kind, told in sorted(found.of_kind.items()):
        print(f"{kind:18} {told['right']:6} {told['left']:6}")
    print("\nwrong automatic corrections:" if found.wrong else "\nno wrong automatic correction")
    for each in found.wrong:
        print(f"  {each.input} ({each.kind}): {each.field}: {each.before!r} became {each.after!r} by {each.rules}")
        print(f"      right is {each.right!r}")
    if left:
        print("\nleft for a person:", *found.unresolved)


if __name__ == "__main__":
    main()
