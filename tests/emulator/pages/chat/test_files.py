"""Files and pictures in the chat page: chosen, dropped, pasted, sent and shown."""

import base64
import zlib
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.emulator.pages.chat.local_teams import LocalTeams, box, bubble, shoot


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


DROP = """([name, type, content, event]) => {
  const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name, { type }));
  const field = document.querySelector(".composer__field");
  const options = { bubbles: true, cancelable: true };
  field.dispatchEvent(
    event === "drop"
      ? new DragEvent("drop", { ...options, dataTransfer: data })
      : new ClipboardEvent("paste", { ...options, clipboardData: data }),
  );
}"""


def hand_over(page: Page, name: str, kind: str, content: bytes, event: str) -> None:
    """Drop or paste a file into the composer."""
    page.evaluate(DROP, [name, kind, base64.b64encode(content).decode(), event])


def test_a_chosen_file(teams: LocalTeams, page: Page, tmp_path: Path) -> None:
    """It waits above the composer, and is sent with the text as Teams sends files."""
    file = tmp_path / "quarterly report.txt"
    file.write_text("content of the file")
    with page.expect_file_chooser() as choosing:
        page.get_by_role("button", name="Attach files").click()
    choosing.value.set_files(file)
    tray = page.get_by_role("list", name="To be sent")
    expect(tray).to_contain_text("quarterly report.txt")
    teams.check_access(page)
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
    sent = next(each for each in teams.received(page) if each.get("text") == "here it is")
    kinds = [each["contentType"] for each in sent["attachments"]]
    assert kinds == ["application/vnd.microsoft.teams.file.download.info"]


def test_a_pasted_picture(teams: LocalTeams, page: Page, complaints: list[str]) -> None:
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
    teams.check_access(page)
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
