from typing import List


class Guest:
    def __init__(self, name: str = None, age: int = 0, films: List[str] = None):
        self.name = name
        self.age = age
        self.films = films or []
