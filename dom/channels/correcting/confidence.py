"""How often each rule is right, per mille. Measured by `python -m bench.corrections`; the rules' own modules say which
kinds of evidence they tell apart.

The bench prints claimed and measured figures side by side. Of 995 and more: no correction with this evidence was
wrong, neither on the labelled set nor on `bench.corrections.wide`. For some rules that are few inputs (the bench says
how many), and the rates of what people reject must bear them out. What is only proposed has few inputs, too: a rough
figure, rounded down, says in which sequence a person is shown it.
"""

from collections.abc import Mapping
from typing import Final

from dom.channels.corrections import SURE, CorrectionRule

_R = CorrectionRule
ALL: Final[Mapping[tuple[CorrectionRule, str], int]] = {
    (_R.NORMAL_FORM, ""): SURE,
    (_R.MOJIBAKE, ""): 999,
    (_R.MOJIBAKE, "a blank"): 300,
    (_R.ENTITIES, ""): 999,
    (_R.LINE_BREAKS, ""): 999,
    (_R.UNSEEN, ""): SURE,
    (_R.EMOJI, ""): 999,
    (_R.EMOJI, "nothing left"): 700,
    (_R.WHITE_SPACE, ""): SURE,
    (_R.NOTHING, ""): 999,
    (_R.NOTHING, "a name"): 300,
    (_R.CURRENCY, "case"): SURE,
    (_R.CURRENCY, "one country's"): 999,
    (_R.CURRENCY, "several countries'"): 350,
    (_R.COUNTRY, "code"): 999,
    (_R.COUNTRY, "name"): 999,
    (_R.COUNTRY, "not its postal code"): 300,
    (_R.COUNTRY, "several"): 500,
    (_R.COUNTRY, "similar"): 900,
    (_R.POSTAL_CODE, ""): 999,
    (_R.POSTAL_NONE, "filler"): 999,
    (_R.POSTAL_NONE, "says something"): 300,
    (_R.POSTAL_ZERO, "region agrees"): 998,
    (_R.POSTAL_ZERO, ""): 700,
    (_R.POSTAL_ZERO, "letters"): 700,
    (_R.REGION, ""): 999,
    (_R.LONG_LINE, ""): 999,
    (_R.NAME, "of the other"): 900,
    (_R.NAME, "turned round"): 900,
    (_R.PHONE, "international"): 999,
    (_R.PHONE, "as dialled there"): 996,
    (_R.PHONE, "mobile elsewhere"): 500,
    (_R.PHONE, "extension"): 500,
    (_R.PHONE, "possible"): 300,
    (_R.PHONE, "first of several"): 850,
    (_R.PHONE, "none"): 500,
    (_R.PHONE, "nothing"): 999,
    (_R.EMAIL, ""): 999,
    (_R.EMAIL, "blanks inside"): 950,
    (_R.EMAIL, "guessed"): 850,
    (_R.EMAIL_DOMAIN, ""): 950,
    (_R.DUPLICATE_LINE, "the total says so"): SURE,
    (_R.DUPLICATE_LINE, "no total"): 700,
    (_R.DUPLICATE_LINE, "the total counts both"): 100,
    (_R.NUMBER_MARK, "the total says so"): SURE,
    (_R.NUMBER_MARK, ""): 997,
    (_R.NUMBER_MARK, "the total differs"): 900,
    (_R.NUMBER_TOTAL, "only this fits"): 950,
    (_R.NUMBER_TOTAL, "both fit"): 700,
    (_R.SKU_FORM, "case and marks"): 999,
    (_R.SKU_FORM, "zeros"): 998,
    (_R.SKU_FORM, "spreadsheet"): 997,
    (_R.SKU_FORM, "another name"): 800,
    (_R.SKU_FORM, "several"): 400,
    (_R.SKU_SIMILAR, "the same name"): 980,
}


def of(rule: CorrectionRule, evidence: str = "") -> int:
    """How often a rule is right that has this evidence, per mille."""
    return ALL[rule, evidence]
