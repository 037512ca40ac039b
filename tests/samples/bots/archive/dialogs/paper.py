class Paper:
    def __init__(self, name: str = None):
        self.name = name

    def from_json(self, json_value):
        self.name = json_value["name"]
