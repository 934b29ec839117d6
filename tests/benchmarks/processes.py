"""The memory, descriptors and threads of a process, as the kernel counts them."""

from __future__ import annotations

from pathlib import Path

_LISTENING = "0A"
_NETWORKS = ("udp", "udp6", "tcp", "tcp6")


def children(pid: int) -> list[int]:
    """The ids of the processes that it started and that live."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def held(pid: int) -> dict[str, float]:
    """Resident memory in MB (10^6 bytes), and how many descriptors, threads and bound ports, UDP and TCP."""
    process = Path(f"/proc/{pid}")
    return {
        "memory (MB, resident)": _resident_kb(process) * 1024 / 1e6,
        "descriptors": len(_descriptors(process)),
        "threads": len(list((process / "task").iterdir())),
        **_ports(process),
    }


def cpu_s(pid: int) -> float:
    """The CPU seconds of all its threads so far; those of the processes that it started are not in it."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def _resident_kb(process: Path) -> int:
    lines = (process / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def _descriptors(process: Path) -> list[str]:
    found = []
    for descriptor in (process / "fd").iterdir():
        try:
            found.append(str(descriptor.readlink()))
        except FileNotFoundError:
            continue  # closed meanwhile
    return found


def _ports(process: Path) -> dict[str, float]:
    own = {name.removeprefix("socket:[").removesuffix("]") for name in _descriptors(process)}
    bound = {"UDP ports": 0, "TCP ports": 0, "TCP connections": 0}
    for network in _NETWORKS:
        for line in (process / "net" / network).read_text().splitlines()[1:]:
            _, _, _, state, *_, inode = line.split()[:10]
            if inode in own:
                bound[_name(network, state)] += 1
    return {name: float(count) for name, count in bound.items()}


def _name(network: str, state: str) -> str:
    if network.startswith("udp"):
        return "UDP ports"
    return "TCP ports" if state == _LISTENING else "TCP connections"
