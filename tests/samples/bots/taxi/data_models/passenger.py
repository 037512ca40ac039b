class Passenger:
    def __init__(self, place: str = None, seats: int = 0):
        self.place = place
        self.seats = seats
        self.rides = []
