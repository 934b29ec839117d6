"""The server's side of media: the service, the books of transports, producers and consumers, and the worker processes.

No module here imports a media library. Packets go nowhere near this process.
"""
