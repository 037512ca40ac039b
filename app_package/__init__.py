"""The Teams app: its manifest, its icons, and the script that draws them."""
