"""The app's parts that make spans, in place of those that do not.

Where telemetry is on, the composition creates these classes, with the same arguments. So the parts
themselves know nothing of telemetry, and without it, none of this is imported.
"""

import importlib

PARTS = {
    "BotAuthentication": "authentication",
    "CloudAdapter": "adapter",
    "ConnectorSession": "connector",
    "ConversationLocks": "state",
    "HttpPool": "http_pool",
    "MessageQueue": "message_queue",
    "Notifications": "notifications",
    "QueuedTurns": "queued_turns",
    "SkillReplies": "skills",
    "TokenProvider": "token_provider",
}
"""For each class, the module of its subclass, which is called Traced and the name of the class. It
is imported when it is needed, because the warm-up creates the parts one after the other."""


def traced[Part](part: type[Part]) -> type[Part]:
    """The subclass of a class that makes spans; its constructor has the same arguments."""
    module = importlib.import_module(f"{__package__}.{PARTS[part.__name__]}")
    found: type[Part] = getattr(module, f"Traced{part.__name__}")
    return found
