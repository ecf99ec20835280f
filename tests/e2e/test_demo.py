"""`dom demo` from start to end, and `dom up` over a stop in the middle of an order's life."""

from __future__ import annotations

import json
import re

import httpx
import psutil
import pytest

from tests.e2e.walking import FIRST_ORDER, Walk
from tests.worlds.stack import RunningStack, until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("stack")]

ORDERS = 60


class TestDemo:
    def test_every_order_ends_and_the_books_agree(self, stack: RunningStack) -> None:
        demo = stack.begin("demo", "--orders", str(ORDERS), "--exit")
        family: set[psutil.Process] = set()

        def over() -> bool:
            if demo.poll() is None:
                family.update(psutil.Process(demo.pid).children(recursive=True))
            return demo.poll() is not None

        until("the demo ends", over, 180)
        said = stack.said("demo")
        assert demo.returncode == 0, said
        assert f"Every one of the {ORDERS} orders reached a final state." in said
        assert not re.search(r"\w\(\w+=", said), "no object is printed as it is"
        assert len(family) > 5, "PostgreSQL, Temporal, mail, worker, API and the demo ran"
        assert not [process for process in family if process.is_running()], "none of them is left"

        check = stack.dom("stock", "check")
        assert check.returncode == 0, check.stdout
        assert re.search(r"reserved\D+0\D+0\D+0\D", check.stdout), check.stdout
        assert "agree" in check.stdout
        assert not stack.folder.is_held(), "the database started for the check is gone again"


class TestStopAndStart:
    def test_an_order_goes_on_where_it_stood(self, stack: RunningStack) -> None:
        stack.up()
        with httpx.Client(base_url=stack.url, timeout=30, headers=stack.headers) as client:
            before = Walk(client, client.post("/v1/orders", json=FIRST_ORDER).raise_for_status().json()["order_id"])
            before.step("accept")
            before.until_fulfilment("accepted")
        assert stack.stop() == 0
        assert not stack.folder.is_held()
        assert stack.dom("order", before.order_id).returncode == 0, "the data is kept"

        stack.up()
        with httpx.Client(base_url=stack.url, timeout=30, headers=stack.headers) as client:
            after = Walk(client, before.order_id)
            assert after.fulfilment()["status"] == "accepted"
            after.to_delivered()
            again = client.post("/v1/orders", json=FIRST_ORDER)
            assert again.status_code == 200
            assert again.json()["status"] == "delivered"
            assert json.dumps(after.events()).count('"fulfilment_accepted"') == 1
        until("the last mail is there", lambda: len(stack.mails()) == 3)
        assert len({mail["Message-ID"] for mail in stack.mails()}) == 3
        assert stack.dom("stock", "check").returncode == 0
        assert stack.stop() == 0
