"""Every kind of mistake by its code. Codes are stable: programs decide by them."""

from typing import Final

CODES: Final = {
    # how it is written
    "not-yaml": "The text is neither YAML nor JSON.",
    "tab": "A tab stands where YAML wants spaces.",
    "too-large": "The text is too long, too deep, or unfolds to too many values.",
    "duplicate-key": "A field stands twice.",
    "wrong-key": "A key is a list or a mapping.",
    "wrong-merge": "A merge key (`<<`) takes in what is no mapping.",
    "tag": "A YAML tag, which means nothing here.",
    "wrong-character": "A character that cannot be kept: NUL, or half a surrogate pair.",
    # what the document may hold
    "wrong-shape": "A list, mapping, number or text is wanted, and another of these stands there.",
    "unknown-field": "There is no such field here.",
    "missing-field": "A field that must be there is missing.",
    "unknown-value": "None of the values there are.",
    "wrong-value": "A number out of bounds, or a code of the wrong form.",
    "wrong-name": "A name that is none: of a group, of an attribute.",
    # names
    "unknown-node": "The network has no such node.",
    "unknown-group": "The policy describes no such group.",
    "unknown-carrier": "No carrier of that code has a tariff.",
    "unknown-strategy": "A jump to a strategy that is not there.",
    "unknown-attribute": "No SKU has such an attribute.",
    "unknown-attribute-value": "No SKU has that value of the attribute.",
    "unknown-channel": "Nobody has described that channel.",
    "service-not-offered": "No node offers that service.",
    "no-carrier-there": "No carrier goes to that country.",
    "no-node-there": "No node is of that kind, or in that country or region.",
    "duplicate-strategy": "Two strategies have one name.",
    "rate-of-own-currency": "An exchange rate for the policy's own currency.",
    "unknown-currency": "A code that goods are not paid in, by ISO 4217: XXX, XAU, CLF, or one the world gave up.",
    "currency-without-rate": "Nodes or carriers charge in a currency without a rate; they are never chosen.",
    # groups
    "group-in-itself": "A group contains itself.",
    "empty-group": "A group holds no node.",
    "unused-group": "No strategy uses a group.",
    # contradictions
    "empty-range": "No number is at least the one and below the other.",
    "tag-in-both-lists": "A tag is asked for and shut out.",
    "nothing-matches": "An attribute without a value to have.",
    "included-and-excluded": "A node, group, kind or carrier is asked for and shut out.",
    "disjoint-places": "Nodes must be where the goods go, and elsewhere.",
    "pickup-and-carriers": "Carriers for orders that are all collected.",
    "held-past-cut-off": "What must leave today is held back for a day or more.",
    "no-node-left": "No node of the network passes the fences, whatever the order.",
    "no-carrier-left": "Every carrier is shut out.",
    "whole-capacity-kept": "Nothing of a kind's capacity is left to the strategy.",
    "kind-not-admitted": "A number for a kind of node that takes no part.",
    "split-rule-without-split": "A rule of parting where orders are never parted.",
    "minimum-out-of-reach": "No order of the strategy makes two shipments of the minimum.",
    "carbon-without-factor": "A price on carbon without the grams of any service.",
    # what follows
    "relax-without-fence": "A fence is given up that the strategy does not set.",
    "relaxed-twice": "A fence is given up twice.",
    "jump-not-taken": "A next strategy is named, and something else follows.",
    "nothing-follows": "The last strategy hands on.",
    "jumps-in-a-circle": "A jump comes back to where the order has been.",
    "retry-after-the-end": "What waits is given up before it is tried again.",
    "classes-weigh-alike": "Re-allocation is on, and every customer class weighs the same: nobody ever gives.",
    "hold-without-reoptimisation": "Work is held back for a re-optimisation that is switched off.",
    # reach
    "never-reached": "No order ever comes to the strategy.",
    "orders-fall-through": "Some orders match no strategy.",
    "wrong-expression": "A `when` that does not compile, answers no yes or no, or costs too much.",
}
