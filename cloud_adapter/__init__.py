"""The adapter that runs turns; it derives from botbuilder-core's CloudAdapterBase."""
