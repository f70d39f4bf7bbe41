"""Tables and guards of the ledger, version 2. What version 1 had is final; version 2 only adds.

A row that may never change cannot be migrated, so every column is here for a
reader years from now who has this file, no running Tarla and no trust in it:

``event.seq``           place in the order of recording: 1, 2, 3 ... without a gap, so that a
                        missing event shows; also the leaf's index (plus one) in the Merkle tree.
``event.idem_key``      the request the event belongs to; unique, so one request is answered once.
                        Printable ASCII without space: an identifier fits, a sentence does not.
``event.kind``          what happened. Only its form is checked: new kinds are new words, not
                        new tables.
``event.ref``           the earlier event this one is about (``delivered`` names its ``computed``).
                        It can only point back, and every earlier number exists.
``event.time``          when it was recorded, RFC 3339, UTC, microseconds. Not forced to rise: a
                        clock set right again must not stop the ledger; ``seq`` is the order.
``event.payload_hash``  SHA-256(salt || body). Stays when the payload is pruned, so the leaf can
                        still be recomputed from the row.
``event.leaf``          RFC 6962 leaf hash over all columns above: what checkpoints and
                        receipts commit to. Stored, so that change shows in the row itself.
``payload.salt``        random; keeps a pruned body from being guessed out of its hash (the
                        answers to a closed set of questions could all be tried).
``payload.body``        what happened, RFC 8785 canonical JSON, decimals as strings.

``pruning``             which payloads may go, because a recorded ``pruned`` event says that their time is
                        over: that event's ``seq``, and the first and last event whose payloads are due.
                        ``event`` stays whole, so no leaf, root or receipt changes. Payloads of the
                        ledger's own events (``KEPT_KINDS``) stay for good.

Needs that arise later (other hashes, say) are met by further tables keyed by ``seq``.

The triggers stop mistakes and ordinary tools, also from connections that set
no pragma; whoever owns the file can drop them. The fingerprint shows that.
"""

from __future__ import annotations

import hashlib
import sqlite3

# "TARL": lets `file` and SQLite's own tools tell a ledger from any other database.
APPLICATION_ID = 0x5441_524C
VERSION = 2
MIN_SQLITE = (3, 37, 0)  # the first release with STRICT tables

# sqlite-utils' own bookkeeping; nothing is decided by it once user_version is set.
BOOKKEEPING_TABLE = "_sqlite_migrations"

# Ceilings no honest event comes near; they bound what a fault can write.
MAX_KIND_BYTES = 40
MAX_IDEM_KEY_BYTES = 200
MAX_BODY_BYTES = 1_048_576

# length() of a text stops at a NUL and GLOB with it; the length as BLOB does not,
# so comparing the two keeps hidden tails out.
CREATE_EVENT = f"""CREATE TABLE event (
  seq INTEGER PRIMARY KEY CHECK (seq >= 1),
  idem_key TEXT NOT NULL UNIQUE CHECK (
    length(CAST(idem_key AS BLOB)) BETWEEN 1 AND {MAX_IDEM_KEY_BYTES}
    AND length(CAST(idem_key AS BLOB)) = length(idem_key)
    AND idem_key NOT GLOB '*[^!-~]*'
  ),
  kind TEXT NOT NULL CHECK (
    length(CAST(kind AS BLOB)) BETWEEN 1 AND {MAX_KIND_BYTES}
    AND length(CAST(kind AS BLOB)) = length(kind)
    AND kind GLOB '[a-z]*'
    AND kind NOT GLOB '*[^a-z0-9_]*'
  ),
  ref INTEGER REFERENCES event (seq) CHECK (ref >= 1 AND ref < seq),
  time TEXT NOT NULL CHECK (
    length(CAST(time AS BLOB)) = 27
    AND time GLOB '[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'
  ),
  payload_hash BLOB NOT NULL CHECK (length(payload_hash) = 32),
  leaf BLOB NOT NULL CHECK (length(leaf) = 32)
) STRICT"""  # noqa: E501 - a pattern cannot be broken

CREATE_PAYLOAD = f"""CREATE TABLE payload (
  seq INTEGER PRIMARY KEY REFERENCES event (seq),
  salt BLOB NOT NULL CHECK (length(salt) BETWEEN 16 AND 64),
  body TEXT NOT NULL CHECK (
    length(CAST(body AS BLOB)) BETWEEN 2 AND {MAX_BODY_BYTES}
    AND instr(body, char(0)) = 0
    AND body GLOB '{{*}}'
  )
) STRICT"""

