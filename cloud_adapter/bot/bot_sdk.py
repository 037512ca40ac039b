"""Imports the bot SDK without the packages that only the SDK's own HTTP clients need.

msrest and botframework-connector import aiohttp, oauthlib and requests_oauthlib, which takes a
quarter of the SDK's import time, for clients that this project replaces. While the SDK is imported,
these packages are replaced by stand-ins, each of which imports the real module on first use.

Two of the SDK's classes would harm the bot, so bots that import them get this project's: the SDK's
TeamsInfo blocks the event loop, and its ShowTypingMiddleware never stops after a turn that raised.
Its functions for conversation references are replaced, too: they address replies differently than
the SDKs for .NET and JavaScript do.
"""

import importlib
import logging
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

_DEFERRED: Mapping[str, Collection[str]] = {
    "aiohttp": {"ClientResponse"},
    "oauthlib.oauth2": (),
    "requests_oauthlib": (),
}
"""For each module, the names that the SDK uses in annotations while it is imported."""


def import_bot_sdk() -> None:
    """Import the SDK's packages, so that later imports find them, and replace what is wrong.

    Call this function before anything else imports a part of the SDK.
    """
    with deferred(_DEFERRED):
        from botbuilder import core
        from botbuilder.core import show_typing_middleware, teams
        from botbuilder.core.teams import teams_activity_handler, teams_info
        from botbuilder.schema import Activity

    from cloud_adapter.bot.typing_indicator import ShowTypingMiddleware
    from cloud_adapter.conversation_reference import (
        apply_conversation_reference,
        conversation_reference,
    )
    from cloud_adapter.teams_info import TeamsInfo

    for module in (teams, teams_activity_handler, teams_info):
        module.TeamsInfo = TeamsInfo
    for module in (core, show_typing_middleware):
        module.ShowTypingMiddleware = ShowTypingMiddleware
    core.TurnContext.get_conversation_reference = staticmethod(conversation_reference)
    core.TurnContext.apply_conversation_reference = staticmethod(apply_conversation_reference)
    Activity.get_conversation_reference = conversation_reference
    Activity.apply_conversation_reference = apply_conversation_reference
    logging.getLogger("msrest.serialization").addFilter(_is_not_of_action)


def _is_not_of_action(record: logging.LogRecord) -> bool:
    """Whether a log line is not of the invoke `adaptiveCard/action`.

    The SDK gives every property that the channel sends to a model without `trigger`, and msrest
    warns of each property that the model does not have, by the name that the caller sent.
    """
    from botbuilder.schema import AdaptiveCardInvokeValue

    return AdaptiveCardInvokeValue not in (record.args or ())


class DeferredModule(ModuleType):
    """Stands in for a module, and imports it on first use.

    Args:
        name: the module's name.
        annotations: names that the SDK uses only in annotations; while this object is in
            `sys.modules`, their use does not import the module.
    """

    def __init__(self, name: str, annotations: Collection[str] = ()) -> None:
        super().__init__(name)
        self._annotations = annotations

    def __getattr__(self, name: str) -> Any:
        """An attribute of the real module."""
        module = self.__name__
        if sys.modules.get(module) is self:
            if name in self._annotations:
                return Any
            del sys.modules[module]
        return getattr(importlib.import_module(module), name)


@contextmanager
def deferred(modules: Mapping[str, Collection[str]]) -> Iterator[None]:
    """Replace those of `modules` that are not imported yet with stand-ins.

    After the block, imports find the real modules. Code that has imported a stand-in keeps it.

    Args:
        modules: for each module name, the `annotations` (see DeferredModule).
    """
    stand_ins = {
        name: DeferredModule(name, annotations)
        for name, annotations in modules.items()
        if name not in sys.modules
    }
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name, stand_in in stand_ins.items():
            if sys.modules.get(name) is stand_in:
                del sys.modules[name]
