"""The parts that a team may build one by one."""

from __future__ import annotations

from typing import Literal

Area = Literal["rest", "gateway", "voice", "media"]
AREAS: tuple[Area, ...] = ("rest", "gateway", "voice", "media")
