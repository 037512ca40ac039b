"""Objects in stored state: JSON with type tags, read through an allow list. Nothing is pickled.

A typed item is `["~typed", item]`. No plain item has this form, because plain items are JSON
objects. In it, `{"~type": TAG, "~value": ..., "name": ...}` is an object with its attributes. Keys
that begin with `~` get another `~`, so no key of a bot or a user can be read as a tag.

| tag | stands for |
|---|---|
| `tuple`, `datetime` ... | a type of values.py |
| `botbuilder.dialogs.dialog_state:DialogState` | a class of sdk_classes.py |
| `bot:models.user:Profile` | a class from a file in the bot's folder: bot_classes.py |

shape.py takes objects apart and puts them together without running any code of their classes.
"""
