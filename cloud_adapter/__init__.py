"""How a turn runs: botbuilder-core's CloudAdapter, on this project's own seams."""
