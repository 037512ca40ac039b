"""The codec: converts JSON to botbuilder's models, the Activity above all, and back."""
