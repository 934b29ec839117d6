"""Cases whose requests and frames are generated from the specs."""
