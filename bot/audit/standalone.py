#!/usr/bin/env python3
"""Checks a Tarla ledger, or one receipt, without Tarla. Needs Python 3.11 and the package cryptography.

  python verify_ledger.py ledger LEDGER.db CHECKPOINTS KEY [KEY ...]   the whole ledger against a folder of checkpoints
  python verify_ledger.py receipt PROOF.json KEY [KEY ...]             one event against the checkpoint in its proof

KEY is a public key line (name+id+base64) that you have from elsewhere than the ledger and the folder.
Exit status 0 when all is in order; else 1, and a line for each thing that is wrong.
"""

# fmt: off
# mypy: ignore-errors
# Short, to be read whole by whoever must trust it: not typed or laid out as the rest of Tarla, whose tests it passes.
# ruff: noqa
import base64, contextlib, datetime, hashlib, itertools, json, pathlib, re, sqlite3, sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SCHEMAS = {1: "9f2daa5adb0619e62d185017b06ed3e4fd37d68ac93288f858ae2b2bc02c2c0b",
           2: "22f0c7230cfdb99bbb3fdb23d97fb7137e1d8866b3e3fffb3c960e4fe978a5c5"}
OBJECTS = """SELECT CAST(type AS BLOB), CAST(name AS BLOB), CAST(tbl_name AS BLOB), CAST(coalesce(sql, '') AS BLOB)
  FROM sqlite_master WHERE NOT (type IN ('table', 'index')
  AND (name LIKE 'sqlite\\_%' ESCAPE '\\' OR tbl_name = '_sqlite_migrations')) ORDER BY type, name"""
ROWS = """SELECT e.seq, e.idem_key, e.kind, e.ref, e.time, e.payload_hash, e.leaf, p.salt, p.body,
  (SELECT k.seq FROM event AS k WHERE k.idem_key = e.idem_key) FROM event e LEFT JOIN payload p ON p.seq = e.seq
  WHERE e.seq > ? ORDER BY e.seq LIMIT 500"""
SAID = "SELECT e.seq, e.time, p.body FROM event e JOIN payload p ON p.seq = e.seq WHERE e.kind = ? ORDER BY e.seq"
ORPHANS = """SELECT seq FROM payload WHERE seq < 1 OR seq > (SELECT coalesce(max(seq), 0) FROM event)
  UNION ALL SELECT seq FROM event WHERE seq < 1"""
BY_KEY = """SELECT count(*) = (SELECT coalesce(max(seq), 0) FROM event)
  FROM event INDEXED BY sqlite_autoindex_event_1 WHERE idem_key > ''"""
