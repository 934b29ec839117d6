"""The numbers behind `GET /metrics` (ruling R12, the seed's "Planned Metrics"), in Prometheus' terms.

No other module imports prometheus_client. Every `Metrics` has a registry of its own, so that the numbers of two servers
in one process (as in tests) stay apart.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

__all__ = ["Metrics"]

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

_OF_WORKERS = {
    "received_bytes": "Bytes of the RTP packets that a media worker has received; their rate is the bit rate over 8.",
    "lost_packets": "RTP packets of clients that were lost on the way, as the receiver reports to them say.",
    "jitter_seconds": "The mean interarrival jitter of the streams that clients send.",
    "cpu_seconds": "The processor time that a media worker has used.",
    "memory_bytes": "The resident memory of a media worker.",
    "segmentation": "Whether the kernel takes the packets of a burst as one message (UDP_SEGMENT): 1, or 0.",
    "sent_packets": "RTP packets that a media worker has sent.",
    "sent_messages": "Messages to the kernel that these packets left in; one may hold a burst.",
    "oversized_packets": "RTP packets that were too large to be sent on.",
    "over_rate_packets": "RTP packets that were dropped, because their producer was over its bit rate.",
    "over_share_packets": "Datagrams that were dropped, because their transport was over its share of the worker.",
}

_SUMS_OF_WORKERS = ("_packets", "_messages", "received_bytes", "cpu_seconds")


class Metrics:
    """All counters of one server."""

    def __init__(self) -> None:
        """Start every number at zero."""
        self._registry = CollectorRegistry()
        self._requests = _Times("hype_http_request_seconds", "Time from request to answer.", ["operation", "status"])
        self._database = _Times(
            "hype_database_seconds", "Time of one operation's database work, waiting for its turn included.", ["mode"]
        )
        self._frames = _Frames()
        self._registry.register(self._requests)
        self._registry.register(self._database)
        self._registry.register(self._frames)
        self._connections = Gauge(
            "hype_gateway_connections", "WebSocket connections open now.", registry=self._registry
        )
        self._closes = Counter(
            "hype_gateway_closes", "WebSocket connections closed, by code.", ["code"], registry=self._registry
        )
        self._refused = Counter(
            "hype_connections_refused",
            "Connections that were refused, or (`idle`) cut for the sake of others, by port and reason.",
            ["port", "reason"],
            registry=self._registry,
        )
        _describe_process(self._registry)

    def request(self, operation: str, status: int, seconds: float) -> None:
        """Count one HTTP answer. operation: its operationId, `none` where no operation was found."""
        self._requests.observe((operation, status), seconds)

    def database(self, write: bool, seconds: float) -> None:
        """Count one operation's work in the database."""
        self._database.observe(("write" if write else "read",), seconds)

    def connected(self) -> None:
        """Count a WebSocket connection that was opened."""
        self._connections.inc()

    def disconnected(self, code: int) -> None:
        """Count a WebSocket connection that was closed with `code` (1006 when it was cut)."""
        self._connections.dec()
        self._closes.labels(str(code)).inc()

    def connection_refused(self, port: str, reason: str) -> None:
        """Count a connection that was refused, or cut for the sake of another (see `hype.admission`)."""
        self._refused.labels(port, reason).inc()

    def frame_in(self, type_: str) -> None:
        """Count a frame from a client. type_: a name of the spec, or `unknown`: never what a client chose."""
        self._frames.count("in", type_)

    def frames_out(self, type_: str, count: int = 1) -> None:
        """Count `count` frames of one event sent to clients."""
        self._frames.count("out", type_, count)

    def watch_media(self, figures: Callable[[], Mapping[str, int]]) -> None:
        """Show the figures of media at each scrape.

        Members that end in `_packets` only ever grow; the others are present numbers.
        """
        self._registry.register(_Media(figures))

    def watch_workers(self, figures: Callable[[], Mapping[int, Mapping[str, float]]]) -> None:
        """Show the figures of each media worker by its process id.

        Members that end as `_SUMS_OF_WORKERS` says only ever grow; the others are present numbers. The metrics that are
        described have a TYPE line before the first worker has told its figures.
        """
        self._registry.register(_Workers(figures))

    def watch_tasks(self, count: Callable[[], int]) -> None:
        """Show the number of tasks of the server's event loop."""
        tasks = Gauge("hype_event_loop_tasks", "Tasks of the server's event loop.", registry=self._registry)
        tasks.set_function(count)

    def watch_connections(self, numbers: Callable[[], Mapping[str, int]]) -> None:
        """Show the number of open connections of each port at each scrape."""
        self._registry.register(_Connections(numbers))

    def text(self) -> str:
        """Return all numbers in Prometheus' text format."""
        return generate_latest(self._registry).decode()


