"""Hype: the reference server of the Hype chat contract (`openapi.yaml` and `asyncapi.yaml`)."""

__version__ = "0.1.0"
