"""What /metrics says of the outbox, asked when it is scraped: any web process answers for all of them."""

from __future__ import annotations

from collections.abc import Iterator

import structlog
from django.db import DatabaseError
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from sms.overview import figures

log = structlog.get_logger(__name__)


class OutboxCollector(Collector):
    """Gauges from the database: no process keeps them, so none can be out of date."""

    def describe(self) -> list[GaugeMetricFamily]:
        """Without it the registry would collect, and ask the database, while the process starts."""
        return [
            GaugeMetricFamily(
                "hotline_sms_oldest_undecided_seconds",
                "How long the oldest SMS that is due, or being handed over, has waited",
            ),
            GaugeMetricFamily("hotline_sms_undecided", "SMS that are due, or being handed over"),
            GaugeMetricFamily("hotline_sms_uncertain", "SMS whose fate only a person can decide"),
        ]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Nothing where the database does not answer: /readyz says that it is away."""
        try:
            found = figures()
        except DatabaseError as error:
            log.warning("sms_metrics_unknown", error=type(error).__name__)
            return
        oldest, undecided, uncertain = self.describe()
        oldest.add_metric([], found.oldest_undecided.total_seconds())
        undecided.add_metric([], found.undecided)
        uncertain.add_metric([], found.uncertain)
        yield from (oldest, undecided, uncertain)
