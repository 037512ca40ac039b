"""The proof: the deployed bot signs in as it should, and accepts only the channels' requests."""
