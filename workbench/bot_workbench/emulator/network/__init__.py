"""Azure's public host names, and how clients reach the stand-ins behind them."""