class _Times(Collector):
    """A histogram, which counts in a third of the time of prometheus_client's: every request is counted twice."""

    def __init__(self, name: str, text: str, labels: Sequence[str]) -> None:
        self._describe = lambda: HistogramMetricFamily(name, text, labels=labels)
        self._times: dict[tuple[object, ...], list[float]] = {}

    def observe(self, labels: tuple[object, ...], seconds: float) -> None:
        """Count a time; the event loop's thread calls it.

        Of each label's list, the last member is the sum; the others are the buckets.
        """
        times = self._times.get(labels)
        if times is None:
            times = self._times[labels] = [0] * (len(_SECONDS) + 2)
        times[bisect_left(_SECONDS, seconds)] += 1
        times[-1] += seconds

    def collect(self) -> Iterable[Metric]:
        family = self._describe()  # type: ignore[no-untyped-call]  # it has no types
        for labels, times in list(self._times.items()):
            buckets = zip([*map(str, _SECONDS), "+Inf"], accumulate(times[:-1]), strict=True)
            family.add_metric([str(label) for label in labels], list(buckets), times[-1])
        yield family


class _Connections(Collector):
    def __init__(self, numbers: Callable[[], Mapping[str, int]]) -> None:
        self._numbers = numbers

    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily("hype_connections", "TCP connections open now, by port.", labels=["port"])
        for port, number in self._numbers().items():
            family.add_metric([port], number)
        yield family


class _Frames(Collector):
    """The counter of frames; prometheus_client's costs a frame that nobody hears a tenth of its time."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], int] = defaultdict(int)

    def count(self, direction: str, type_: str, number: int = 1) -> None:
        """Count frames; the event loop's thread calls it."""
        self._counts[direction, type_] += number

    def collect(self) -> Iterable[Metric]:
        text = "WebSocket frames by event type; unknown types count as `unknown`."
        family = CounterMetricFamily("hype_gateway_frames", text, labels=["direction", "type"])
        for labels, number in list(self._counts.items()):
            family.add_metric(list(labels), number)
        yield family


class _Media(Collector):
    def __init__(self, figures: Callable[[], Mapping[str, int]]) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        for name, number in self._figures().items():
            if name.endswith("_packets"):
                yield CounterMetricFamily(f"hype_media_{name}", "RTP packets, by direction.", value=number)
            else:
                yield GaugeMetricFamily(f"hype_media_{name}", f"Media {name} that exist now.", value=number)


class _Workers(Collector):
    def __init__(self, figures: Callable[[], Mapping[int, Mapping[str, float]]]) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        families = {name: _family_of_workers(name) for name in _OF_WORKERS}
        for pid, figures in self._figures().items():
            for name, number in figures.items():
                families.setdefault(name, _family_of_workers(name)).add_metric([str(pid)], number)
        return families.values()


def _family_of_workers(name: str) -> CounterMetricFamily | GaugeMetricFamily:
    family = CounterMetricFamily if name.endswith(_SUMS_OF_WORKERS) else GaugeMetricFamily
    text = _OF_WORKERS.get(name, f"{name.capitalize()} that a media worker knows of.")
    return family(f"hype_media_worker_{name}", text, labels=["pid"])


def _describe_process(registry: CollectorRegistry) -> None:
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
