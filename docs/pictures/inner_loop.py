"""Records inner_loop.webp: the chat and the inspector of `make run`, as a developer uses them.

`make recording` runs a copy of the sample bot, drives the page in Chromium, saves a change of the
bot's code in between, and writes what the browser showed as one animated picture. Then it takes the
pages' stills: light, dark, and as wide as a phone.
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

from emulator.child import Child
from emulator.loopback import free_port

ROOT = Path(__file__).parents[2]
RECORDING = Path(__file__).with_suffix(".webp")

WIDTH, HEIGHT = 1280, 720
SCALE = 0.75
FRAME_MS = 120
"""How long a frame is shown, whatever taking it took."""
QUALITY = 70

STILLS = {
    "chat_light": ("light", 1280, 720),
    "chat_dark": ("dark", 1280, 720),
    "chat_phone": ("light", 360, 640),
}
"""Color scheme, width and height by the file's name."""

BEFORE, AFTER = "You said: ", "You wrote: "
"""What the bot answers before and after its code is changed."""

START_TIMEOUT_MS = 90_000


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
    """What is shown: a message, its turn in the inspector, a card, and a change of the code."""
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
    code = bot / "bot.py"
    code.write_text(code.read_text("utf-8").replace(BEFORE, AFTER), "utf-8")
    await film.type("good morning")
    await film.until_visible(messages.get_by_text(f"{AFTER}good morning").first)
    await film.take(16)


async def record(bot: Path) -> None:
    """Run the bot in a folder, and film it."""
    port, chat_port = free_port(), free_port()
    ports = ["--port", str(port), "--chat-port", str(chat_port)]
    command = [sys.executable, "-m", "emulator.commands.run.local_run", "--bot", str(bot), *ports]
    async with contextlib.AsyncExitStack() as stack:
        run = Child(command, os.environ, ROOT)
        stack.push_async_callback(run.stop)
        await run.start()
        playwright = await stack.enter_async_context(async_playwright())
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = await playwright.chromium.launch(executable_path=program)
        stack.push_async_callback(browser.close)
        page = await browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        await open_page(page, f"http://localhost:{chat_port}/")
        film = Film(page)
        await play(page, film, bot)
        film.save(RECORDING)
        await take_stills(page)


async def take_stills(page: Page) -> None:
    """The page as it is now, in each scheme and size."""
    for name, (scheme, width, height) in STILLS.items():
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        await page.set_viewport_size({"width": width, "height": height})
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
        bot = Path(folder) / "bot"
        shutil.copytree(ROOT / "bot_logic", bot, ignore=shutil.ignore_patterns("__pycache__"))
        asyncio.run(record(bot))


if __name__ == "__main__":
    main()
