class RepairDetails:
    def __init__(self, thing: str = None, fault: str = None, day: str = None, parts=None):
        if parts is None:
            parts = []
        self.thing = thing
        self.fault = fault
        self.day = day
        self.parts = parts
