"""Runs one command and says what it cost, as JSON: ``python benchmarks/alone.py COMMAND ...``.

A process apart, which loads next to nothing: Linux counts what the parent held when it began a child into that child's
peak memory.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

began = time.perf_counter()
program = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)  # noqa: S603 - what the benchmark asks for
_pid, status, usage = os.wait4(program.pid, 0)
program.returncode = os.waitstatus_to_exitcode(status)
cost = {
    "status": program.returncode,
    "seconds": round(time.perf_counter() - began, 1),
    "processor_seconds": round(usage.ru_utime + usage.ru_stime, 1),
    "peak_mb": round(usage.ru_maxrss / 1024, 1),
}
sys.stdout.write(json.dumps(cost))
