"""What is checked before there is a zip: schemas, rules, icons and languages."""
