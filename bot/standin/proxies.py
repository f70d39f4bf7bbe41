"""Keep loopback traffic away from a proxy.

slack_sdk hands every address, 127.0.0.1 included, to ``HTTPS_PROXY`` or
``HTTP_PROXY`` and does not look at ``NO_PROXY``. A local Slack is therefore out
of reach on a machine behind a proxy unless these variables are gone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def without_proxies(environ: Mapping[str, str]) -> dict[str, str]:
    """A copy of ``environ`` without any proxy variable, in either case."""
    return {name: value for name, value in environ.items() if name.lower() not in PROXY_VARIABLES}


@contextmanager
def proxies_dropped() -> Iterator[None]:
    """This process without proxy variables; they are put back on leaving."""
    kept = {name: value for name, value in os.environ.items() if name.lower() in PROXY_VARIABLES}
    for name in kept:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(kept)
