"""App Home: how to ask, the user's own answers, versions and settings."""

from handlers.home.desk import HomeDesk
from handlers.home.view import home_view

__all__ = ["HomeDesk", "home_view"]
