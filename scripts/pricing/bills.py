"""What a month costs on Amazon and on Google: list prices in US dollars of November 2026, without free tiers."""

import math
from dataclasses import dataclass

from scripts.pricing.measured import Measured

MONTH_HOURS = 30 * 24
MONTH_SECONDS = MONTH_HOURS * 3600
SERVER_MONTH = 6.13 + 3.65 + 0.64
"""The smallest server: a t4g.micro (1 GB, two slow cores), its public address and 8 GB of disk."""

_CORE_MB = 1769  # Lambda gives a function with this much memory one whole core, and one with less a share of it
_WARM_MINUTES = 10  # about how long either cloud keeps an idle instance at least; neither promises anything


def cold_share(queries: int) -> float:
    """Return the share of queries that meet a cold start, if they come evenly over the month."""
    return math.exp(-queries / (MONTH_HOURS * 60) * _WARM_MINUTES)


@dataclass(frozen=True)
class AmazonPrices:
    """Prices in us-east-1, on arm64."""

    gb_second: float = 0.0000133334
    million_requests: float = 0.20
    million_api_calls: float = 1.00
    stored_gb: float = 0.023
    million_queue_calls: float = 0.40
    alarm_month: float = 0.10
    metric_month: float = 0.30
    """A custom metric, billed by the hour with data."""
    snapshot_gb_second: float = 0.0000015046
    """A version's snapshot (SnapStart), by the function's memory."""


@dataclass(frozen=True)
class Amazon:
    """A deployment on Amazon."""

    measured: Measured
    memory_mb: int
    stored_gb: float
    has_gateway: bool = True
    """Whether requests come through the HTTP API; without it, through a function URL."""
    prices: AmazonPrices = AmazonPrices()

    def polling(self, callers: int) -> float:
        """Return a month of Lambda's polling: each caller asks the queue every 20 seconds."""
        return callers * MONTH_SECONDS / 20 / 1e6 * self.prices.million_queue_calls

    def alarms(self, count: int = 6, runs_a_day: int = 4) -> float:
        """Return a month of alarms and of the metric that each scheduled re-index writes."""
        return count * self.prices.alarm_month + runs_a_day / 24 * self.prices.metric_month

    def snapshot(self) -> float:
        """Return a month of keeping one snapshot."""
        return self.memory_mb / 1024 * MONTH_SECONDS * self.prices.snapshot_gb_second

    def idle(self, callers: int = 2, *, has_alarms: bool = False) -> float:
        """Return a month without queries: storage, the polling of the queue by `callers`, and the alarms if any."""
        alarms = self.alarms() if has_alarms else 0.0
        return self.stored_gb * self.prices.stored_gb + self.polling(callers) + alarms

    def query(self, queries: int) -> float:
        """Return the cost of one query among so many in a month."""
        share = cold_share(queries)
        # Lambda starts an instance with a whole core, whatever its memory.
        cold_ms = self.measured.start_ms + self.measured.first_ms * self._slower
        return self._seconds(share * cold_ms + (1 - share) * self.measured.warm_ms * self._slower) + self._request

    def month(self, queries: int) -> float:
        """Return a month with so many queries, without alarms."""
        return self.idle() + queries * self.query(queries)

    def worst(self, rate: float, milliseconds: float, concurrency: int) -> float:
        """Return a month of requests without a pause.

        Args:
            rate: requests a second that the throttle lets through; infinite without a throttle.
            milliseconds: how long each takes on a whole core.
            concurrency: most at once; 0 for no limit.
        """
        each_ms = milliseconds * self._slower
        if concurrency:
            rate = min(rate, concurrency * 1000 / each_ms)
        return rate * MONTH_SECONDS * (self._seconds(each_ms) + self._request)

    @property
    def _slower(self) -> float:
        return max(1.0, _CORE_MB / self.memory_mb)

    @property
    def _request(self) -> float:
        calls = self.prices.million_api_calls if self.has_gateway else 0.0
        return (self.prices.million_requests + calls) / 1e6

    def _seconds(self, milliseconds: float) -> float:
        return milliseconds / 1000 * self.memory_mb / 1024 * self.prices.gb_second


@dataclass(frozen=True)
class GooglePrices:
    """Prices of Cloud Run in its cheaper regions (tier 1), billed by request, and of what stands beside it."""

    cpu_second: float = 0.000024
    gib_second: float = 0.0000025
    million_requests: float = 0.40
    step_seconds: float = 0.1
    """An instance at work is billed in such steps."""
    stored_gb: float = 0.020
    scheduler_job: float = 0.10


@dataclass(frozen=True)
class Google:
    """A deployment on Google Cloud: instances with one processor and 1 GiB."""

    measured: Measured
    stored_gb: float
    prices: GooglePrices = GooglePrices()

    def idle(self) -> float:
        """Return a month without queries: storage and one job of Cloud Scheduler. Events are pushed, not polled."""
        return self.stored_gb * self.prices.stored_gb + self.prices.scheduler_job

    def query(self, queries: int) -> float:
        """Return the cost of one query among so many in a month, each of them alone in its instance."""
        share = cold_share(queries)
        cold = self._billed(self.measured.start_ms + self.measured.first_ms)
        warm = self._billed(self.measured.warm_ms)
        return share * cold + (1 - share) * warm + self.prices.million_requests / 1e6

    def month(self, queries: int) -> float:
        """Return a month with so many queries."""
        return self.idle() + queries * self.query(queries)

    def worst(self, instances: int) -> float:
        """Return a month in which so many instances, the most that may run, are always at work, without requests."""
        return instances * MONTH_SECONDS * self._second

    @property
    def _second(self) -> float:
        return self.prices.cpu_second + self.prices.gib_second

    def _billed(self, milliseconds: float) -> float:
        steps = math.ceil(milliseconds / 1000 / self.prices.step_seconds)
        return steps * self.prices.step_seconds * self._second
