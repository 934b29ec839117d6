"""Cases about the media: the RTP and RTCP packets that enter and leave the SFU."""
