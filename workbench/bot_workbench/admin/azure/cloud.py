"""The Azure clouds, as the commands use them, by the names that `az cloud list` shows.

Sources: Azure CLI, `az cloud list`; Microsoft Graph, "National cloud deployments"; for what the bot
calls, auth/clouds.py of the base, with which a test compares it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class ManagementCloud:
    """The addresses of one cloud: of its management services, and of what a bot calls.

    Attributes:
        name: as `az cloud list` shows it.
        authority: URL of Entra's sign-in host.
        resource_manager: URL of Azure Resource Manager.
        resource_manager_audience: the resource (URL) of its tokens.
        graph: URL of Microsoft Graph; also the resource of its tokens.
        vault_suffix: the domain of key vaults, without a leading dot.
        vault_audience: the resource (URL) of their tokens.
        federation_audience: the audience (URI) of a federated credential.
        channel_audience: the resource (URL) that a bot's outbound tokens are for.
        channel_service: the setting ChannelService of its bots; empty: it is not needed.
        token_domain: host name of the Bot Framework token service, where people sign in.
        logs: URL of the query API of Log Analytics.
        logs_audience: the resource (URL) of its tokens. Source: Microsoft reference, "Logs query
            API".
    """

    name: str
    authority: str
    resource_manager: str
    resource_manager_audience: str
    graph: str
    vault_suffix: str
    vault_audience: str
    federation_audience: str
    channel_audience: str
    channel_service: str
    token_domain: str
    logs: str
    logs_audience: str


PUBLIC = ManagementCloud(
    name="AzureCloud",
    authority="https://login.microsoftonline.com",
    resource_manager="https://management.azure.com",
    resource_manager_audience="https://management.azure.com",
    graph="https://graph.microsoft.com",
    vault_suffix="vault.azure.net",
    vault_audience="https://vault.azure.net",
    federation_audience="api://AzureADTokenExchange",
    channel_audience="https://api.botframework.com",
    channel_service="",
    token_domain="token.botframework.com",  # noqa: S106  # a host name
    logs="https://api.loganalytics.azure.com",
    logs_audience="https://api.loganalytics.io",
)
US_GOVERNMENT = ManagementCloud(
    name="AzureUSGovernment",
    authority="https://login.microsoftonline.us",
    resource_manager="https://management.usgovcloudapi.net",
    resource_manager_audience="https://management.usgovcloudapi.net",
    graph="https://graph.microsoft.us",
    vault_suffix="vault.usgovcloudapi.net",
    vault_audience="https://vault.usgovcloudapi.net",
    federation_audience="api://AzureADTokenExchangeUSGov",
    channel_audience="https://api.botframework.us",
    channel_service="https://botframework.azure.us",
    token_domain="tokengcch.botframework.azure.us",  # noqa: S106  # a host name
    logs="https://api.loganalytics.us",
    logs_audience="https://api.loganalytics.us",
)
CHINA = ManagementCloud(
    name="AzureChinaCloud",
    authority="https://login.partner.microsoftonline.cn",
    resource_manager="https://management.chinacloudapi.cn",
    resource_manager_audience="https://management.chinacloudapi.cn",
    graph="https://microsoftgraph.chinacloudapi.cn",
    vault_suffix="vault.azure.cn",
    vault_audience="https://vault.azure.cn",
    federation_audience="api://AzureADTokenExchangeChina",
    channel_audience="https://api.botframework.azure.cn",
    channel_service="https://botframework.azure.cn",
    token_domain="token.botframework.azure.cn",  # noqa: S106  # a host name
    logs="https://api.loganalytics.azure.cn",
    logs_audience="https://api.loganalytics.azure.cn",
)

CLOUDS = {cloud.name: cloud for cloud in (PUBLIC, US_GOVERNMENT, CHINA)}
"""The clouds by name."""

CLOUDS_BY_PARAMETER = {"Public": PUBLIC, "USGovernment": US_GOVERNMENT, "China": CHINA}
"""The clouds by the values of the template's parameter `cloud`."""
