"""App Service: runs the code of web apps and Function Apps, behind one front end."""
