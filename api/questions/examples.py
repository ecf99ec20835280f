"""Questions to customers."""

from typing import Any, Final

from api.contract.example import Example

QUESTION: Final[Example] = {
    "question_id": "web-EXAMPLE-1-Q1",
    "order_id": "web-EXAMPLE-1",
    "status": "open",
    "units": {"1": 2},
    "promised": "2026-03-04T20:00:00Z",
    "expected": None,
    "choices": ["wait", "swap", "cancel"],
    "swap": [{"line_id": "1", "units": 2, "sku": "85123B", "quantity": 2, "unit_price": 295}],
    "silence": "wait",
    "asked_at": "2026-03-02T12:05:00Z",
    "answer_by": "2026-03-05T12:05:00Z",
    "mails": 1,
    "answer": None,
    "ended_by": None,
    "ended_at": None,
    "reason": "",
    "withdrawal": None,
    "seen": "8d1f60c2b9e47a35",
}
QUESTIONS: Final[Example] = {"items": [QUESTION], "next_cursor": None}
QUESTION_ANSWERED: Final[Example] = {
    **QUESTION, "status": "answered", "answer": "cancel", "ended_by": "ada", "ended_at": "2026-03-02T13:00:00Z",
    "reason": "said so on the phone",
}  # fmt: skip
CHOICES: Final[dict[str, Any]] = {"the customer called": {"answer": "cancel", "reason": "said so on the phone"}}
FOR_CUSTOMER: Final[Example] = {
    "status": "open",
    "order_number": "EXAMPLE-1",
    "lines": [{"description": "White hanging heart", "sku": "85123A", "quantity": 2}],
    "promised": "2026-03-04T20:00:00Z",
    "expected": None,
    "choices": ["wait", "cancel"],
    "swap": [],
    "silence": "wait",
    "answer_by": "2026-03-05T12:05:00Z",
    "answer": None,
    "says": "Please choose what we shall do.",
    "seen": "8d1f60c2b9e47a35",
}
BY_CUSTOMER: Final[Example] = {
    **FOR_CUSTOMER, "status": "answered", "choices": [], "answer": "cancel",
    "says": "You chose to cancel. The goods below are not sent.",
}  # fmt: skip
ANSWERS: Final[dict[str, Any]] = {"the customer cancels": {"answer": "cancel", "seen": "8d1f60c2b9e47a35"}}
