"""What spans say of a queue. Source: OpenTelemetry's conventions for messaging spans."""

SYSTEM = "azure_queue_storage"
"""The conventions have no value for queues of Azure Storage, and allow others."""


def queue_attributes(queue: str, operation: str) -> dict[str, str]:
    """The attributes of a span.

    Args:
        queue: its name.
        operation: `send` or `process`.
    """
    return {
        "messaging.system": SYSTEM,
        "messaging.destination.name": queue,
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
    }
