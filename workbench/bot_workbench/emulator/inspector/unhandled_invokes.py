"""Which method of TeamsActivityHandler a bot has to write for an invoke that nothing handles.

Source: botbuilder-core, on_invoke_activity of TeamsActivityHandler and ActivityHandler.
"""

from collections.abc import Mapping
from typing import Any

METHODS = {
    "": "on_teams_card_action_invoke",
    "actionableMessage/executeAction": "on_teams_o365_connector_card_action",
    "adaptiveCard/action": "on_adaptive_card_invoke",
    "composeExtension/anonymousQueryLink": "on_teams_anonymous_app_based_link_query",
    "composeExtension/fetchTask": "on_teams_messaging_extension_fetch_task",
    "composeExtension/onCardButtonClicked": "on_teams_messaging_extension_card_button_clicked",
    "composeExtension/query": "on_teams_messaging_extension_query",
    "composeExtension/queryLink": "on_teams_app_based_link_query",
    "composeExtension/querySettingUrl": (
        "on_teams_messaging_extension_configuration_query_settings_url"
    ),
    "composeExtension/selectItem": "on_teams_messaging_extension_select_item",
    "composeExtension/setting": "on_teams_messaging_extension_configuration_setting",
    "composeExtension/submitAction": "on_teams_messaging_extension_submit_action",
    "config/fetch": "on_teams_config_fetch",
    "config/submit": "on_teams_config_submit",
    "fileConsent/invoke": "on_teams_file_consent",
    "signin/tokenExchange": "on_teams_signin_token_exchange",
    "signin/verifyState": "on_teams_signin_verify_state",
    "tab/fetch": "on_teams_tab_fetch",
    "tab/submit": "on_teams_tab_submit",
    "task/fetch": "on_teams_task_module_fetch",
    "task/submit": "on_teams_task_module_submit",
}
"""The method by the invoke's name. An invoke without a name is a card's action."""

METHODS_BY_VALUE = {
    ("composeExtension/submitAction", "botMessagePreviewAction", "edit"): (
        "on_teams_messaging_extension_bot_message_preview_edit"
    ),
    ("composeExtension/submitAction", "botMessagePreviewAction", "send"): (
        "on_teams_messaging_extension_bot_message_preview_send"
    ),
    ("fileConsent/invoke", "action", "accept"): "on_teams_file_consent_accept",
    ("fileConsent/invoke", "action", "decline"): "on_teams_file_consent_decline",
}
"""The method by name, and by a property of the invoke's value."""

OTHER = "on_invoke_activity"
"""Gets every invoke, and returns an InvokeResponse to those that have no method of their own."""

NOT_IMPLEMENTED = 501


def method_for(name: str, value: object) -> str:
    """The method that handles an invoke of that name and value."""
    fields: Mapping[str, Any] = value if isinstance(value, dict) else {}
    for (of, field, expected), method in METHODS_BY_VALUE.items():
        if of == name and fields.get(field) == expected:
            return method
    return METHODS.get(name, OTHER)


def hint_for(activity: Mapping[str, Any], status: int) -> str:
    """The code with which the bot would handle an activity; empty: it does.

    Args:
        activity: as it was delivered.
        status: of the bot's answer.
    """
    if activity.get("type") != "invoke" or status != NOT_IMPLEMENTED:
        return ""
    name = str(activity.get("name") or "")
    method = method_for(name, activity.get("value"))
    return f"Nothing handles {name or 'the invoke'}: write {method}"
