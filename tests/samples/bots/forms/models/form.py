class Form:
    def __init__(self, id: str, title: str, height: int, width: int, is_page: bool):
        self.id = id
        self.title = title
        self.height = height
        self.width = width
        self.is_page = is_page


FORMS = {
    "Parking": Form("Parking", "Parking permit", 450, 510, True),
    "Address": Form("Address", "Change of address", 200, 400, False),
}
