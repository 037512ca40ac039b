"""`bot deployment`: what a deployment needs beside Bicep; azd's hooks run it."""
