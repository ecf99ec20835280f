"""`dom quarantine`: what waits for a person, what is proposed for it, and rules made of repairs."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.calling import console, environment, problems_as_one_line
from cli.refusals import refusals_in_words
from cli.staff_writing import audited
from dom.channels.correction_rules import RuleStatus
from dom.channels.faults import FaultCode
from dom.channels.outcomes import MessageOutcome

if TYPE_CHECKING:
    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from services.database import Database

app = typer.Typer(no_args_is_help=True, help="What waits for a person: faults, proposals, replay, rules of repairs.")
rule_app = typer.Typer(no_args_is_help=True, help="Rules made of repairs: rehearsed on what came before they act.")
app.add_typer(rule_app, name="rule")

Number = Annotated[int, typer.Argument(min=1, help="The message's number, as `dom quarantine list` gives it.")]
CorrectionNumber = Annotated[int, typer.Argument(min=1, help="The correction's, as `dom quarantine show` gives it.")]
RuleNumber = Annotated[int, typer.Argument(min=1, help="The rule's number, as `dom quarantine rule list` gives it.")]
ChannelCode = Annotated[str, typer.Argument(help="The channel's code.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of a table.")]
By = Annotated[str, typer.Option("--by", help="Who does it; kept in the audit log.", envvar="USER")]


@app.command("list")
def list_waiting(
    *,
    channel: Annotated[str | None, typer.Option("--channel", help="Only this channel's.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many messages, the newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Messages in quarantine, a row for each fault, with what is proposed."""
    from cli.tables import numbers
    from store.inbox import messages

    channels = None if channel is None else [channel]
    found = _read(
        lambda connection: messages.find(
            connection, channels=channels, outcomes=[MessageOutcome.QUARANTINED], number=None, before=None, limit=limit
        ),
        as_json=as_json,
    )
    if as_json:
        print(json.dumps([dict(row) for row in found], default=str, indent=2))
        return
    columns = ("message", "channel", "order", "severity", "field", "code", "value", "proposed")
    listed = (
        (
            row["id"],
            row["channel"],
            row["order_number"],
            fault.get("severity", "error"),
            fault["field"],
            fault["code"],
            fault["value"],
            ", ".join(str(each["value"]) for each in fault.get("proposals", ())),
        )
        for row in found
        for fault in row["faults"]
    )
    console().print(numbers(f"{len(found)} messages", columns, (), listed))


@app.command()
def show(message: Number, as_json: AsJson = False) -> None:
    """What was corrected of a message and what is proposed, each with its number."""
    from cli.tables import numbers
    from store.inbox import corrections, messages

    async def both(connection: AsyncConnection) -> tuple[RowMapping, Any]:
        row = await messages.get(connection, message, None)
        return row, await corrections.of_messages(connection, [message])

    row, found = _read(both, as_json=as_json)
    if as_json:
        shown = {
            name: row[name] for name in ("id", "channel", "order_number", "outcome", "detail", "faults", "repairs")
        }
        print(json.dumps({**shown, "corrections": [dict(each) for each in found]}, default=str, indent=2))
        return
    console().print(f"message {message} is {row['outcome']}: {row['detail']}", markup=False)
    columns = ("correction", "field", "before", "after", "rule", "per mille", "status", "why")
    listed = (
        (each["id"], each["field"], each["before"], each["after"], each["rule"], each["confidence"], each["status"],
         each["why"])
        for each in found
    )  # fmt: skip
    console().print(numbers(f"{len(found)} corrections", columns, (), listed))


@app.command()
def accept(message: Number, correction: CorrectionNumber, by: By = "operator") -> None:
    """Accept a proposal: it becomes a repair, and the message has its turn once more."""
    from services import channel_corrections

    replayed = _write(
        "accept",
        f"{message}/{correction}",
        by,
        lambda database: channel_corrections.accept(database, message, correction, by),
    )
    waits = replayed.outcome is MessageOutcome.RECEIVED
    print(f"message {message} " + ("waits for its turn" if waits else f"is {replayed.outcome}"))


@app.command()
def reject(message: Number, correction: CorrectionNumber, by: By = "operator") -> None:
    """Say that a correction is wrong: it is not made, nor proposed, of this message any more."""
    from services import channel_corrections

    _write(
        "reject",
        f"{message}/{correction}",
        by,
        lambda database: channel_corrections.reject(database, message, correction, by),
    )
    print(f"correction {correction} is rejected")


@app.command()
def dismiss(
    message: Number,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the message.")],
    by: By = "operator",
) -> None:
    """Make nothing of a message in quarantine. It can be replayed still."""
    from services import channel_inbox

    _write("dismiss", str(message), by, lambda database: channel_inbox.dismiss(database, message, reason, by))
    print(f"message {message} is dismissed")


@app.command("replay-alike")
def replay_alike(
    channel: ChannelCode,
    *,
    code: Annotated[FaultCode, typer.Option("--code", help="The fault that they have.")],
    field: Annotated[str, typer.Option("--field", help="The field at fault; lines[*].sku is that of any line.")],
    value: Annotated[str, typer.Option("--value", help="What stands there, as the fault has it.")],
    repair: Annotated[
        str | None, typer.Option("--repair", help="What is to stand there; none: they are read again as they are.")
    ] = None,
    after: Annotated[int, typer.Option("--after", min=0, help="Only messages with a higher number.")] = 0,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="How many at most, the oldest first.")] = 100,
    by: By = "operator",
) -> None:
    """Take in all messages with the same fault once more, with the same value in place of it."""
    from services import channel_quarantine
    from services.channel_quarantine import FaultAlike

    fault = FaultAlike(channel, code, field, value)
    done = _write(
        "replay-alike",
        channel,
        by,
        lambda database: channel_quarantine.replay_alike(
            database, fault, () if repair is None else (repair,), after=after, limit=limit
        ),
    )
    for each in done.items:
        print(f"message {each.id}: {each.problem or each.outcome}")
    print(f"{len(done.items)} replayed" + ("; there are more" if done.more else ""))


