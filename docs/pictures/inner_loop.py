"""Records inner_loop.webp: the chat and the inspector of `make run`, as a developer uses them.

`make recording` runs a copy of the sample bot, drives the page in Chromium, saves a change of the
bot's code in between, and writes what the browser showed as one animated picture. Then it takes
stills: the chat (light, dark, and as wide as a phone), and inspector.webp with a failed turn.
"""

import asyncio
import contextlib
import io
import os
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.async_api import Locator, Page, async_playwright, expect

from bot_workbench.emulator.child import Child
from bot_workbench.emulator.loopback import free_port

ROOT = Path(__file__).parents[2]
RECORDING = Path(__file__).with_suffix(".webp")

WIDTH, HEIGHT = 1280, 720
SCALE = 0.75
FRAME_MS = 120
"""The time for which a frame is shown, whatever taking it took."""
QUALITY = 70

PHONE = "chat_phone"
STILLS = {
    "chat_light": ("light", 1280, 720),
    "chat_dark": ("dark", 1280, 720),
    PHONE: ("light", 360, 640),
}
"""Color scheme, width and height by the file's name."""

BEFORE, AFTER = "You said: ", "You wrote: "
"""The bot's answers before and after its code is changed."""

ANSWER, PRICE = f'f"{AFTER}{{text}}"', '{"tea": "Two euros"}[text]'
"""The code of the second answer, and code that answers only one message."""

START_TIMEOUT_MS = 90_000

TYPING_MS = 300
"""The time between two letters. Three take longer than until a saved change runs."""


class Film:
    """Takes pictures of a page; a picture that is like the one before makes that one last longer.

    Args:
        page: what is filmed.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._frames: list[Image.Image] = []
        self._durations: list[int] = []
        self._last = b""

    async def take(self, frames: int = 1) -> None:
        """Film for so many frames."""
        for _ in range(frames):
            picture = await self._page.screenshot()
            if picture == self._last:
                self._durations[-1] += FRAME_MS
                continue
            self._last = picture
            size = (round(WIDTH * SCALE), round(HEIGHT * SCALE))
            image = Image.open(io.BytesIO(picture)).convert("RGB")
            self._frames.append(image.resize(size, Image.Resampling.LANCZOS))
            self._durations.append(FRAME_MS)

    async def until_visible(self, locator: Locator) -> None:
        """Film until something is there, and a moment longer."""
        while not await locator.is_visible():
            await self.take()
        await expect(locator).to_be_visible()
        await self.take(6)

    async def type(self, text: str) -> None:
        """Type a message, letter by letter, and send it."""
        box = self._page.get_by_role("textbox", name="Type a message")
        for letter in text:
            await box.press_sequentially(letter)
            await self.take()
        await box.press("Enter")

    def save(self, file: Path) -> None:
        """Write the animation, which repeats without end."""
        first, *others = self._frames
        first.save(
            file,
            save_all=True,
            append_images=others,
            duration=self._durations,
            loop=0,
            quality=QUALITY,
            method=6,
        )


async def play(page: Page, film: Film, bot: Path) -> None:
    """The scenes: a message, its turn in the inspector, a card, and a change of the code."""
    messages = page.get_by_role("region", name="Messages")
    await film.until_visible(messages.get_by_text("I echo what you say").first)
    await film.type("good morning")
    await film.until_visible(messages.get_by_text(f"{BEFORE}good morning").first)
    await page.get_by_role("button", name="Inspector").click()
    await film.take(4)
    await film.type("card")
    await film.until_visible(messages.get_by_role("button", name="Update this card"))
    await page.locator(".inspector").get_by_text("card", exact=True).last.click()
    await film.take(16)
    await page.keyboard.press("Escape")
    change(bot, BEFORE, AFTER)
    await film.type("good morning")
    await film.until_visible(messages.get_by_text(f"{AFTER}good morning").first)
    await film.take(16)


def change(bot: Path, before: str, after: str) -> None:
    """Replace a piece of the bot's code, and save it."""
    code = bot / "bot.py"
    code.write_text(code.read_text("utf-8").replace(before, after), "utf-8")


async def record(bot: Path) -> None:
    """Run the bot in a folder, and film it."""
    port, chat_port = free_port(), free_port()
    ports = ["--port", str(port), "--chat-port", str(chat_port)]
    command = [
        sys.executable,
        "-m",
        "bot_workbench.commands.run.local_run",
        "--bot",
        str(bot),
        *ports,
    ]
    async with contextlib.AsyncExitStack() as stack:
        run = Child(command, os.environ, ROOT)
        stack.push_async_callback(run.stop)
        await run.start()
        playwright = await stack.enter_async_context(async_playwright())
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = await playwright.chromium.launch(executable_path=program)
        stack.push_async_callback(browser.close)
        page = await browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        url = f"http://localhost:{chat_port}/"
        await open_page(page, url)
        film = Film(page)
        await play(page, film, bot)
        film.save(RECORDING)
        change(bot, ANSWER, PRICE)
        await fail(page)
        await take_stills(page)
        await page.goto(f"{url}inspector")
        await page.get_by_text("sugar", exact=True).first.click()
        await expect(page.get_by_text("KeyError: 'sugar'")).to_be_visible()
        await take_still(page, "inspector")


async def take_stills(page: Page) -> None:
    """The chat in each scheme and size; the phone's without the inspector, which would cover it."""
    for name, (scheme, width, height) in STILLS.items():
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        await page.set_viewport_size({"width": width, "height": height})
        if name == PHONE:
            await page.get_by_role("button", name="Close the inspector").click()
        await take_still(page, name)
    await page.emulate_media(color_scheme="light")
    await page.set_viewport_size({"width": WIDTH, "height": HEIGHT})


async def fail(page: Page) -> None:
    """Write messages, of which the last one fails."""
    box = page.get_by_role("textbox", name="Type a message")
    messages = page.get_by_role("region", name="Messages")
    for text, answer in [("tea", "Two euros"), ("count", "Count: 1"), ("sugar", "Sorry")]:
        await box.press_sequentially(text, delay=TYPING_MS)
        await box.press("Enter")
        await expect(messages.get_by_text(answer)).to_be_visible()


async def take_still(page: Page, name: str) -> None:
    """A picture of the page as it is now."""
    picture = Image.open(io.BytesIO(await page.screenshot()))
    picture.convert("RGB").save(RECORDING.with_name(f"{name}.webp"), quality=QUALITY, method=6)


async def open_page(page: Page, url: str) -> None:
    """Open the chat page as soon as it is served.

    Raises:
        TimeoutError: it is not in time.
    """
    async with asyncio.timeout(START_TIMEOUT_MS / 1000):
        while True:
            with contextlib.suppress(Exception):  # refused, until `make run` has started
                await page.goto(url)
                return
            await asyncio.sleep(0.2)


def main() -> None:
    """Record a copy of the sample bot."""
    with tempfile.TemporaryDirectory() as folder:
        bot = Path(folder) / "bot_logic"
        shutil.copytree(ROOT / "bot_logic", bot, ignore=shutil.ignore_patterns("__pycache__"))
        asyncio.run(record(bot))


if __name__ == "__main__":
    main()
