"""BotSettings: the old bot's app settings, under the names that BotBuilder reads them by."""

from collections.abc import Mapping


class BotSettings:
    """The configuration object of BotBuilder's classes.

    Args:
        environ: has MicrosoftAppId, MicrosoftAppPassword, MicrosoftAppType and
            MicrosoftAppTenantId, as samples for App Service do.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.APP_ID = environ.get("MicrosoftAppId", "")
        self.APP_PASSWORD = environ.get("MicrosoftAppPassword", "")
        self.APP_TYPE = environ.get("MicrosoftAppType", "MultiTenant")
        self.APP_TENANTID = environ.get("MicrosoftAppTenantId", "")
