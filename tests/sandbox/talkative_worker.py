"""Stands in for the worker process: takes its time, and tells how much of it there is, and its process id."""

from __future__ import annotations

import json
import os
import sys
import time

SECONDS = 0.5
"""How long each answer takes."""


def main() -> None:
    """Answer requests until there are no more."""
    while line := sys.stdin.buffer.readline():
        asked = json.loads(line)
        sys.stdin.buffer.read(asked["size"])
        time.sleep(SECONDS)
        faults = [str(asked["seconds"]), str(os.getpid())]
        answer = {"until": asked["end"], "instances": [], "faults": faults, "complete": False}
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
