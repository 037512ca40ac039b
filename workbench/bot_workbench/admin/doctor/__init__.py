"""`bot doctor`: looks at a deployed bot, and says what is wrong and how to cure it."""
