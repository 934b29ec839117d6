"""Cases over REST, a file per subject."""
