"""The local Slack program, made to listen on 127.0.0.1 only.

As published it listens on every interface and has no option against that. Its
JavaScript stands in the executable as plain text, so the options of its one
``Bun.serve`` call can be replaced by others of the same length: the limit on
request bodies (Bun's own default then applies) makes room for a host name.
That is done to a private copy, and only to the very release known here. A few
more changes of the kind let its web client draw code fences and escaped
characters as Slack does: without them a preformatted table loses its columns.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

PACKAGE = Path("node_modules") / "local-slack-linux-x64" / "bin" / "local-slack"
COPY = Path("node_modules") / ".cache" / "tarla" / "local-slack-loopback"
RELEASE = "0.1.8"

ORIGINAL_SHA256 = "3332007b797969d835f694b463ac526f7ef1fc66afac93f950f585105fe4815f"
LOOPBACK_SHA256 = "ae8168921723c416d547ebf6474689cd42f459ec141a68a5bfd6b3cfbf213caf"

# What is published, and what takes its place: the address; a code fence and its
# style; the characters that Slack's mrkdwn wants escaped, drawn as themselves.
# Each is replaced by as many bytes, so that every offset in the executable stays right.
CHANGES = (
    (
        b"Bun.serve({port:e.port,maxRequestBodySize:1073741824,fetch(",
        b'Bun.serve({port:e.port,hostname:"127.0.0.1"         ,fetch(',
    ),
    (
        rb'c=c.replace(/`([^`\n]+)`/g,"<code>$1</code>")',
        rb'c=c.replace(/`+([^`]+)`+/g,"<code>$1</code>")',
    ),
    (
        b'function E6(l){return l.replace(/&/g,"&amp;")',
        b'function E6(l){return l.replace(/&/g,"&"    )',
    ),
    (
        b"code{background:#f4f4f4;border:1px solid #e5e5e5;border-radius:3px;padding:0 3px;font-size:13px}",
        b"code{background:#f4f4f4;display:inline-block;white-space:pre;border-radius:3px;font-size:13px  }",
    ),
)


class LocalSlackMissingError(Exception):
    """The npm package is not installed."""


class LocalSlackUnsafeError(Exception):
    """The program is not the one known here, or it listens beyond the loopback interface."""


def checkout() -> Path:
    """The project's folder, where ``npm ci`` puts ``node_modules``."""
    return Path(__file__).resolve().parents[2]


def loopback_program(root: Path | None = None) -> Path:
    """The executable that listens on 127.0.0.1 only, made if need be.

    Raises:
        LocalSlackMissingError: the npm package is not there.
        LocalSlackUnsafeError: it is not the release known here.
    """
    root = root or checkout()
    copy = root / COPY
    if copy.is_file() and sha256(copy.read_bytes()) == LOOPBACK_SHA256:
        return copy
    package = root / PACKAGE
    if not package.is_file():
        raise LocalSlackMissingError(
            f"The local Slack server is not installed ({package} is missing). Run this first:\n\n    npm ci\n"
        )
    write_executable(copy, bound_to_loopback(package.read_bytes()))
    return copy


def bound_to_loopback(original: bytes) -> bytes:
    """The program's bytes with its server bound to 127.0.0.1.

    Raises:
        LocalSlackUnsafeError: these are not the bytes known here.
    """
    if sha256(original) != ORIGINAL_SHA256:
        raise LocalSlackUnsafeError(f"this is not local-slack {RELEASE}: its checksum differs")
    changed = original
    for published, wanted in CHANGES:
        changed = changed.replace(published, wanted)
    if sha256(changed) != LOOPBACK_SHA256:
        raise LocalSlackUnsafeError("the copy bound to 127.0.0.1 came out differently than expected")
    return changed


def sha256(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def write_executable(path: Path, data: bytes) -> None:
    """Write a program for its owner only, whole or not at all, whoever else is writing it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    temporary = Path(name)
    temporary.chmod(0o700)
    temporary.replace(path)
