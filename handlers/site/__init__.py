"""The site: the settings in force, and what its administrators may see of the ledger."""

from handlers.site.desk import SiteDesk
from handlers.site.settings import SiteSettings

__all__ = ["SiteDesk", "SiteSettings"]
