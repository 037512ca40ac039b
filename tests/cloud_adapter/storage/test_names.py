"""Blob names: every text has one, no two have the same, and every server takes it."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import BlobContainer
from cloud_adapter.storage.names import LONGEST_PART, name_part

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
def test_every_text_has_a_name(text: str) -> None:
    """Letters, digits, hyphens, underscores and tildes, few enough for three parts in a name."""
    assert re.fullmatch(r"[A-Za-z0-9_~-]*", name_part(text))
    assert len(name_part(text)) <= LONGEST_PART


@given(st.lists(TEXTS | LONG | st.sampled_from(AWKWARD), unique=True, max_size=20))
@example(["a/b", "a~2Fb", "a%2Fb", "a~2fb", "a~7E2Fb"])
@example(["x" * 235, "x" * 236, "x" * 235 + "/", "x" * 234 + "/"])
@example(["A" * 300, "a" * 300])
def test_no_two_texts_share_one(texts: list[str]) -> None:
    """Other texts have other names, in upper and lower case, cut or whole."""
    assert len({name_part(text) for text in texts}) == len(texts)


def test_awkward_ones_differ() -> None:
    """None of the texts that servers like to take for each other are taken for each other."""
    assert len({name_part(text) for text in AWKWARD}) == len(AWKWARD)


def test_a_cut_one_is_nobody_else_s() -> None:
    """The text that is a cut one's name has another name."""
    cut = name_part("x" * 2000)
    assert name_part(cut) != cut


def test_what_people_read() -> None:
    """Usual ids stay readable in the portal."""
    assert name_part("webchat/3vUb2-x_1") == "webchat~2F3vUb2-x_1"
    assert name_part("a~b.c") == "a~7Eb~2Ec"


@pytest.mark.parametrize("text", ["/", "..", "", "a"])
def test_one_part_is_one_part(text: str) -> None:
    """No slash of a text divides a name."""
    assert "/" not in name_part(text)


async def test_they_come_back(account: StorageAccount) -> None:
    """Blobs of awkward names are stored beside each other, read, and listed by the same names."""
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
