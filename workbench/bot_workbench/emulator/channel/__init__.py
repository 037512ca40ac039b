"""The Bot Framework channel: Bot Connector and Direct Line."""
