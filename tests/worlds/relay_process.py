"""A worker that does nothing but relay, in a process of its own, so that a test can kill it.

`python -m tests.worlds.relay_process DATABASE_URL TEMPORAL_ADDRESS TASK_QUEUE SMTP_PORT`
"""

import asyncio
import sys

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker

from activities.relaying import Relaying
from connectors.notifications.mail import MailSender
from dom.notifications.messages import Medium
from services.database import Database
from services.relay import RelayPace
from store.database import engine as database
from workflows.outbox_relay import OutboxRelayWorkflow

FROM = "Shop <orders@dom.example>"


async def main(database_url: str, temporal_address: str, task_queue: str, smtp_port: str) -> None:
    """Relay until somebody ends the process."""
    client = await Client.connect(temporal_address, data_converter=pydantic_data_converter)
    engine = database.create(database_url, 4)
    async with MailSender("127.0.0.1", int(smtp_port), FROM) as mail:
        relaying = Relaying(Database(engine=engine), {Medium.MAIL: mail}, pace=RelayPace(poll=0.5))
        worker = Worker(
            client, task_queue=task_queue, workflows=[OutboxRelayWorkflow], activities=[relaying.relay_outbox]
        )
        await worker.run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
