from enum import Enum


class Question(Enum):
    PLACE = 1
    SEATS = 2
    NONE = 3


class Flow:
    def __init__(self, last_question: Question = Question.NONE):
        self.last_question = last_question
