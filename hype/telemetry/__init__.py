"""The server's reports about itself: numbers in `metrics`, lines in `logs`."""
