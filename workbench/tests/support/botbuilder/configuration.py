"""BotbuilderConfiguration: where botbuilder's own adapter finds the services of a local cloud."""

from collections.abc import Mapping


class BotbuilderConfiguration:
    """The configuration object of botbuilder's classes.

    Args:
        settings: those of `Cloud.settings`.
    """

    def __init__(self, settings: Mapping[str, str]) -> None:
        metadata = settings["ToBotFromChannelOpenIdMetadataUrl"]
        tenant = settings["MicrosoftAppTenantId"] or "botframework.com"
        self.CALLER_ID = "urn:botframework:azure"
        self.OAUTH_URL = settings["OAuthUrl"]
        self.TO_BOT_FROM_CHANNEL_OPENID_METADATA_URL = metadata
        self.TO_BOT_FROM_CHANNEL_TOKEN_ISSUER = "https://api.botframework.com"
        self.TO_BOT_FROM_EMULATOR_OPENID_METADATA_URL = metadata
        self.TO_CHANNEL_FROM_BOT_LOGIN_URL = f"{settings['AZURE_AUTHORITY_HOST']}/{tenant}"
        self.TO_CHANNEL_FROM_BOT_OAUTH_SCOPE = "https://api.botframework.com"
