"""The page behind a customer's link: no script, nothing fetched from elsewhere, and what others wrote is escaped."""

import base64
import hashlib
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from api.questions.models import QuestionForCustomer
from dom.orders.questions import CustomerChoice
from dom.shared.texts import day_in_words, moment_in_words

_C = CustomerChoice
_STYLE: Final = (
    "body{font-family:sans-serif;line-height:1.5;color:#222;background:#fff;margin:1em}"
    "main{max-width:40em;margin:0 auto}table{border-collapse:collapse;width:100%}"
    "caption{text-align:left;font-weight:bold}th,td{text-align:left;padding:.3em;border-bottom:1px solid #767676}"
    "button{font:inherit;padding:.6em 1em;width:100%;background:#fff;color:#003e7e;border:2px solid #003e7e}"
    "button:focus{outline:3px solid #b35900}"
)
_DIGEST: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS: Final = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_DIGEST}'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    "Vary": "Accept",
}
"""Of every answer under a link: it is kept nowhere, and runs nothing."""
_LABELS: Final = {
    _C.WAIT: "Wait for the goods",
    _C.PARTIAL: "Send now what there is, and the rest later",
    _C.SWAP: "Send these instead",
    _C.CANCEL: "Cancel the goods that come later",
}
_SILENCE: Final = {
    _C.WAIT: "we send the goods as soon as we can",
    _C.PARTIAL: "we send now what there is, and the rest as soon as we can",
    _C.CANCEL: "we cancel the goods that come later",
}
_ENVIRONMENT: Final = Environment(
    loader=PackageLoader("api.questions", package_path="."),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_ENVIRONMENT.filters |= {"day": day_in_words, "moment": moment_in_words}


def page(asked: QuestionForCustomer | None, notice: str = "") -> str:
    """The page of a question, or of none; `notice` is what came of an answer."""
    title = "This link is not valid" if asked is None else f"Your order {asked.order_number}"
    return _ENVIRONMENT.get_template("page.html").render(
        asked=asked, notice=notice, title=title, style=_STYLE, labels=_LABELS, silence=_SILENCE
    )
