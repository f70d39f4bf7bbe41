"""What is counted, in Prometheus' text format. Nothing here is global: each application has a registry of its own."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.operations.counts import Counter, Histogram
from bot.operations.operations import FIGURES, Operations
from handlers.ports import ModelInUse, model_or_none
from knowledge.evidence import EvidenceError
from knowledge.evidence import load as load_evidence

UNUSABLE = "not usable"


class TarlaCollector(Collector):
    """Reads an application's counts and figures at the moment of asking."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    def collect(self) -> Iterable[Metric]:
        """All series."""
        counts = self._operations.counts
        yield from map(_counter, counts.counters)
        yield from map(_histogram, counts.histograms)
        yield self._turned_away()
        yield from self._figures()
        yield from self._probes()
        yield self._build()

    def _turned_away(self) -> Metric:
        family = CounterMetricFamily(
            "tarla_turned_away", "Requests turned away before anybody read them, by reason", labels=("reason",)
        )
        for reason, source in self._operations.turned_away.items():
            family.add_metric((reason,), source())
        return family

    def _figures(self) -> Iterable[Metric]:
        for name, source in self._operations.sources.items():
            try:
                value = source()
            except Exception:  # noqa: BLE001, S112 - a figure that cannot be had is not shown, and the others are
                continue
            if value is None:
                continue
            figure = FIGURES[name]
            family = CounterMetricFamily if figure.kind == "counter" else GaugeMetricFamily
            yield family(name, figure.help, value=value)

    def _probes(self) -> Iterable[Metric]:
        states = self._operations.readiness.states()
        each = GaugeMetricFamily("tarla_probe_ok", "1 where a probe of /readyz is well", labels=("probe",))
        for name, reason in states.items():
            each.add_metric((name,), float(reason is None))
        yield each
        well = float(not self._operations.readiness.reasons())
        yield GaugeMetricFamily("tarla_ready", "1 when an answer could be given now", value=well)

    def _build(self) -> Metric:
        labels = {"code": self._operations.code, "model": _model(self._operations.model), "evidence": _evidence()}
        family = GaugeMetricFamily("tarla_build_info", "Versions in use", labels=tuple(labels))
        family.add_metric(tuple(labels.values()), 1.0)
        return family


def registry_of(operations: Operations) -> CollectorRegistry:
    """A registry with this application's series and those of its process."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(TarlaCollector(operations))
    ProcessCollector(registry=registry)
    return registry


def exposition(registry: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    """Body and content type, in the format that ``accept`` (the header of that name) asks for."""
    encoder, content_type = choose_encoder(accept)
    return encoder(registry), content_type


def _counter(counter: Counter) -> Metric:
    family = CounterMetricFamily(counter.name, counter.help, labels=counter.labels)
    for values, count in counter.series():
        family.add_metric(values, count)
    return family


def _histogram(histogram: Histogram) -> Metric:
    family = HistogramMetricFamily(histogram.name, histogram.help, labels=(histogram.label,))
    bounds = (*(str(bound) for bound in histogram.bounds), "+Inf")
    for word, counts, total in histogram.series():
        so_far, buckets = 0, []
        for bound, count in zip(bounds, counts, strict=True):
            so_far += count
            buckets.append((bound, so_far))
        family.add_metric((word,), buckets, total)
    return family


def _model(in_use: ModelInUse) -> str:
    model = model_or_none(in_use)
    return UNUSABLE if model is None else model.version.id


def _evidence() -> str:
    try:
        return load_evidence().version
    except EvidenceError:
        return UNUSABLE
