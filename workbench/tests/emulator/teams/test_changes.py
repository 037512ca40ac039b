"""What users do to messages: edits, deletions and reactions, and what the bot gets of them.

Microsoft references "Conversation events in your Teams bot", "Update and delete messages".
"""

from tests.emulator.teams.teams_page import AdaptedBot, TeamsPage, silent


async def test_edit_delete_and_undelete(page: TeamsPage, bot: AdaptedBot) -> None:
    """They have the message's id, and Teams' event types."""
    sent = await page.say("first")
    path = f"{page.path}/activities/{sent['id']}"
    await page.call("PUT", path, activity={"text": "second"})
    edited = await bot.wait_for("messageUpdate")
    assert (edited["id"], edited["text"]) == (sent["id"], "second")
    assert edited["channelData"]["eventType"] == "editMessage"
    assert edited["attachments"][0]["content"] == "<p>second</p>"
    shown = await page.sees("second")
    assert shown["edited"] is True
    await page.call("DELETE", path)
    deleted = await bot.wait_for("messageDelete")
    assert deleted["id"] == sent["id"]
    assert deleted["channelData"]["eventType"] == "softDeleteMessage"
    assert "text" not in deleted
    await page.call("POST", f"{path}/undelete")
    restored = await bot.wait_for("messageUpdate", 2)
    assert restored["channelData"]["eventType"] == "undeleteMessage"
    assert restored["text"] == "second"
    assert "edited" not in restored


async def test_an_edit_without_a_mention(page: TeamsPage, bot: AdaptedBot) -> None:
    """Who is not mentioned any more is not in the entities; the user's client still is."""
    sent = await page.mention("hello")
    before = (await bot.wait_for("message"))["entities"]
    path = f"{page.path}/activities/{sent['id']}"
    await page.call("PUT", path, activity={"text": "hello"})
    assert (await bot.wait_for("messageUpdate"))["entities"] == before[1:]
    await page.call("PUT", path, activity={"text": "<at>Bot</at>", "entities": before[:1]})
    assert (await bot.wait_for("messageUpdate", 2))["entities"] == before


async def test_a_quote_of_another_message(page: TeamsPage, bot: AdaptedBot) -> None:
    """The HTML of a reply has the page's quote and then the text, after an edit the new one."""
    quote = '<blockquote itemtype="http://schema.skype.com/Reply">before</blockquote>'
    attachments = [{"contentType": "text/html", "content": quote}]
    sent = await page.say("1 < 2", more={"attachments": attachments})
    (html,) = (await bot.wait_for("message"))["attachments"]
    assert html["content"] == f"{quote}<p>1 &lt; 2</p>"
    path = f"{page.path}/activities/{sent['id']}"
    await page.call("PUT", path, activity={"text": "edited"})
    (html,) = (await bot.wait_for("messageUpdate"))["attachments"]
    assert html["content"] == f"{quote}<p>edited</p>"
    assert (await page.sees("edited"))["attachments"] == attachments


async def test_an_edit_of_what_the_bot_does_not_get(page: TeamsPage, bot: AdaptedBot) -> None:
    """In a group chat, edits and deletions of messages without a mention are not delivered."""
    group = await page.create("group")
    sent = await group.say("among people")
    path = f"{group.path}/activities/{sent['id']}"
    assert (await group.call("PUT", path, activity={"text": "still"}))["turn"] == ""
    await group.call("DELETE", path)
    await group.mention("you there")
    await bot.wait_for("message")
    assert bot.of("messageUpdate") + bot.of("messageDelete") == []


async def test_what_others_wrote_cannot_be_changed(page: TeamsPage) -> None:
    """Only one's own messages can be edited, deleted or sent again."""
    group = await page.create("group")
    sent = await group.say("mine")
    chat = await group.call("POST", f"{group.path}/members", new=True)
    other = chat["members"][1]["id"]
    path = f"{group.path}/activities/{sent['id']}"
    await group.call("PUT", path, 403, user=other, activity={"text": "yours"})
    await group.call("DELETE", path, 403, user=other)
    await group.call("POST", f"{path}/retry", 403, user=other)
    await group.call("DELETE", path)
    await group.call("POST", f"{path}/undelete", 404, user=other)


async def test_reactions_to_the_bots_messages(page: TeamsPage, bot: AdaptedBot) -> None:
    """Bots get the reactions to their own messages, not those to people's."""
    own = await page.say("people's")
    bot.turn = lambda context: context.send_activity("the bot's")
    await page.say("say it")
    reply = await page.sees("the bot's")
    await page.call("POST", f"{page.path}/activities/{own['id']}/reactions", type="sad")
    path = f"{page.path}/activities/{reply['id']}/reactions"
    await page.call("POST", path, type="heart", add=True)
    added = await bot.wait_for("messageReaction")
    assert added["reactionsAdded"] == [{"type": "heart"}]
    assert added["replyToId"] == reply["id"]
    await page.call("POST", path, type="heart", add=False)
    removed = await bot.wait_for("messageReaction", 2)
    assert removed["reactionsRemoved"] == [{"type": "heart"}]
    assert len(bot.of("messageReaction")) == 2
    shown = await page.sees("people's", reactions=[{"type": "sad", "user": page.user}])
    assert "edited" not in shown
    await page.call("POST", path, 400, type="thumbsdown")


async def test_a_reaction_that_is_there_already(page: TeamsPage, bot: AdaptedBot) -> None:
    """Adding it again, or removing it again, changes nothing, and the bot gets nothing."""
    bot.turn = lambda context: context.send_activity("the bot's")
    await page.say("say it")
    reply = await page.sees("the bot's")
    bot.turn = silent
    path = f"{page.path}/activities/{reply['id']}/reactions"
    for add in (True, True, False, False):
        await page.call("POST", path, type="like", add=add)
    await page.say("the end")
    await bot.wait_for("message", 2)
    assert len(bot.of("messageReaction")) == 2
