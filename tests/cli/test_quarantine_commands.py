"""`dom quarantine`: proposals are taken or rejected, messages alike replayed, rules made of repairs."""

import asyncio
import json

from dom.channels.corrections import FieldCorrection
from dom.channels.faults import FaultCode, MessageFault
from dom.channels.outcomes import MessageOutcome
from services.clock import utc_now
from store.database import engine as database
from store.inbox import corrections, messages
from store.inbox.messages import SettledMessage
from tests.cli.conftest import Dom
from tests.worlds.channel_messages import open_shop, send, told


def waits(url: str) -> None:
    """Two messages wait for the same SKU; of the first, two others are proposed."""
    fault = MessageFault(field="lines[0].sku", code=FaultCode.UNKNOWN_SKU, message="there is no SKU GONE", value="GONE")

    async def work() -> None:
        engine = database.create(url, 2)
        await open_shop(engine)
        for number in ("cli-1", "cli-2"):
            kept = await send(engine, told(number, GONE=1), number)
            async with engine.begin() as connection:
                await messages.settle(connection, kept.id, SettledMessage(MessageOutcome.QUARANTINED, faults=(fault,)))
        made = [
            FieldCorrection(field="lines[0].sku", before="GONE", after=after, rule="sku-similar", confidence=900)
            for after in ("A", "B")
        ]
        async with engine.begin() as connection:
            await corrections.record(connection, 1, "web", (), made, utc_now())
        await engine.dispose()

    asyncio.run(work())


def test_what_waits_is_listed_decided_and_replayed(dom: Dom, world_url: str) -> None:
    waits(world_url)
    assert "unknown-sku" in dom("quarantine", "list", "--channel", "web").stdout
    assert len(json.loads(dom("quarantine", "list", "--json").stdout)) == 2
    shown = json.loads(dom("quarantine", "show", "1", "--json").stdout)
    first, second = (each["id"] for each in shown["corrections"])
    assert "sku-similar" in dom("quarantine", "show", "1").stdout
    assert dom("quarantine", "reject", "1", str(second)).stdout == f"correction {second} is rejected\n"
    assert dom("quarantine", "accept", "1", str(first)).stdout == "message 1 waits for its turn\n"
    assert dom("quarantine", "accept", "1", str(second)).exit_code == 1
    like = ("--code", "unknown-sku", "--field", "lines[*].sku", "--value", "GONE", "--repair", "A")
    assert dom("quarantine", "replay-alike", "web", *like).stdout == "message 2: received\n1 replayed\n"
    assert json.loads(dom("inbox", "show", "2", "--json").stdout)["repairs"] == {"lines[0].sku": "A"}


def test_what_nobody_wants_is_dismissed(dom: Dom, world_url: str) -> None:
    waits(world_url)
    assert dom("quarantine", "dismiss", "1", "--reason", "a test", "--by", "kim").stdout == "message 1 is dismissed\n"
    shown = json.loads(dom("inbox", "show", "1", "--json").stdout)
    assert (shown["outcome"], shown["detail"]) == ("dismissed", "dismissed by kim: a test")
    assert len(json.loads(dom("quarantine", "list", "--json").stdout)) == 1
    assert dom("inbox", "replay", "1").stdout == "message 1 waits for its turn\n"
    assert dom("quarantine", "dismiss", "1", "--reason", "late").exit_code == 1


def test_a_rule_is_made_rehearsed_published_and_retired(dom: Dom, world_url: str) -> None:
    waits(world_url)
    rule = ("quarantine", "rule")
    made = dom(*rule, "make", "web", "--field", "lines[0].sku", "--before", "GONE", "--after", "A")
    assert made.stdout == "rule 1: lines[*].sku GONE -> A: rehearse it\n", made.output
    assert dom(*rule, "publish", "web", "1").exit_code == 1
    assert "mends: 2" in dom(*rule, "rehearse", "web", "1").stdout
    assert dom(*rule, "publish", "web", "1").stdout == "rule 1 is live\n"
    assert "GONE" in dom(*rule, "list", "web", "--status", "live").stdout
    assert dom(*rule, "retire", "web", "1").stdout == "rule 1 is retired\n"
    assert json.loads(dom(*rule, "list", "web", "--json").stdout)[0]["status"] == "retired"
