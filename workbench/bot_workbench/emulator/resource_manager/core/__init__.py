"""What every resource provider builds on: ids, resources, requests, errors."""
