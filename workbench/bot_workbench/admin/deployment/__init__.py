"""`python -m bot_workbench.admin deployment`: what a deployment needs beside Bicep; azd's hooks run it."""