NOW = datetime.datetime.now(datetime.timezone.utc)
NOTE_NAME = re.compile("([0-9]{12}|[1-9][0-9]{12,17})[.]note", re.ASCII)
KEPT = ("started", "stopped", "model_activated", "checkpoint", "key_rotated", "pruned", "recalled")
KEPT_ROWS = "SELECT kind, seq FROM event WHERE +kind IN %s AND seq <= ? ORDER BY +kind, +seq" % (KEPT,)
KEPT_INDEX = "SELECT kind, seq FROM event INDEXED BY event_of_ledger WHERE kind IN %s AND seq <= ? ORDER BY +kind, +seq" % (KEPT,)


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def leaf_hash(**columns):  # RFC 6962, over the columns as canonical JSON (RFC 8785)
    return sha(b"\0", json.dumps(columns, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())


def read_key(line):  # -> name, id, raw key
    if line.count("+") < 2:
        raise ValueError("a public key reads name+id+base64")
    name, key_id, encoded = line.strip().split("+", 2)
    raw = base64.b64decode(encoded, validate=True)
    if raw[:1] != b"\1" or sha(name.encode(), b"\n", raw)[:4].hex() != key_id:
        raise ValueError("not a public key")
    return name, bytes.fromhex(key_id), raw[1:]


def open_note(text, keys):  # -> origin, size, root, ids of the keys that signed; any wrong signature by them raises
    head, _, lines = text.rpartition("\n\n")
    origin, size, encoded = head.split("\n")
    signers = set()
    for line in lines.rstrip("\n").split("\n"):
        name, signature = line.removeprefix("\N{EM DASH} ").split(" ")
        raw = base64.b64decode(signature, validate=True)
        for key in (key for key in keys if key[:2] == (name, raw[:4])):
            Ed25519PublicKey.from_public_bytes(key[2]).verify(raw[4:], (head + "\n").encode())
            signers.add(key[1])
    if not signers or origin not in {key[0] for key in keys}:
        raise ValueError("none of the keys signed it")
    return origin, int(size), base64.b64decode(encoded, validate=True), signers


def latest_cut_off(time, years):  # of a policy of so many years, for a pruning at this time
    if type(years) is not int or not 1 <= years <= 100:
        raise ValueError("no policy")
    year = f"{int(time[:4]) - years:04d}"
    return f"{year}-03-01T00:00:00.000000Z" if time[4:10] == "-02-29" else year + time[4:]


def changed_key(said):  # -> old and new key; both must have signed the change
    keys = read_key(said["old"]), read_key(said["new"])
    text = f"{keys[0][0]}\nkey change\n{said['old']}\n{said['new']}\n".encode()
    for key, line in zip(keys, said["signatures"], strict=True):
        name, signature = line.removeprefix("\N{EM DASH} ").split(" ")
        raw = base64.b64decode(signature, validate=True)
        if (name, raw[:4]) != key[:2] or key[0] != keys[0][0]:
            raise ValueError("a change of keys is signed by both")
        Ed25519PublicKey.from_public_bytes(key[2]).verify(raw[4:], text)
    return keys


def check_rows(db, sizes):  # -> what is wrong or None, how many events are right, roots at sizes, changes of key
    good, peaks, roots, digest = 0, [], {0: sha()}, hashlib.sha256()
    for part in (part for row in db.execute(OBJECTS) for part in row):
        digest.update(len(part).to_bytes(8, "big") + part)
    version, mark = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("user_version", "application_id"))
    if digest.hexdigest() != SCHEMAS.get(version) or mark != 0x5441524C:
        return "tables or triggers are not those of a ledger", 0, {}, []
    pruned = {seq: (json.loads(body), time.decode()) for seq, time, body in db.execute(SAID, ("pruned",))}
    table = db.execute("SELECT seq, first, last FROM pruning ORDER BY seq").fetchall() if version > 1 else []
    if table != [(seq, said["first"], said["last"]) for seq, (said, _) in pruned.items()]:
        return "the table of pruned payloads is not what the events say", 0, {}, []
    for seq, (said, when) in pruned.items():
        if not said["before"] <= latest_cut_off(when, said["years"]) or when > f"{NOW + datetime.timedelta(hours=1):%Y-%m-%dT%H:%M:%S.%fZ}":
            return f"event {seq} let payloads go before its policy does, before a year was over, or in the future", 0, {}, []
    while rows := db.execute(ROWS, (good,)).fetchall():
        for seq, key, kind, ref, time, hashed, leaf, salt, body, by_key in rows:
            due = kind.decode() not in KEPT and any(
                said["first"] <= seq <= said["last"] < by and time.decode() < said["before"] for by, (said, _) in pruned.items())
            whole = due and salt is None if body is None else sha(salt, body) == hashed
            columns = {"seq": seq, "idem_key": key.decode(), "kind": kind.decode(), "ref": ref, "time": time.decode()}
            if seq != good + 1 or by_key != seq or not whole or leaf_hash(**columns, payload_hash=hashed.hex()) != leaf:
                return f"event {good + 1} is missing or not as it was recorded", good, roots, []
            good, node, level = seq, leaf, seq - 1
            while level & 1:
                node, level = sha(b"\1", peaks.pop(), node), level >> 1
            peaks.append(node)
            if seq in sizes:
                for peak in peaks[-2::-1]:
                    node = sha(b"\1", peak, node)
                roots[seq] = node
    wrong = "a payload belongs to no event, or an event has no proper number" if db.execute(ORPHANS).fetchone() else None
    if version > 1 and any(one != two for one, two in itertools.zip_longest(
            db.execute(KEPT_ROWS, (good,)), db.execute(KEPT_INDEX, (good,)))):
        wrong = "an index does not lead to the rows"
    if not wrong and db.execute(BY_KEY).fetchone() != (1,):
        wrong = "an index leads to more than the rows"
    return wrong, good, roots, [(seq, *changed_key(json.loads(body))) for seq, _, body in db.execute(SAID, ("key_rotated",))]


