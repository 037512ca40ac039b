"""Turns of an app in Queued mode that failed, as a test makes them and looks at them."""

from dataclasses import replace

from cloud_adapter.queued.inbox import StoredActivity
from cloud_adapter.queued.queued_turns import POISON_QUEUE
from cloud_adapter.queued.set_aside import CONTAINER, SetAsideActivities
from cloud_adapter.queued.wake_up import WakeUp
from cloud_adapter.storage.blobs import BlobContainer
from cloud_adapter.storage.queue import MessageQueue
from tests.support.bots.composed_app import ComposedApp


def retry_of(message: str) -> str:
    """The wake-up message for the next attempt at the activity that a wake-up message names."""
    wake_up = WakeUp.parse(message)
    return WakeUp(f"{wake_up.conversation}/{wake_up.activities[0]}").text


def set_aside(app: ComposedApp) -> SetAsideActivities:
    """The set-aside activities of an app in Queued mode."""
    account = app.parts.account
    assert account
    return SetAsideActivities(
        BlobContainer(account, CONTAINER), MessageQueue(account, POISON_QUEUE)
    )


async def attempted(app: ComposedApp, message: str, attempts: int) -> str:
    """Count attempts at a turn; returns the wake-up message for the next one."""
    if not attempts:
        return message
    assert app.parts.account
    wake_up = WakeUp.parse(message)
    blobs = BlobContainer(app.parts.account, CONTAINER)
    inbox = await blobs.read(f"inbox/{wake_up.conversation}")
    assert inbox
    stored = StoredActivity.of_record(wake_up.conversation, inbox.content)
    await set_aside(app).write(replace(stored, attempts=attempts))
    return retry_of(message)
