"""Puts the specs and the seed into the wheel, next to the packages that read them.

`force-include` in pyproject.toml cannot do it: it takes each source once, and both packages carry the specs
(`hype_contract` must work without `hype`). It would also leave stale copies in editable installs, which read
the top-level files.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

CARRIED = {
    "hype": ["openapi.yaml", "asyncapi.yaml", "fixtures/seed.yaml"],
    "hype_contract": ["openapi.yaml", "asyncapi.yaml"],
}


class CarrySpecs(BuildHookInterface):
    """Adds a copy of every file in `CARRIED` to a standard wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Copy the files to a scratch folder, since hatchling wants every source to have its own path."""
        if version == "editable":
            return
        self._scratch = Path(tempfile.mkdtemp(prefix="hype-wheel-"))
        for package, names in CARRIED.items():
            for name in names:
                copy = self._scratch / package / name
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(Path(self.root) / name, copy)
                build_data["force_include"][str(copy)] = f"{package}/{name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the scratch folder once the wheel is written."""
        if version != "editable":
            shutil.rmtree(self._scratch)
