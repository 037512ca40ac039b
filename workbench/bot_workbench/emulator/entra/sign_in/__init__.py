"""How applications prove who they are: secrets, and assertions of two kinds."""
