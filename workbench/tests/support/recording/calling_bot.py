"""A bot whose turns send requests with httpx, httpx2 and the OpenAI library."""

API_KEY = "sk-unmistakable"
"""The headers that the bot sends."""

BOT = f'''
import asyncio
import importlib
import inspect
import json
import logging

import openai
from botbuilder.core import ActivityHandler

log = logging.getLogger(__name__)
HEADERS = {{"Authorization": "Bearer {API_KEY}", "api-key": "{API_KEY}"}}
QUESTION = [{{"role": "user", "content": "What is for lunch?"}}]


def client_of(name):
    module, _, kind = name.partition(".")
    return getattr(importlib.import_module(module), kind)(headers=HEADERS)


def parts():
    yield b'{{"made": "while '
    yield b'it is sent"}}'


async def async_parts():
    for part in parts():
        yield part


class Bot(ActivityHandler):
    """Does what a message says: JSON with the name of a method and its arguments."""

    async def on_message_activity(self, turn_context):
        order = json.loads(turn_context.activity.text)
        await getattr(self, order.pop("do"))(**order)

    async def send(self, client, requests):
        with_client = client_of(client)
        for each in requests:
            try:
                if inspect.iscoroutinefunction(with_client.send):
                    await with_client.request(**each)
                else:
                    await asyncio.to_thread(with_client.request, **each)
            except Exception as error:
                log.info("no response: %s", type(error).__name__)

    async def upload(self, client, url):
        with_client = client_of(client)
        headers = {{"Content-Type": "application/json"}}
        if inspect.iscoroutinefunction(with_client.send):
            await with_client.post(url, content=async_parts(), headers=headers)
        else:
            await asyncio.to_thread(with_client.post, url, content=parts(), headers=headers)

    async def stream(self, client, url, lines):
        with_client = client_of(client)
        if not inspect.iscoroutinefunction(with_client.send):
            await asyncio.to_thread(self._stream, with_client, url, lines)
            return
        async with with_client.stream("POST", url, json={{"stream": True}}) as response:
            async for line in response.aiter_lines():
                log.info("line %s", line[:100])
                lines -= 1
                if not lines:
                    break

    def _stream(self, with_client, url, lines):
        with with_client.stream("POST", url, json={{"stream": True}}) as response:
            for line in response.iter_lines():
                log.info("line %s", line[:100])
                lines -= 1
                if not lines:
                    break

    async def chat(self, client, url, stream):
        options = {{"base_url": url, "api_key": "{API_KEY}"}}
        question = {{"model": "chef", "messages": QUESTION, "stream": stream}}
        if client == "OpenAI":
            await asyncio.to_thread(self._chat, openai.OpenAI(**options), question)
            return
        if client == "aiohttp":
            options["http_client"] = openai.DefaultAioHttpClient()
        async with openai.AsyncOpenAI(**options) as ai:
            answer = await ai.chat.completions.create(**question)
            if stream:
                texts = [chunk.choices[0].delta.content async for chunk in answer]
            else:
                texts = [answer.choices[0].message.content]
        log.info("answer %s", "".join(texts))

    def _chat(self, ai, question):
        with ai:
            answer = ai.chat.completions.create(**question)
            if question["stream"]:
                texts = [chunk.choices[0].delta.content for chunk in answer]
            else:
                texts = [answer.choices[0].message.content]
        log.info("answer %s", "".join(texts))


def create_bot(services):
    services.typing_indicator = False
    return Bot()
'''
