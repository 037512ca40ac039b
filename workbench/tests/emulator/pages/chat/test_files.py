"""Files and pictures in the chat page: chosen, dropped, pasted, sent and shown."""

import zlib
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.emulator.pages.chat.local_teams import (
    GREETING,
    LocalTeams,
    box,
    bubble,
    choose_for,
    hand_over,
    message,
    open_group,
    shoot,
)
from tests.support.wire.chromium import say, violations


def png(width: int = 96, height: int = 64) -> bytes:
    """A picture of one color."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content).to_bytes(4, "big")
        return len(content).to_bytes(4, "big") + kind + content + check

    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    lines = b"".join(b"\0" + b"\x43\x53\xc9" * width for _ in range(height))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", size + b"\x08\x02\0\0\0")
        + chunk(b"IDAT", zlib.compress(lines))
        + chunk(b"IEND", b"")
    )


def test_a_chosen_file(teams: LocalTeams, page: Page, tmp_path: Path) -> None:
    """It waits above the composer, and is sent with the text as Teams sends files."""
    file = tmp_path / "quarterly report.txt"
    file.write_text("content of the file")
    with page.expect_file_chooser() as choosing:
        page.get_by_role("button", name="Attach files").click()
    choosing.value.set_files(file)
    tray = page.get_by_role("list", name="To be sent")
    expect(tray).to_contain_text("quarterly report.txt")
    assert violations(page) == []
    box(page).fill("here it is")
    box(page).press("Enter")
    expect(tray).to_have_count(0)
    link = page.locator("a.file")
    expect(link).to_contain_text("quarterly report.txt")
    expect(link).to_contain_text("TXT")
    expect(bubble(page, "You said: here it is")).to_be_visible()
    with page.expect_download() as downloading:
        link.click()
    assert Path(downloading.value.path()).read_text() == "content of the file"
    sent = teams.received(page, "here it is")
    kinds = [each["contentType"] for each in sent["attachments"]]
    assert kinds == ["application/vnd.microsoft.teams.file.download.info"]


def test_a_pasted_picture(page: Page, complaints: list[str]) -> None:
    """It is previewed, shown in the transcript, and opens large; Escape closes it."""
    hand_over(page, "image.png", "image/png", png(), "paste")
    expect(page.locator(".tray img")).to_be_visible()
    box(page).press("Enter")
    picture = page.get_by_role("button", name="Open the image image.png")
    shown = picture.get_by_role("img")
    expect(shown).to_be_visible()
    expect(shown).to_have_js_property("naturalWidth", 96)
    picture.click()
    lightbox = page.get_by_role("dialog", name="image.png")
    expect(lightbox).to_be_visible()
    assert complaints == []
    assert violations(page) == []
    shoot(page, "lightbox")
    page.keyboard.press("Escape")
    expect(lightbox).to_have_count(0)
    expect(picture).to_be_focused()


def test_a_dropped_file_can_be_removed(page: Page) -> None:
    """What was dropped by mistake is not sent."""
    hand_over(page, "a.txt", "text/plain", b"a", "drop")
    hand_over(page, "b.txt", "text/plain", b"b", "drop")
    page.get_by_role("button", name="Remove a.txt").click()
    expect(page.locator(".tray__file")).to_have_count(1)
    box(page).press("Enter")
    expect(page.locator("a.file")).to_have_count(1)
    expect(page.locator("a.file")).to_contain_text("b.txt")


def test_a_picture_with_a_mention(page: Page) -> None:
    """In a group chat, a picture is sent with the mention that brings it to the bot."""
    open_group(page)
    hand_over(page, "image.png", "image/png", png(), "paste")
    expect(page.locator(".tray img")).to_be_visible()
    box(page).press_sequentially("@Bo")
    expect(page.get_by_role("listbox", name="Mention")).to_be_visible()
    box(page).press("Enter")
    box(page).press_sequentially("look")
    box(page).press("Enter")
    expect(bubble(page, "You said: ")).to_be_visible()
    expect(page.locator(".message--own .mention")).to_have_text("Bot")
    expect(page.get_by_role("button", name="Open the image image.png")).to_be_visible()


def test_files_that_cannot_be_sent(page: Page) -> None:
    """They come back with their text and with what the message replies to."""
    page.route("**/files", lambda route: route.abort())
    choose_for(message(page, GREETING), "Message options", "Reply")
    hand_over(page, "a.txt", "text/plain", b"a", "drop")
    expect(page.locator(".tray__file")).to_have_count(1)
    say(page, "with a file")
    expect(page.get_by_role("alert")).to_contain_text("The files were not sent.")
    expect(page.locator(".tray__file")).to_have_count(1)
    expect(box(page)).to_have_value("with a file")
    page.unroute("**/files")
    box(page).press("Enter")
    own = page.locator(".message--own")
    expect(own.locator("a.file")).to_contain_text("a.txt")
    expect(own.locator(".quote")).to_contain_text(GREETING)
    expect(box(page)).to_have_value("")
