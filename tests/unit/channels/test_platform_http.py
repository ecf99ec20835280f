"""What a platform answers means the same for every connector: wait, try again, mend the credentials, or give up."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from connectors.channels.budget import LONGEST_WAIT, RequestBudget, SlowDownError
from connectors.channels.platform_http import PlatformHttp, retry_after
from connectors.notifications.port import TemporaryFailureError
from dom.shared.errors import OutsideFailure


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def asking(answer: Callable[[httpx.Request], httpx.Response], hand: Hand | None = None) -> PlatformHttp:
    budget = RequestBudget(1000, 1000, hand or Hand())
    return PlatformHttp("https://shop.example", {}, budget, transport=httpx.MockTransport(answer))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, OutsideFailure),
        (401, TemporaryFailureError),
        (403, TemporaryFailureError),
        (408, TemporaryFailureError),
        (409, TemporaryFailureError),
        (422, OutsideFailure),
        (302, TemporaryFailureError),
        (500, TemporaryFailureError),
        (503, TemporaryFailureError),
        (429, SlowDownError),
    ],
)
async def test_a_status_means(status: int, error: type[Exception]) -> None:
    http = asking(lambda _: httpx.Response(status, headers={"location": "https://elsewhere.example"}))
    with pytest.raises(error) as raised:
        await http.ask("GET", "/orders")
    assert isinstance(raised.value, SlowDownError) == (status == 429)
    await http.close()


@pytest.mark.parametrize("status", [200, 201, 204, 404, 410])
async def test_an_answer_that_says_something_is_handed_on(status: int) -> None:
    http = asking(lambda _: httpx.Response(status))
    assert (await http.ask("GET", "/orders")).status_code == status
    await http.close()


async def test_nobody_answers() -> None:
    def fails(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("late", request=request)

    http = asking(fails)
    with pytest.raises(TemporaryFailureError, match="ReadTimeout"):
        await http.ask("GET", "/orders")
    await http.close()


def test_how_long_a_platform_wants_to_be_left_alone() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert 85 < retry_after(soon) <= 90
    assert (retry_after("12"), retry_after("1.5"), retry_after("-3")) == (12, 1.5, 0)
    assert retry_after(None) == retry_after("nonsense") == 5
    assert retry_after("99999999") == 3600


async def test_after_a_refusal_nothing_is_asked_until_the_time_is_over() -> None:
    hand, asked = Hand(), list[str]()

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(429, headers={"retry-after": "60"}) if len(asked) == 1 else httpx.Response(200)

    http = asking(answer, hand)
    for _ in range(2):
        with pytest.raises(SlowDownError) as raised:
            await http.ask("GET", "/orders")
        assert raised.value.seconds == 60
    assert asked == ["/orders"]
    hand.at = 61
    assert (await http.ask("GET", "/orders")).is_success
    await http.close()


async def test_a_budget_is_never_overspent_and_says_how_long_it_takes() -> None:
    hand = Hand()
    budget = RequestBudget(10, 0.1, hand)
    for _ in range(10):
        await budget.spend()
    with pytest.raises(SlowDownError) as raised:
        await budget.spend(5)
    assert raised.value.seconds == pytest.approx(50)
    assert raised.value.seconds > LONGEST_WAIT
    hand.at = 50
    await budget.spend(5)
    assert budget.wait_for(1) == pytest.approx(10)
    budget.learn(points=1, size=100, per_second=50)  # the less of what both know counts
    assert budget.wait_for(100) == pytest.approx(100 / 50)


async def test_the_rate_that_a_seller_is_granted_counts() -> None:
    hand = Hand()
    budget = RequestBudget(1, 0.001, hand)
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers={"x-granted": "50"}))
    http = PlatformHttp("https://shop.example", {}, budget, transport=transport, rate_header="x-granted")
    await http.ask("GET", "/")
    assert budget.wait_for(1) == pytest.approx(0.02)
    await http.close()
