"""The codecs that the router forwards."""
