"""``python -m bot``: the same as ``tarla``."""

from bot.cli import main

main()
