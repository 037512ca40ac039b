"""After the resources are deleted: what is left of a deployment outside of its group."""