# --- rules -----------------------------------------------------------------------------------------------------------


@rule_app.command("list")
def list_rules(
    channel: ChannelCode,
    *,
    status: Annotated[RuleStatus | None, typer.Option("--status", help="Only those that stand so.")] = None,
    as_json: AsJson = False,
) -> None:
    """Rules of a channel, the newest first."""
    from cli.tables import numbers
    from store.inbox import correction_rules

    found = _read(lambda connection: correction_rules.find(connection, channel, status, None, 1000), as_json=as_json)
    if as_json:
        print(json.dumps([dict(row) for row in found], default=str, indent=2))
        return
    columns = ("rule", "field", "before", "after", "status", "by")
    console().print(
        numbers(f"{len(found)} rules", columns, (), ([row[name] for name in
                ("id", "field", "before", "after", "status", "changed_by")] for row in found))
    )  # fmt: skip


@rule_app.command()
def make(
    channel: ChannelCode,
    *,
    field: Annotated[str, typer.Option("--field", help="The field; that of one line stands for that of every line.")],
    before: Annotated[str | None, typer.Option("--before", help="What stands there.")] = None,
    after: Annotated[str | None, typer.Option("--after", help="What is meant by it.")] = None,
    message: Annotated[
        int | None, typer.Option("--message", min=1, help="A message in which the field was repaired.")
    ] = None,
    comment: Annotated[str, typer.Option("--comment", help="Why; kept with the rule.")] = "",
    by: By = "operator",
) -> None:
    """Make a rule of a repair. It does not act before it was rehearsed and published."""
    from services import channel_rules
    from services.channel_rules import RuleAsked
    from store import channels

    asked = RuleAsked(field, before, after, has_after=after is not None, message_id=message, comment=comment)

    async def work(database: Database) -> Any:
        async with database.transaction() as connection:
            await channels.get(connection, channel)
            return await channel_rules.make(connection, channel, asked, by)

    row = _write("rule make", channel, by, work)
    print(f"rule {row['id']}: {row['field']} {row['before']} -> {row['after']}: rehearse it")


@rule_app.command()
def rehearse(channel: ChannelCode, rule: RuleNumber, by: By = "operator") -> None:
    """Try a rule on the messages of the last 30 days: what it would mend, and what it contradicts."""
    from services import channel_rules

    row = _write("rule rehearse", f"{channel}/{rule}", by, lambda base: channel_rules.rehearse(base, channel, rule, by))
    told = row["rehearsal"]
    print(f"{told['looked_at']} messages looked at" + ("" if told["complete"] else "; there are more"))
    for kind, count in sorted(told["counts"].items()):
        print(f"{kind.replace('_', ' ')}: {count}")
    for each in told["examples"]:
        taken = f", taken in with {each['taken']}" if each["taken"] is not None else ""
        print(f"message {each['id']} ({each['outcome']}): {each['kind'].replace('_', ' ')} at {each['field']}{taken}")


@rule_app.command()
def publish(
    channel: ChannelCode,
    rule: RuleNumber,
    *,
    despite: Annotated[
        bool, typer.Option("--despite-contradictions", help="It is meant although messages were taken in otherwise.")
    ] = False,
    by: By = "operator",
) -> None:
    """Let a rule that was rehearsed act from the next message on."""
    from services import channel_rules

    async def work(database: Database) -> Any:
        async with database.transaction() as connection:
            return await channel_rules.publish(connection, channel, rule, by, despite_contradictions=despite)

    row = _write("rule publish", f"{channel}/{rule}", by, work)
    print(f"rule {rule} is {row['status']}")


@rule_app.command()
def retire(channel: ChannelCode, rule: RuleNumber, by: By = "operator") -> None:
    """Let a rule act no more; what it corrected stays."""
    from services import channel_rules

    async def work(database: Database) -> Any:
        async with database.transaction() as connection:
            return await channel_rules.retire(connection, channel, rule, by)

    row = _write("rule retire", f"{channel}/{rule}", by, work)
    print(f"rule {rule} is {row['status']}")


def _read(work: Callable[[AsyncConnection], Awaitable[Any]], *, as_json: bool) -> Any:
    from cli.records import in_database

    with problems_as_one_line(), refusals_in_words(as_json=as_json):
        return in_database(*environment(), work)


def _write(what: str, target: str, by: str, work: Callable[[Database], Awaitable[Any]]) -> Any:
    """Do it, and write it into the audit log."""
    from cli.records import on_database
    from services.database import Database as Base
    from store.access import audit

    entry = audited(f"dom quarantine {what}", target, by)

    async def both(engine: AsyncEngine) -> Any:
        done = await work(Base(engine))
        async with engine.begin() as connection:
            await audit.write(connection, entry)
        return done

    with problems_as_one_line(), refusals_in_words():
        return on_database(*environment(), both)
