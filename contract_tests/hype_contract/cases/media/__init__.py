"""Cases over the media itself: RTP in, RTP out."""
