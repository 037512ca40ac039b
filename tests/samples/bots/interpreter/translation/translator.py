import requests


class Translator:
    def __init__(self, url: str, subscription_key: str):
        self.url = url
        self.subscription_key = subscription_key

    async def translate(self, text: str, to: str) -> str:
        response = requests.post(
            f"{self.url}/translate?api-version=3.0&to={to}",
            headers={"Ocp-Apim-Subscription-Key": self.subscription_key},
            json=[{"text": text}],
        )
        if response.status_code / 100 != 2:
            return "Unable to translate."
        return response.json()[0]["translations"][0]["text"]
