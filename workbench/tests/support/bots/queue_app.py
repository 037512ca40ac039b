"""QueueApp: a function app with a queue trigger, which records its messages."""

import base64
import json
from pathlib import Path
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from tests.support.timing.condition import until

APP = """
import asyncio
import json
import os
import sys
import time

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
PID = os.getpid()


def note(**seen):
    with open(os.environ["Seen"], "a") as file:
        file.write(json.dumps({"pid": PID, **seen}) + "\\n")


async def released():
    while not os.path.exists(os.environ["Released"]):
        await asyncio.sleep(0.02)


@app.queue_trigger(arg_name="message", queue_name="%QueueName%", connection="AzureWebJobsStorage")
async def take(message: func.QueueMessage) -> None:
    text = message.get_body().decode()
    times = (message.insertion_time, message.expiration_time, message.time_next_visible)
    note(
        text=text,
        id=message.id,
        pop_receipt=message.pop_receipt,
        dequeue_count=message.dequeue_count,
        times=[(type(each).__name__, each.isoformat()) for each in times],
    )
    if text == "bad":
        raise ValueError("what the app says of it")
    if text == "endless":
        await asyncio.sleep(60)
    if text == "blocking":
        time.sleep(60)
    if text == "held":
        await released()
        note(text="held to its end")


@app.queue_trigger(
    arg_name="message", queue_name="bytes", connection="AzureWebJobsStorage", data_type="BINARY"
)
async def take_bytes(message: func.QueueMessage) -> None:
    note(text=message.get_body().hex())


@app.route(route="pid")
async def pid(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(str(PID))


@app.route(route="held")
async def held(req: func.HttpRequest) -> func.HttpResponse:
    note(text="held call")
    await released()
    return func.HttpResponse("held to its end")


@app.route(route="endless")
async def endless(req: func.HttpRequest) -> func.HttpResponse:
    note(text="endless call")
    await asyncio.sleep(60)
"""


class QueueApp:
    """An app folder and its queue, `Work` in the code and `work` in the storage.

    Args:
        folder: empty; for the app and its records.
        storage: connection string.
        queues: host.json's extensions.queues, added to a short polling interval.
        certificate: of the authority that signed the storage's certificate; None: plain HTTP.
    """

    def __init__(
        self,
        folder: Path,
        storage: str,
        queues: dict[str, Any] | None = None,
        certificate: Path | None = None,
    ) -> None:
        self.folder = folder
        self._seen = folder / "seen.jsonl"
        self._seen.touch()
        (folder / "function_app.py").write_text(APP)
        section = {"maxPollingInterval": "00:00:00.1", **(queues or {})}
        (folder / "host.json").write_text(json.dumps({"extensions": {"queues": section}}))
        self.settings = {
            "AzureWebJobsStorage": storage,
            "QueueName": "Work",
            "Seen": str(self._seen),
            "Released": str(folder / "released"),
        }
        """The app's environment."""
        self.queue, self.poison = (
            QueueClient.from_connection_string(
                storage, name, connection_verify=str(certificate) if certificate else True
            )
            for name in ("work", "work-poison")
        )
        self.queue.create_queue()

    def close(self) -> None:
        """Close the connections."""
        self.queue.close()
        self.poison.close()

    def send(self, text: str) -> None:
        """Put a message into the queue."""
        self.queue.send_message(base64.b64encode(text.encode()).decode())

    def send_bytes(self, queue: str, content: bytes) -> None:
        """Put a message into another queue of the app, which is created."""
        with QueueClient.from_connection_string(
            self.settings["AzureWebJobsStorage"], queue
        ) as client:
            client.create_queue()
            client.send_message(base64.b64encode(content).decode())

    def release(self) -> None:
        """Let the calls and messages that are held go on to their end."""
        (self.folder / "released").touch()

    def seen(self, text: str) -> list[dict[str, Any]]:
        """The app's records of messages with this text."""
        lines = [json.loads(line) for line in self._seen.read_text().splitlines()]
        return [line for line in lines if line["text"] == text]

    def until_seen(self, text: str, times: int = 1) -> list[dict[str, Any]]:
        """Wait until the app has recorded a text so many times."""
        until(lambda: len(self.seen(text)) >= times)
        return self.seen(text)

    @staticmethod
    def count(queue: QueueClient) -> int:
        """The number of messages in a queue, hidden ones included; 0 when it is missing."""
        try:
            return queue.get_queue_properties().approximate_message_count or 0
        except ResourceNotFoundError:
            return 0
