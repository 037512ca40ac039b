BOOKS = [
    {"name": "Knots and Splices", "summary": "With drawings"},
    {"name": "Knitting", "summary": "For beginners"},
    {"name": "The Tides", "summary": "A table for each month"},
]
