"""The ids of the bot that the emulator's tests register, and the claims of its token."""

APP_ID = "0f4a1f2e-7d5b-4a63-9a57-0a0c6c8f1d11"
OTHER_APP = "1f4a1f2e-7d5b-4a63-9a57-0a0c6c8f1d12"
TENANT = "5b1c7a58-9f0f-4c3c-8b31-6d6a2f0e7c22"
CLAIMS = {
    "aud": "https://api.botframework.com",
    "iss": f"https://sts.windows.net/{TENANT}/",
    "appid": APP_ID,
}
"""Of the token that the bot calls the connector and the token service with."""
