"""The app registration: its certificates, and how they are added and deleted."""
