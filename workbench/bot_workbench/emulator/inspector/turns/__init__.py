"""The rows of the inspector: what is known of each turn, in bounded memory."""
