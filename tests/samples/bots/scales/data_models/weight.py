class Weight:
    def __init__(self, grams: int = 0):
        self.grams = grams
