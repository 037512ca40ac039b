"""What users press, and what they get from the bot."""
