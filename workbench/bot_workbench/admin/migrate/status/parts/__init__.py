"""What `status` reads, part by part."""
