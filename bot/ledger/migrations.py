"""Numbered changes to the ledger's schema; each brings ``user_version`` up by one.

Imported only when a file is new or older than the code, since sqlite-utils is
slow to import. A function here is never edited once released: change by adding.
"""

from __future__ import annotations

import sqlite3
import sys

from bot.ledger import schema

# sqlite-utils takes in pandas wherever that is installed, to know its types: 33 MB and a third of a second, for nothing
# that is done here. None in sys.modules makes Python say that there is no such module; it is taken out again at once.
_UNWANTED = "pandas"
_hidden = _UNWANTED not in sys.modules
if _hidden:
    sys.modules[_UNWANTED] = None  # type: ignore[assignment]
try:
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations
finally:
    if _hidden:
        del sys.modules[_UNWANTED]

migrations = Migrations("tarla_ledger")


@migrations()
def m001_event_and_payload(db: Database) -> None:
    """The two tables and their guards."""
    db.execute(schema.CREATE_EVENT)
    db.execute(schema.CREATE_PAYLOAD)
    for statement in schema.CREATE_GUARDS:
        db.execute(statement)
    db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    db.execute("PRAGMA user_version = 1")


@migrations()
def m002_pruning(db: Database) -> None:
    """What retention needs, and an index over the ledger's own events."""
    for statement in schema.ADD_IN_VERSION_2:
        db.execute(statement)
    db.execute("PRAGMA user_version = 2")


def apply_pending(connection: sqlite3.Connection) -> None:
    """Bring the schema up to date inside the caller's open transaction.

    The connection stays the standard library's: sqlite-utils may hold another
    SQLite, and two on one file would break each other's locks. Its plugins are
    not loaded, so that nothing foreign runs on the ledger.
    """
    database = Database(connection, execute_plugins=False, strict=True)
    migrations.ensure_migrations_table(database)
    # user_version tells what was done, whatever became of sqlite-utils' own table.
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    done = {migration.name for migration in migrations.applied(database)}
    for migration in migrations.pending(database)[: max(0, version - len(done))]:
        database.table(schema.BOOKKEEPING_TABLE).insert(
            {"migration_set": migrations.name, "name": migration.name, "applied_at": ""}
        )
    migrations.apply(database)
