"""What a running server says about itself: numbers in `metrics`, lines in `logs`."""
