"""The REST half of the server: openapi.yaml's operations on Falcon. No other package imports Falcon."""

from hype.rest.app import build
from hype.rest.body import LIMIT_BYTES
from hype.rest.cors import permission

__all__ = ["LIMIT_BYTES", "build", "permission"]
