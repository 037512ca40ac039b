class Visitor:
    def __init__(self, was_greeted: bool = False):
        self.was_greeted = was_greeted
        self.messages = 0
