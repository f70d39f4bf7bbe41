"""The commands under ``tarla study``. Each module of commands adds its own; heavy imports stand inside them."""

from __future__ import annotations

import click


@click.group()
def study() -> None:
    """The founding study on your own patients: check the file, report, validate, update."""
