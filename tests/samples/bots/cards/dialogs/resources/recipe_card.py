RECIPE_CARD = {
    "type": "AdaptiveCard",
    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
    "version": "1.3",
    "body": [
        {"type": "TextBlock", "text": "Pancakes", "weight": "Bolder"},
        {"type": "Input.Number", "id": "portions", "min": 1, "value": 4},
    ],
    "actions": [{"type": "Action.Submit", "title": "Scale", "data": {"recipe": "pancakes"}}],
}
