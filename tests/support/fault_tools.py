"""What the fault tests need of the machine, and what happens without it."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess

import pytest

from tests.support.requirements import REQUIRED

# Mounting is allowed inside a namespace of one's own: first as a user without rights, then as root without one.
NAMESPACES = (("unshare", "--user", "--map-root-user", "--mount"), ("unshare", "--mount"))


def require(reason: str | None) -> None:
    """Skip the calling test for this reason; with ``TARLA_E2E=required`` fail it instead."""
    if reason is None:
        return
    if os.environ.get("TARLA_E2E") == REQUIRED:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@functools.cache
def without_strace() -> str | None:
    """Why system calls cannot be recorded here; None where they can."""
    if shutil.which("strace") is None:
        return "recording system calls needs strace (install the system's strace package)"
    if subprocess.run(["strace", "-qq", "-o", os.devnull, "true"], capture_output=True, check=False).returncode != 0:
        return "strace may not trace processes here"
    return None


@functools.cache
def namespace() -> tuple[str, ...] | None:
    """The command that runs another one where it may mount a file system; None where there is none."""
    for command in NAMESPACES if shutil.which("unshare") and shutil.which("mount") else ():
        attempt = [*command, "sh", "-c", "mount -t tmpfs -o size=64k tmpfs /mnt"]
        if subprocess.run(attempt, capture_output=True, check=False).returncode == 0:
            return command
    return None


def without_mounts() -> str | None:
    """Why a small file system cannot be mounted here; None where it can."""
    return None if namespace() else "mounting a small file system needs root or user namespaces"
