"""Who is in the local Teams: people, teams, conversations, and the rules for them."""
