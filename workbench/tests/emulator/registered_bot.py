"""The bot that the emulator's tests register: its ids, its identity, the claims of its token."""

BOT_FRAMEWORK = "https://api.botframework.com"
APP_ID = "0f4a1f2e-7d5b-4a63-9a57-0a0c6c8f1d11"
OTHER_APP = "1f4a1f2e-7d5b-4a63-9a57-0a0c6c8f1d12"
TENANT = "5b1c7a58-9f0f-4c3c-8b31-6d6a2f0e7c22"
CLAIMS = {
    "aud": BOT_FRAMEWORK,
    "iss": f"https://sts.windows.net/{TENANT}/",
    "appid": APP_ID,
}
"""Of the token that the bot calls the connector and the token service with."""

MANAGED_IDENTITY = "7e1d2b64-2c0a-4d29-9b0e-8e3f5a7c4d44"
PRINCIPAL = "c3a9f0d1-6b7e-4a55-8d2f-1f4e6b8a9c55"
"""Client id and object id of the app's user-assigned identity."""

UNKNOWN = "9c2b7b0a-33a5-4f0e-8f61-3d1f0a9b5e33"
"""A GUID that nothing has."""

SCOPE = f"{BOT_FRAMEWORK}/.default"
