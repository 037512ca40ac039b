"""The basis of every resource provider: ids, resources, requests, errors."""