def check_ledger(path, folder, keys):
    places = sorted(pathlib.Path(folder).glob("*.note"))
    odd = [place.name for place in places if not (NOTE_NAME.fullmatch(place.name) and place.is_file())]
    notes = {int(place.stem): place.read_bytes().decode("utf-8", "replace") for place in places if place.name not in odd}
    with contextlib.closing(sqlite3.connect(pathlib.Path(path).absolute().as_uri() + "?mode=ro", uri=True)) as db:
        db.text_factory, claims = bytes, {}
        try:
            db.execute("PRAGMA cell_size_check = ON")
            claims = {said["size"]: said for said in (json.loads(row[2]) for row in db.execute(SAID, ("checkpoint",)))}
            wrong, good, roots, changes = check_rows(db, notes.keys() | claims.keys())
        except Exception as error:
            wrong, good, roots, changes = f"the ledger cannot be read to its end ({type(error).__name__})", 0, {}, []
    problems, opened = ([wrong] if wrong else []) + [f"{name!a}: no checkpoint has such a name" for name in odd], {}
    for _ in range(len(changes) + 1):  # a key is followed to its successor, or back, where a checkpoint covers the change
        for size, text in notes.items():
            with contextlib.suppress(Exception):
                opened[size] = open_note(text, keys)
        covered = max((size for size, note in opened.items() if note[1:3] == (size, roots.get(size))), default=0)
        keys = keys | {key for seq, *both in changes if seq <= covered and keys & {*both} for key in both}
    for size, text in sorted(notes.items()):
        try:
            origin, said, root, signers = opened[size] = open_note(text, keys)
        except Exception:
            problems.append(f"checkpoint {size}: malformed, or not signed by a known key")
            continue
        old = {old[1] for seq, old, new in changes for other, note in opened.items()
               if other < size and new[1] in note[3] and old[1] not in note[3]}
        if said != size or signers <= old:
            problems.append(f"checkpoint {size}: tells of {said} events, or its key was replaced before")
        elif size > good and not wrong:
            problems.append(f"checkpoint {size}: the ledger ends at event {good}; its end is gone or the file is older")
        elif size <= good and roots[size] != root:
            problems.append(f"checkpoint {size}: the history up to event {size} was rewritten")
    if gone := sorted(claims.keys() - notes.keys()):
        problems.append(f"checkpoint {gone[0]}: recorded in the ledger, but not in the folder ({len(gone)} such)")
    if lies := [size for size in claims.keys() & roots.keys() if claims[size]["root"] != roots[size].hex()]:
        problems.append(f"checkpoint {min(lies)}: its event tells another root ({len(lies)} such)")
    print(f"{good} events in order, {len(notes)} checkpoints, the last of {max(opened, default=0)} events")
    return problems + ([] if notes else ["no checkpoint: nothing outside the ledger vouches for it"])


def check_receipt(path, keys):
    proof = json.loads(pathlib.Path(path).read_text("utf-8"))
    event, payload, leaf = proof["event"], proof.get("payload"), bytes.fromhex(proof["leaf"])
    origin, size, root, _ = open_note(proof["checkpoint"], keys)
    receipt, kind, time = f"{int(event['seq'])}-{leaf.hex()[:4]}", *(ascii(event[name])[1:-1] for name in ("kind", "time"))
    place, last, node = int(event["seq"]) - 1, size - 1, leaf
    for sibling in map(bytes.fromhex, proof["proof"]):  # RFC 9162, section 2.1.3.2
        if place & 1 or place == last:
            node = sha(b"\1", sibling, node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = sha(b"\1", node, sibling)
        place, last = place >> 1, last >> 1
    print(f"receipt {receipt}, {kind}, {time}; {size} events signed by {origin}")
    problems = [] if leaf_hash(**event) == leaf else ["the event is not the one that its leaf commits to"]
    if proof["receipt"] != receipt:
        problems.append("the receipt is another event's")
    if node != root or last != 0 or not 0 < event["seq"] <= size:
        problems.append("the event is not in the ledger that was signed")
    if payload and sha(bytes.fromhex(payload["salt"]), payload["body"].encode()).hex() != event["payload_hash"]:
        problems.append("the payload is not the event's")
    return problems


if __name__ == "__main__":
    what, *places = sys.argv[1:] or ["--help"]
    if what not in ("ledger", "receipt") or len(places) < (3 if what == "ledger" else 2):
        sys.exit(__doc__)
    files, known = (places[:2], places[2:]) if what == "ledger" else (places[:1], places[1:])
    try:
        found = {"ledger": check_ledger, "receipt": check_receipt}[what](*files, {read_key(line) for line in known})
    except Exception as error:
        found = [f"it cannot be checked: {type(error).__name__}: {error}"]
    print("\n".join(f"WRONG: {problem}" for problem in found) or "in order")
    sys.exit(bool(found))
