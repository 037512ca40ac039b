"""name_part: every text has one, no two texts share one, and every server accepts it."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import MAX_PART_CHARACTERS, BlobContainer, name_part

TEXTS = st.text(st.characters(codec=None))
LONG = st.integers(200, 400).flatmap(
    lambda length: st.text("ab~%/", min_size=length, max_size=length)
)
AWKWARD = [
    "",
    " ",
    ".",
    "..",
    "a.",
    "a/../b",
    "/",
    "a/b",
    "a\\b",
    "%",
    "%2F",
    "%2f",
    "~",
    "~2F",
    "~7E",
    "a?b#c",
    "a&b=c",
    "a+b",
    "A",
    "a",
    "a:1:b|livechat",
    "19:meeting_Zm9v@thread.v2;messageid=1",
    "é",
    "e\u0301",
    "😀",
    "\ud83d",
    "\ude00",
    "\x00",
    "\x7f",
    "\r\n",
    "\ufffe",
    "x" * 2000,
    "x" * 2001,
    "/" * 300,
    "ß" * 500,
]


@given(TEXTS | LONG | st.sampled_from(AWKWARD))
@example("\ud800")
def test_every_text_has_a_part(text: str) -> None:
    """It has letters, digits, hyphens, underscores and tildes, and fits three times into a name."""
    assert re.fullmatch(r"[A-Za-z0-9_~-]*", name_part(text))
    assert len(name_part(text)) <= MAX_PART_CHARACTERS


@given(st.lists(TEXTS | LONG | st.sampled_from(AWKWARD), unique=True, max_size=20))
@example(["a/b", "a~2Fb", "a%2Fb", "a~2fb", "a~7E2Fb"])
@example(["x" * 235, "x" * 236, "x" * 235 + "/", "x" * 234 + "/"])
@example(["A" * 300, "a" * 300])
def test_no_two_texts_share_one(texts: list[str]) -> None:
    """Different texts have different parts, in upper and lower case, cut or whole."""
    assert len({name_part(text) for text in texts}) == len(texts)


def test_awkward_texts_differ() -> None:
    """Texts that servers treat as the same have different parts, and so has a cut text's part."""
    assert len({name_part(text) for text in AWKWARD}) == len(AWKWARD)
    cut = name_part("x" * 2000)
    assert name_part(cut) != cut


def test_common_ids_stay_readable() -> None:
    """People recognize them in the portal."""
    assert name_part("webchat/3vUb2-x_1") == "webchat~2F3vUb2-x_1"
    assert name_part("a~b.c") == "a~7Eb~2Ec"


async def test_awkward_texts_in_storage(account: StorageAccount) -> None:
    """Blobs with awkward names are stored separately, and read and listed by the same names."""
    blobs = BlobContainer(account, "awkward")
    names = {text: f"k-{name_part(text)}/{name_part(text)}" for text in AWKWARD}
    for text, name in names.items():
        await blobs.write(name, repr(text).encode(), None)
    for text, name in names.items():
        found = await blobs.read(name)
        assert found
        assert found.content == repr(text).encode()
        assert [entry.name async for entry in blobs.list(name)] == [name]
    assert [entry.name async for entry in blobs.list()] == sorted(names.values())
