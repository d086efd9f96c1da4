# ===- fifo.py - Runs a command that writes to a pipe with a name -----------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# fifo.py FIFO COMMAND...: makes the pipe, prints what the command writes into
# it, and says whether it is a pipe still.

import os
import pathlib
import stat
import subprocess
import sys

fifo = pathlib.Path(sys.argv[1])
fifo.unlink(missing_ok=True)
os.mkfifo(fifo)
process = subprocess.Popen(sys.argv[2:])
print(fifo.read_text(), end="")
print("exit code", process.wait())
print("a pipe still:", stat.S_ISFIFO(fifo.stat().st_mode))