# BEFORE INSERT triggers run before SQLite resolves a conflict, so INSERT OR REPLACE,
# OR IGNORE and ON CONFLICT DO UPDATE all end here, whatever the pragmas.
CREATE_GUARDS = (
    """CREATE TRIGGER event_insert_next BEFORE INSERT ON event BEGIN
  SELECT RAISE(ABORT, 'ledger: seq must be the next number')
    WHERE NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM event);
  SELECT RAISE(ABORT, 'ledger: idem_key is recorded already')
    WHERE EXISTS (SELECT 1 FROM event WHERE idem_key = NEW.idem_key);
END""",
    """CREATE TRIGGER event_no_update BEFORE UPDATE ON event BEGIN
  SELECT RAISE(ABORT, 'ledger: an event is never changed');
END""",
    """CREATE TRIGGER event_no_delete BEFORE DELETE ON event BEGIN
  SELECT RAISE(ABORT, 'ledger: an event is never deleted');
END""",
    # Only the newest event can receive its payload, and only once.
    """CREATE TRIGGER payload_insert_newest BEFORE INSERT ON payload BEGIN
  SELECT RAISE(ABORT, 'ledger: a payload belongs to the newest event')
    WHERE NEW.seq IS NOT (SELECT max(seq) FROM event);
  SELECT RAISE(ABORT, 'ledger: the event has its payload already')
    WHERE EXISTS (SELECT 1 FROM payload WHERE seq = NEW.seq);
END""",
    """CREATE TRIGGER payload_no_update BEFORE UPDATE ON payload BEGIN
  SELECT RAISE(ABORT, 'ledger: a payload is never changed');
END""",
    """CREATE TRIGGER payload_no_delete BEFORE DELETE ON payload BEGIN
  SELECT RAISE(ABORT, 'ledger: a payload is never deleted');
END""",
)

# Events of the ledger itself rather than of a request: rare, looked for, and never pruned.
KEPT_KINDS = (
    "started",
    "stopped",
    "model_activated",
    "checkpoint",
    "key_rotated",
    "pruned",
    "recalled",
)
# The very text of the index's condition: SQLite uses the index where a query repeats it.
IS_KEPT = f"kind IN ({', '.join(repr(kind) for kind in KEPT_KINDS)})"

ADD_IN_VERSION_2 = (
    f"CREATE INDEX event_of_ledger ON event (kind, seq) WHERE {IS_KEPT}",
    """CREATE TABLE pruning (
  seq INTEGER PRIMARY KEY REFERENCES event (seq),
  first INTEGER NOT NULL CHECK (first >= 1),
  last INTEGER NOT NULL CHECK (last >= first AND last < seq)
) STRICT""",
    """CREATE TRIGGER pruning_insert_newest BEFORE INSERT ON pruning BEGIN
  SELECT RAISE(ABORT, 'ledger: pruning needs its event first')
    WHERE NEW.seq IS NOT (SELECT max(seq) FROM event)
      OR (SELECT kind FROM event WHERE seq = NEW.seq) IS NOT 'pruned';
  SELECT RAISE(ABORT, 'ledger: the event has its pruning already')
    WHERE EXISTS (SELECT 1 FROM pruning WHERE seq = NEW.seq);
END""",
    """CREATE TRIGGER pruning_no_update BEFORE UPDATE ON pruning BEGIN
  SELECT RAISE(ABORT, 'ledger: a pruning is never changed');
END""",
    """CREATE TRIGGER pruning_no_delete BEFORE DELETE ON pruning BEGIN
  SELECT RAISE(ABORT, 'ledger: a pruning is never deleted');
END""",
    "DROP TRIGGER payload_no_delete",
    f"""CREATE TRIGGER payload_delete_due BEFORE DELETE ON payload BEGIN
  SELECT RAISE(ABORT, 'ledger: a payload is never deleted before its time is over')
    WHERE NOT EXISTS (SELECT 1 FROM pruning WHERE OLD.seq BETWEEN first AND last);
  SELECT RAISE(ABORT, 'ledger: this payload is kept for good')
    WHERE EXISTS (SELECT 1 FROM event WHERE seq = OLD.seq AND {IS_KEPT});
END""",  # noqa: S608 - put together of constants
)

# SHA-256 of the whole schema as SQLite keeps it, for every version ever shipped.
# A constant, not computed from the text above: a careless edit must fail a test.
FINGERPRINTS = {
    0: hashlib.sha256(b"").hexdigest(),  # a file yet empty
    1: "9f2daa5adb0619e62d185017b06ed3e4fd37d68ac93288f858ae2b2bc02c2c0b",
    2: "22f0c7230cfdb99bbb3fdb23d97fb7137e1d8866b3e3fffb3c960e4fe978a5c5",
}


def fingerprint(connection: sqlite3.Connection) -> str:
    """SHA-256 (hex) over all tables, indexes, triggers and views that the file defines.

    Left out: SQLite's internal tables and indexes, and sqlite-utils' bookkeeping
    (but not triggers on them).
    """
    rows = connection.execute(
        "SELECT CAST(type AS BLOB), CAST(name AS BLOB), CAST(tbl_name AS BLOB), CAST(coalesce(sql, '') AS BLOB)"
        " FROM sqlite_master"
        " WHERE NOT (type IN ('table', 'index') AND (name LIKE 'sqlite\\_%' ESCAPE '\\' OR tbl_name = ?))"
        " ORDER BY type, name",
        (BOOKKEEPING_TABLE,),
    )
    digest = hashlib.sha256()
    for row in rows:
        for part in row:
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
