"""Azure App Service: plans, sites with their settings and keys."""
