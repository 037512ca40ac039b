"""The storage behind the counter bots: a proxy that delays and counts, and an account in memory."""
