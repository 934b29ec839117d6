"""The areas of the contract, which a team may build one after another."""

from __future__ import annotations

from typing import Literal

Area = Literal["rest", "gateway", "voice", "media"]
AREAS: tuple[Area, ...] = ("rest", "gateway", "voice", "media")
