"""Activities on the wire: JSON to botbuilder's models, and back."""
