"""What is counted, in the words of Prometheus; no label of a metric holds anything of a text."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_TEXTS = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """The counters of one service; they count what `observe` and its siblings are told.

    >>> metrics = Metrics()
    >>> metrics.observe_batch(texts=2, chars=300, windows=2, seconds=0.02)
    >>> "onepass_windows_total 2.0" in metrics.page().decode()
    True
    """

    def __init__(self) -> None:
        own = self._registry = CollectorRegistry()
        ProcessCollector(registry=own)
        self._requests = Counter(
            "onepass_requests", "Requests that were answered.", ["route", "status"], registry=own
        )
        self._latency = Histogram(
            "onepass_request_seconds",
            "Time from the first byte of a request to the last of its answer.",
            ["route"],
            buckets=_SECONDS,
            registry=own,
        )
        self._errors = Counter(
            "onepass_errors", "Requests and texts that were refused.", ["code"], registry=own
        )
        self._waited = Histogram(
            "onepass_queue_seconds",
            "Time that texts waited to be read.",
            buckets=_SECONDS,
            registry=own,
        )
        self._dropped = Counter(
            "onepass_texts_dropped", "Texts left unread: nobody waited any more.", registry=own
        )
        self._batch_texts = Histogram(
            "onepass_batch_texts", "Texts read together.", buckets=_TEXTS, registry=own
        )
        self._batch_seconds = Histogram(
            "onepass_batch_seconds", "Time that a batch took.", buckets=_SECONDS, registry=own
        )
        self._texts = Counter("onepass_texts", "Texts that were read.", registry=own)
        self._chars = Counter("onepass_characters", "Characters of these texts.", registry=own)
        self._windows = Counter("onepass_windows", "Windows of these texts.", registry=own)

    def watch(self, name: str, text: str, value: Callable[[], float]) -> None:
        """Show a number that is asked for when the page is.

        Args:
            name: behind ``onepass_``.
            text: what it means.
            value: returns it.
        """
        Gauge(f"onepass_{name}", text, registry=self._registry).set_function(value)

    def observe_request(self, route: str, status: int, seconds: float) -> None:
        self._requests.labels(route, str(status)).inc()
        self._latency.labels(route).observe(seconds)

    def observe_batch(self, *, texts: int, chars: int, windows: int, seconds: float) -> None:
        self._batch_texts.observe(texts)
        self._batch_seconds.observe(seconds)
        self._texts.inc(texts)
        self._chars.inc(chars)
        self._windows.inc(windows)

    def observe_wait(self, seconds: float) -> None:
        self._waited.observe(seconds)

    def count_error(self, code: str) -> None:
        self._errors.labels(code).inc()

    def count_dropped(self, texts: int) -> None:
        self._dropped.inc(texts)

    def page(self) -> bytes:
        """Return all of it in Prometheus' text format."""
        return generate_latest(self._registry)
