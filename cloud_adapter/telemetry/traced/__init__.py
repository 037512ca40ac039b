"""The app's parts that make spans, in place of those that do not.

Where telemetry is on, the composition creates these classes, with the same arguments. So the parts
themselves know nothing of telemetry, and without it, none of this is imported.
"""

import importlib

PARTS = {
    "HttpPool": "warm_up",
    "TokenProvider": "warm_up",
    "BotAuthentication": "turns",
    "CloudAdapter": "turns",
    "ConnectorSession": "turns",
    "ConversationLocks": "turns",
    "MessageQueue": "turns",
    "Notifications": "turns",
    "QueuedTurns": "turns",
    "SkillReplies": "turns",
}
"""For each class, the module of its subclass, which is called Traced and the name of the class. It
is imported when it is needed: `turns` imports the bot SDK, which the warm-up does after its first
steps."""


def traced[Part](part: type[Part]) -> type[Part]:
    """The subclass of a class that makes spans; its constructor has the same arguments."""
    module = importlib.import_module(f"{__package__}.{PARTS[part.__name__]}")
    found: type[Part] = getattr(module, f"Traced{part.__name__}")
    return found
