"""What Azure, the directory and the deployed bot say, read without changing anything."""
