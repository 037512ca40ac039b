"""Microsoft Entra, and the identity endpoint of App Service."""
