# ===- limited.py - Runs a command with little memory ----------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# limited.py MIB FILE COMMAND...: the command, which reads its standard input,
# with so much memory beyond what it has by then; FILE is what it reads. Says
# how it ended.

import pathlib
import resource
import subprocess
import sys
import time


def address_space(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmSize:"):
            return int(line.split()[1]) << 10
    return 0


def settled(pid):
    """What the process has once it waits for its input."""
    before = -1
    while before != (now := address_space(pid)):
        before = now
        time.sleep(0.5)
    return now


process = subprocess.Popen(
    sys.argv[3:],
    stdin=subprocess.PIPE,
    stdout=subprocess.DEVNULL,
    stderr=subprocess.PIPE,
)
limit = settled(process.pid) + (int(sys.argv[1]) << 20)
resource.prlimit(process.pid, resource.RLIMIT_AS, (limit, limit))
_, errors = process.communicate(pathlib.Path(sys.argv[2]).read_bytes())
print(errors.decode(), end="")
print("exit code", process.returncode)
