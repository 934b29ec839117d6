"""The REST half: openapi.yaml's operations bound to Falcon. The only room that knows Falcon."""

from hype.rest.app import build

__all__ = ["build"]
