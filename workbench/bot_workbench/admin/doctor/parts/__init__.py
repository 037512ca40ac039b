"""What the doctor reads, part by part."""
