"""``/healthz``, ``/readyz`` and ``/metrics``, on whatever web application they are added to."""

from __future__ import annotations

import asyncio
from types import ModuleType

from aiohttp import web

from bot.operations.operations import Operations

HEALTH_PATH, READY_PATH, METRICS_PATH = "/healthz", "/readyz", "/metrics"
_FRESH = {"Cache-Control": "no-store"}


def add_routes(application: web.Application, operations: Operations) -> None:
    """Serve the three reports of ``operations``."""
    reports = _Reports(operations)
    application.router.add_get(HEALTH_PATH, reports.health)
    application.router.add_get(READY_PATH, reports.ready)
    application.router.add_get(METRICS_PATH, reports.metrics)


class _Reports:
    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def health(self, _request: web.Request) -> web.Response:
        """200: the event loop turns. Slack, ledger and model are left out, for a new start would not mend them."""
        return web.json_response({"alive": True}, headers=_FRESH)

    async def ready(self, _request: web.Request) -> web.Response:
        """200 when an answer could be given now, else 503 with a closed word for each thing that is in the way."""
        readiness = self._operations.readiness
        reasons = readiness.reasons()
        body = {"ready": not reasons, "reasons": reasons, "warnings": readiness.warnings()}
        return web.json_response(body, status=503 if reasons else 200, headers=_FRESH)

    async def metrics(self, request: web.Request) -> web.Response:
        """Prometheus' text format."""
        # Imported for the first who asks, beside the event loop: nobody's answer waits for it, nor does the start.
        exposition = await asyncio.to_thread(_exposition)
        registry = exposition.registry_of(self._operations)
        body, content_type = exposition.exposition(registry, request.headers.get("Accept", ""))
        return web.Response(body=body, headers=_FRESH | {"Content-Type": content_type})


def _exposition() -> ModuleType:
    from bot.operations import exposition

    return exposition
