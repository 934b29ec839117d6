"""The numbers of GET /metrics."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from hype.database import Database
from hype.models import User
from hype.models.migrate import migrate
from hype.telemetry.metrics import Metrics


def test_counts_by_operation_and_status() -> None:
    """An operator sees how often each operation gave each status."""
    metrics = Metrics()
    metrics.request("getUser", 404, 0.003)
    metrics.request("getUser", 404, 0.004)
    assert 'hype_http_request_seconds_count{operation="getUser",status="404"} 2.0' in metrics.text()


def test_connections_go_up_and_down() -> None:
    """The gauge shows the sockets open now; closes are counted by code."""
    metrics = Metrics()
    metrics.connected()
    metrics.connected()
    metrics.disconnected(4401)
    assert "hype_gateway_connections 1.0" in metrics.text()
    assert 'hype_gateway_closes_total{code="4401"} 1.0' in metrics.text()


def test_frames_by_direction_and_type() -> None:
    """An event to three sockets is three frames out."""
    metrics = Metrics()
    metrics.frame_in("message")
    metrics.frames_out("message", 3)
    assert 'hype_gateway_frames_total{direction="in",type="message"} 1.0' in metrics.text()
    assert 'hype_gateway_frames_total{direction="out",type="message"} 3.0' in metrics.text()


def test_two_servers_have_their_own_numbers() -> None:
    """The numbers of two servers in one process stay apart."""
    first, second = Metrics(), Metrics()
    first.connected()
    assert "hype_gateway_connections 0.0" in second.text()


async def test_reads_and_writes_are_timed_apart(database_url: str) -> None:
    """Work that wrote is counted apart; failed work counts, too."""
    metrics = Metrics()
    database = Database(database_url, observe=metrics.database)
    database.open()
    try:
        migrate(database)
        await database.run(lambda unit: User.add(username="anna"))
        with pytest.raises(ZeroDivisionError):
            await database.run(lambda unit: 1 / 0)
    finally:
        database.close()
    assert 'hype_database_seconds_count{mode="read"} 1.0' in metrics.text()
    assert 'hype_database_seconds_count{mode="write"} 1.0' in metrics.text()


def test_media_figures_are_read_at_each_scrape() -> None:
    """Present numbers are gauges, sums are counters."""
    metrics, figures = Metrics(), {"transports": 2, "sent_packets": 5}
    metrics.watch_media(lambda: figures)
    figures["transports"] = 3
    text = metrics.text()
    assert "hype_media_transports 3.0" in text
    assert "hype_media_sent_packets_total 5.0" in text


def test_each_worker_has_its_own_figures() -> None:
    """A worker is shown by its process id, and no longer shown once it is gone."""
    metrics, figures = Metrics(), {7: {"tasks": 2, "sent_messages": 9, "transports": 1}, 8: {"tasks": 3}}
    metrics.watch_workers(lambda: figures)
    del figures[7]["transports"]
    assert 'hype_media_worker_tasks{pid="7"} 2.0\nhype_media_worker_tasks{pid="8"} 3.0' in metrics.text()
    assert 'hype_media_worker_sent_messages_total{pid="7"} 9.0' in metrics.text()
    del figures[7]
    assert 'pid="7"' not in metrics.text()


def test_the_metrics_that_the_spec_names_are_there_before_a_worker_tells_figures() -> None:
    """A dashboard finds each name and type of `x-hype-metrics` (R12) from the first scrape on."""
    spec = yaml.safe_load((Path(__file__).parents[2] / "openapi.yaml").read_text(encoding="utf-8"))
    metrics = Metrics()
    metrics.watch_workers(dict)
    lines = metrics.text().splitlines()
    for name, metric in spec["paths"]["/metrics"]["get"]["x-hype-metrics"].items():
        assert f"# TYPE {name} {metric['type']}" in lines


def test_tasks_of_the_event_loop_are_counted_at_each_scrape() -> None:
    """An operator sees a leak as a number that only grows."""
    metrics, tasks = Metrics(), [1]
    metrics.watch_tasks(lambda: len(tasks))
    tasks.append(2)
    assert "hype_event_loop_tasks 2.0" in metrics.text()


def test_times_are_those_of_a_histogram_of_prometheus() -> None:
    """Buckets, counts and sums are the ones that its own client writes, on the bounds as well."""
    metrics, registry = Metrics(), CollectorRegistry()
    bounds = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
    expected = Histogram(
        "hype_http_request_seconds",
        "Time from request to answer.",
        ["operation", "status"],
        buckets=bounds,
        registry=registry,
    )
    for seconds in (0.0, 0.001, 0.0011, 0.3, *bounds, 11.0):
        metrics.request("getUser", 200, seconds)
        expected.labels("getUser", "200").observe(seconds)
    metrics.request("getUser", 404, 0.2)
    expected.labels("getUser", "404").observe(0.2)
    assert _about(metrics.text(), "hype_http_request_seconds") == _about(
        generate_latest(registry).decode(), "hype_http_request_seconds"
    )


def _about(text: str, name: str) -> list[str]:
    return [line for line in text.splitlines() if name in line and "_created" not in line]
