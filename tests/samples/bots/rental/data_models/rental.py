from botbuilder.schema import Attachment


class Rental:
    """What the dialog asks for; licence is the picture of it."""

    def __init__(
        self,
        name: str = None,
        boat: str = None,
        people: int = 0,
        day: str = None,
        licence: Attachment = None,
    ):
        self.name = name
        self.boat = boat
        self.people = people
        self.day = day
        self.licence = licence
