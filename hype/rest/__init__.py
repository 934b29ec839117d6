"""The REST half of the server: openapi.yaml's operations on Falcon. No other package imports Falcon."""

from hype.rest.app import build

__all__ = ["build"]
