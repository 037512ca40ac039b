"""The Azure clouds, as the commands use them, by the names that `az cloud list` shows.

Source: Azure CLI, `az cloud list`; Microsoft Graph, "National cloud deployments".
"""

from dataclasses import dataclass

from auth import clouds


@dataclass(frozen=True)
class ManagementCloud:
    """The addresses of one cloud's management services.

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
    logs: str
    logs_audience: str


PUBLIC = ManagementCloud(
    name="AzureCloud",
    authority=clouds.PUBLIC.authority_host,
    resource_manager="https://management.azure.com",
    resource_manager_audience="https://management.azure.com",
    graph="https://graph.microsoft.com",
    vault_suffix="vault.azure.net",
    vault_audience="https://vault.azure.net",
    federation_audience=clouds.PUBLIC.federation_audience,
    channel_audience=clouds.PUBLIC.channel_audience,
    logs="https://api.loganalytics.azure.com",
    logs_audience="https://api.loganalytics.io",
)
US_GOVERNMENT = ManagementCloud(
    name="AzureUSGovernment",
    authority=clouds.US_GOVERNMENT.authority_host,
    resource_manager="https://management.usgovcloudapi.net",
    resource_manager_audience="https://management.usgovcloudapi.net",
    graph="https://graph.microsoft.us",
    vault_suffix="vault.usgovcloudapi.net",
    vault_audience="https://vault.usgovcloudapi.net",
    federation_audience=clouds.US_GOVERNMENT.federation_audience,
    channel_audience=clouds.US_GOVERNMENT.channel_audience,
    logs="https://api.loganalytics.us",
    logs_audience="https://api.loganalytics.us",
)
CHINA = ManagementCloud(
    name="AzureChinaCloud",
    authority=clouds.CHINA.authority_host,
    resource_manager="https://management.chinacloudapi.cn",
    resource_manager_audience="https://management.chinacloudapi.cn",
    graph="https://microsoftgraph.chinacloudapi.cn",
    vault_suffix="vault.azure.cn",
    vault_audience="https://vault.azure.cn",
    federation_audience=clouds.CHINA.federation_audience,
    channel_audience=clouds.CHINA.channel_audience,
    logs="https://api.loganalytics.azure.cn",
    logs_audience="https://api.loganalytics.azure.cn",
)

CLOUDS = {cloud.name: cloud for cloud in (PUBLIC, US_GOVERNMENT, CHINA)}
"""The clouds by name."""
