"""A customer is asked by mail, and answers by a link without a login; whoever has no such link learns nothing."""

from __future__ import annotations

import email
import re
import string
from collections.abc import AsyncIterator
from datetime import timedelta
from email.message import EmailMessage
from email.policy import default
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from api.http.bodies import MAX_LINK_BYTES
from api.identity.rate_limits import LINK_QUOTA
from dom.shared.access import Limits, Role
from dom.sourcing.policy.answers import Slips
from services import customer_questions, question_answers
from services.change_orders import locked
from services.clock import utc_now
from services.customer_links import CustomerLinks
from services.database import Database
from settings import Settings
from tests.api.driving import Channel, new_number, order, problem, until
from tests.worlds.access import key_of

EVIL = "<script>alert(1)</script>\"'&"
PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def customer(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody with nothing but a browser, at an address of his own."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(new_number(), 1))
    async with httpx.AsyncClient(transport=transport, base_url="https://orders.example", timeout=30) as opened:
        yield opened


async def slipped(channel: Channel, engine: AsyncEngine, **changes: Any) -> str:
    """An order whose goods were not there when they were to be picked; its customer is asked."""
    sku = await channel.stocked_sku(5)
    named = {"id": sku, "weight_grams": 300, "length_mm": 100, "width_mm": 80, "height_mm": 60, "description": EVIL}
    assert (await channel.http.put(f"/v1/skus/{sku}", json=named)).status_code == 200
    order_id = await channel.place(order(sku, 5, **changes))
    found = [{"line_id": "1", "quantity": 0}]
    picked = await channel.step(f"{order_id}-F1", "pick", lines=found, reason_code="not_found")
    assert picked.status_code == 200, picked.text

    async def sourced() -> bool:
        events = (await channel.http.get(f"/v1/orders/{order_id}/timeline")).json()["events"]
        return [each["kind"] for each in events].count("sourced") == 1

    await until(sourced)
    database = Database(engine)
    async with engine.begin() as connection:
        state = await locked(connection, order_id)
        await customer_questions.see_to(database, connection, state, Slips(), utc_now())
    return order_id


async def link(engine: AsyncEngine, running: Settings, order_id: str) -> str:
    """The path of the order's link."""
    async with engine.connect() as connection:
        query = text("SELECT link_id FROM customer_questions WHERE order_id = :id")
        link_id = await connection.scalar(query, {"id": order_id})
    return f"/questions/{CustomerLinks('x', running.link_secret.get_secret_value()).token(str(link_id))}"


async def mailed(running: Settings, number: str, times: int = 1) -> list[EmailMessage]:
    """The mails that ask about an order."""

    async def look() -> list[EmailMessage] | None:
        files = sorted((running.data_dir).rglob("*.eml"))
        mails = [email.message_from_bytes(each.read_bytes(), policy=default) for each in files]
        asked = [each for each in mails if f"Your order {number}: we do not know" in str(each["Subject"])]
        return asked if len(asked) >= times else None

    found: list[EmailMessage] = await until(look)
    return found


def seen(page: httpx.Response) -> str:
    """What the page's form says that its reader saw."""
    (found,) = re.findall(r'name="seen" value="(\w{16})"', page.text)
    return str(found)


async def everything(engine: AsyncEngine, order_id: str) -> Any:
    """All that the store holds of the order's question, and how much has happened to the order."""
    async with engine.connect() as connection:
        question = "SELECT to_jsonb(q) FROM customer_questions q WHERE order_id = :id"
        events = "SELECT count(*) FROM timeline WHERE order_id = :id"
        return [await connection.scalar(text(query), {"id": order_id}) for query in (question, events)]


async def test_from_the_mail_to_the_end(
    channel: Channel, customer: httpx.AsyncClient, engine: AsyncEngine, running: Settings
) -> None:
    """Counted away after it was promised, asked by mail, answered in a browser, and cancelled."""
    order_id = await slipped(channel, engine)
    waits = (await channel.get(order_id))["waits_for"][0]
    assert (waits["what"], waits["who"], waits["units"], waits["question_id"]) == (
        "answer", "customer", 5, f"{order_id}-Q1",
    )  # fmt: skip
    (mail,) = await mailed(running, order_id.partition("-")[2])
    plain = mail.get_body(("plain",))
    assert plain is not None
    (address,) = re.findall(r"https://orders\.example/questions/[\w-]{65}\b", plain.get_content())
    page = await customer.get(address, headers=PAGE)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert re.findall(r'name="answer" value="(\w+)"', page.text) == ["wait", "cancel"]
    done = await customer.post(address, headers=PAGE | FORM, content=f"seen={seen(page)}&answer=cancel")
    assert (done.status_code, "You chose to cancel" in done.text) == (200, True)
    found = await channel.until_order(order_id, "cancelled")
    assert found["lines"][0]["cancelled"] == 5
    kinds = [each["kind"] for each in (await channel.http.get(f"/v1/orders/{order_id}/timeline")).json()["events"]]
    assert kinds[-3:] == ["customer_asked", "cancelled", "customer_answered"]
    assert [(await customer.post(address, json={"answer": each})).status_code for each in ("cancel", "wait")] == [
        200, 409,
    ]  # fmt: skip
    resent = next(each for each in found["messages"] if each["kind"] == "promise_slipped")["id"]
    assert (await channel.http.post(f"/v1/messages/{resent}/resend", json={})).status_code in {200, 201}
    second = (await mailed(running, order_id.partition("-")[2], times=2))[1].get_body(("plain",))
    assert second is not None
    assert address in second.get_content()


async def test_reading_changes_nothing(
    channel: Channel, customer: httpx.AsyncClient, engine: AsyncEngine, running: Settings
) -> None:
    order_id = await slipped(channel, engine)
    path = await link(engine, running, order_id)
    before = await everything(engine, order_id)
    for query in ("", "?answer=cancel"):
        for headers in (PAGE, {}):
            assert (await customer.get(path + query, headers=headers)).status_code == 200
    for method in ("HEAD", "PUT", "DELETE", "PATCH"):
        assert (await customer.request(method, path)).status_code == 405
    assert await everything(engine, order_id) == before


async def test_it_tells_what_is_late_and_nothing_else(
    channel: Channel, customer: httpx.AsyncClient, engine: AsyncEngine, running: Settings
) -> None:
    order_id = await slipped(channel, engine)
    shown = await customer.get(await link(engine, running, order_id))
    assert set(shown.json()) == {
        "status", "order_number", "lines", "promised", "expected", "choices", "swap", "silence", "answer_by", "answer",
        "says", "seen",
    }  # fmt: skip
    page = await customer.get(await link(engine, running, order_id), headers=PAGE)
    said = (shown.text + page.text).replace(shown.json()["seen"], "")  # any digits can stand in that
    for secret in ("Ada", "Mill Lane", "LS1", "customer.example", "447700", "255"):
        assert secret not in said
    assert EVIL not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
    assert "<script" not in page.text
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "http" not in page.text.replace("https://orders.example", "")
    assert [page.headers[name] for name in ("cache-control", "referrer-policy", "x-frame-options")] == [
        "no-store", "no-referrer", "DENY",
    ]  # fmt: skip


async def test_no_token_can_be_guessed(
    channel: Channel, customer: httpx.AsyncClient, engine: AsyncEngine, running: Settings
) -> None:
    """Not with the id of the question, not with the id of the link, nor with any letter of the token changed."""
    order_id = await slipped(channel, engine)
    path = await link(engine, running, order_id)
    token = path.rpartition("/")[2]
    letters = string.ascii_letters + string.digits + "-_"
    changed = [
        token[:at] + next(each for each in letters if each != token[at]) + token[at + 1 :] for at in range(len(token))
    ]
    guesses = [*changed, token[:22], f"{order_id}-Q1", token + "A", token[:-1], "%00", "é" * 65, "." * 150]
    assert len(token) == 65
    for guess in guesses:
        for answered in (await customer.get(f"/questions/{guess}"),):
            assert answered.status_code in {404, 422}, guess
    refused = await customer.post(f"/questions/{changed[30]}", json={"answer": "cancel"})
    problem(refused, 404, "not-found")
    assert (await customer.get(f"/questions/{changed[3]}", headers=PAGE)).status_code == 404
    assert (await everything(engine, order_id))[0]["status"] == "open"


async def test_what_is_no_answer_is_refused(
    channel: Channel, customer: httpx.AsyncClient, engine: AsyncEngine, running: Settings
) -> None:
    order_id = await slipped(channel, engine)
    path = await link(engine, running, order_id)
    before = await everything(engine, order_id)
    for body in (b"{}", b'{"answer": "refund"}', b'{"answer": "wait", "answer": "cancel"}', b"[", b"\xff", b"null"):
        sent = await customer.post(path, content=body, headers={"Content-Type": "application/json"})
        assert (sent.status_code, sent.json()["type"]) == (422, "/problems/invalid-input"), body
    for form in ("", "answer=", "answer=wait&answer=cancel", "other=1", "answer=%00", EVIL):
        sent = await customer.post(path, content=form.encode(), headers=FORM)
        problem(sent, 422, "invalid-input", "answer")
        assert (await customer.post(path, content=form.encode(), headers=FORM | PAGE)).status_code == 422
    problem(
        await customer.post(path, content=b"wait", headers={"Content-Type": "text/plain"}),
        415,
        "unsupported-media-type",
    )
    huge = await customer.post(path, content=b"answer=wait&x=" + b"a" * MAX_LINK_BYTES, headers=FORM)
    problem(huge, 413, "body-too-large")
    refused = await customer.post(path, json={"answer": "swap"})
    assert problem(refused, 409, "conflict", "answer")["data"] == {"choices": ["wait", "cancel"]}
    assert await everything(engine, order_id) == before


async def test_an_answer_is_to_what_was_seen(
    channel: Channel, customer: httpx.AsyncClient, engine: AsyncEngine, running: Settings
) -> None:
    """The page was opened while five units were late; of four, and of another day, its reader knows nothing."""
    order_id = await slipped(channel, engine)
    path = await link(engine, running, order_id)
    opened = await customer.get(path, headers=PAGE)
    one_less = {"lines": [{"line_id": "1", "quantity": 1}]}
    assert (await channel.http.post(f"/v1/orders/{order_id}/cancel", json=one_less)).status_code == 200
    async with engine.begin() as connection:
        await customer_questions.see_to(
            Database(engine), connection, await locked(connection, order_id), Slips(), utc_now()
        )
    before = await everything(engine, order_id)
    for content in (f"seen={seen(opened)}&answer=cancel", "answer=cancel"):
        stale = await customer.post(path, headers=PAGE | FORM, content=content)
        assert (stale.status_code, "Something has changed since you opened this page." in stale.text) == (409, True)
        assert re.findall(r"<td>(\d+)</td>", stale.text) == ["4"], "it shows how things stand"
    told = {"answer": "cancel", "seen": seen(opened)}
    problem(await customer.post(path, json=told), 409, "stale", "seen")
    staff = f"/v1/customer-questions/{order_id}-Q1/answer"
    problem(await channel.http.post(staff, json=told), 409, "stale", "seen")
    assert await everything(engine, order_id) == before
    listed = await channel.http.get("/v1/customer-questions", params={"order": order_id})
    assert listed.json()["items"][0]["seen"] == seen(stale)
    done = await customer.post(path, headers=PAGE | FORM, content=f"seen={seen(stale)}&answer=cancel")
    assert (done.status_code, "You chose to cancel" in done.text) == (200, True)
    again = await customer.post(path, headers=PAGE | FORM, content=f"seen={seen(opened)}&answer=cancel")
    assert again.status_code == 200, "it is done, whatever was seen"
    await channel.until_order(order_id, "cancelled")


async def test_once_it_has_ended_the_page_says_where_things_stand(
    channel: Channel, customer: httpx.AsyncClient, engine: AsyncEngine, running: Settings
) -> None:
    order_id = await slipped(channel, engine)
    path = await link(engine, running, order_id)
    await question_answers.expire(Database(engine), utc_now() + timedelta(days=4))
    late = await customer.post(path, headers=PAGE | FORM, content="answer=cancel")
    assert (late.status_code, "<button" in late.text) == (409, False)
    assert "The time to answer is over. The goods come as soon as we have them." in late.text
    problem(await customer.post(path, json={"answer": "wait"}), 409, "question-ended")


async def test_too_much_from_one_address_is_refused(customer: httpx.AsyncClient, app: FastAPI) -> None:
    answers: list[int] = []
    while 429 not in answers and len(answers) < 5 * LINK_QUOTA:  # while he asks, the time gives him some more
        answers.append((await customer.get("/questions/none")).status_code)
    assert answers[-1] == 429
    assert answers[:-1] == [404] * (len(answers) - 1)
    assert len(answers) > LINK_QUOTA


async def test_no_token_stands_in_a_log_a_list_or_the_database(
    channel: Channel, customer: httpx.AsyncClient, engine: AsyncEngine, running: Settings
) -> None:
    with capture_logs() as logs:
        order_id = await slipped(channel, engine)
        path = await link(engine, running, order_id)
        await customer.get(path)
        await customer.post(path, json={"answer": "wait"})
    token = path.rpartition("/")[2]
    listed = [
        await channel.http.get(f"/v1/{each}", params={"order": order_id}) for each in ("customer-questions", "messages")
    ]
    shown = [each.text for each in (*listed, await channel.http.get(f"/v1/orders/{order_id}"))]
    async with engine.connect() as connection:
        kept = await connection.scalar(
            text("SELECT string_agg(o::text, '') FROM outbox o WHERE order_id = :id"), {"id": order_id}
        )
    for where in (str(logs), *shown, str(kept), str(running), str(await everything(engine, order_id))):
        assert token not in where
        assert token[22:] not in where


async def test_staff_and_channels_answer_in_the_customers_name(channel: Channel, engine: AsyncEngine) -> None:
    order_id = await slipped(channel, engine)
    url = f"/v1/customer-questions/{order_id}-Q1/answer"
    listed = await channel.http.get("/v1/customer-questions", params={"order": order_id, "status": "open"})
    assert [each["question_id"] for each in listed.json()["items"]] == [f"{order_id}-Q1"]
    other = await key_of(engine, Role.CHANNEL, Limits.of(channels=["till"]), name="another till")
    problem(await channel.http.post(url, json={"answer": "cancel"}, headers=other), 404, "not-found")
    at_node = await key_of(engine, Role.SUPPORT, Limits.of(nodes=["dc-daventry"]), name="support of a node")
    problem(await channel.http.post(url, json={"answer": "cancel"}, headers=at_node), 403, "forbidden")
    own = await key_of(engine, Role.CHANNEL, Limits.of(channels=["web"]), name="the web shop")
    answer = {"answer": "cancel", "reason": "said so on the phone"}
    done = await channel.http.post(url, json=answer, headers=own)
    assert (done.status_code, done.json()["ended_by"], done.json()["reason"]) == (
        200, "the web shop", "said so on the phone",
    )  # fmt: skip
    assert (await channel.http.post(url, json=answer)).json() == done.json()
    ended = problem(await channel.http.post(url, json={"answer": "wait"}), 409, "question-ended")
    assert ended["data"] == {"status": "answered", "answer": "cancel"}
    await channel.until_order(order_id, "cancelled")
