"""A media worker: a process with one UDP and one TCP port, which the server drives over a link.

`python -m hype.sfu.worker` starts it.
"""
