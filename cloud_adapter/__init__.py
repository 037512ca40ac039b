"""How a turn runs: an adapter that derives from botbuilder-core's CloudAdapterBase."""
