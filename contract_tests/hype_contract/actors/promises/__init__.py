"""The promises of the specs that hold everywhere, checked on each answer and each frame that any case sees.

A breach fails the requirement `seen.…` of the promise, whatever the case is about (`Trace.note`).
"""
