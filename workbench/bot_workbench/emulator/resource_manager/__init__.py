"""Azure Resource Manager: resources of the local cloud, and who may change them."""
