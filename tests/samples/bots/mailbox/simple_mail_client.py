import os

import requests


class SimpleMailClient:
    def __init__(self, token: str):
        self.token = token

    async def count(self, whose: str) -> str:
        response = requests.get(
            f"{os.environ['MailUrl']}/{whose}/count",
            headers={"Authorization": f"Bearer {self.token}"},
        )
        return f"{response.json()['count']} letters"
