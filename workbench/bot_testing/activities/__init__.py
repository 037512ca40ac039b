"""The activities of a chat: buttons, replies and sign-ins."""
