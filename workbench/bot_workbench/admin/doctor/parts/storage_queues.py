"""The bot's queues in its storage account, and how many messages each has."""

from bot_workbench.admin.azure.arm_client import ArmClient
from bot_workbench.admin.doctor.background_read import BackgroundRead
from bot_workbench.admin.doctor.parts.resources import NamedResource

NOTIFICATIONS_QUEUE = "bot-notifications"
QUEUES = ("bot-turns", NOTIFICATIONS_QUEUE)
POISON = "-poison"


def read_queues(arm: ArmClient, storage: BackgroundRead[NamedResource]) -> dict[str, int]:
    """The approximate number of messages by the queue's name; a queue that does not exist has none.

    Resource Manager knows it (REST reference, "Queue - Get": `approximateMessageCount`), so that
    no role on the account's data is needed.

    Raises:
        AzureProblem: they cannot be read.
    """
    account = storage.require()
    if not account.id:
        return {}
    counts: dict[str, int] = {}
    for name in (each + end for each in QUEUES for end in ("", POISON)):
        found = arm.find(f"{account.id}/queueServices/default/queues/{name}")
        if found is not None:
            counts[name] = int(found["properties"].get("approximateMessageCount") or 0)
    return counts
