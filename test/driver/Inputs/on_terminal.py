# ===- on_terminal.py - A command whose standard error is a terminal -------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
#   on_terminal.py COMMAND...
#
# Prints what the command writes to its standard error, a terminal: a line for
# each time that it begins a line anew, with <erase> where it erases one.

import os
import pty
import subprocess
import sys

controller, terminal = pty.openpty()
process = subprocess.Popen(sys.argv[1:], stderr=terminal, stdout=subprocess.DEVNULL)
os.close(terminal)
written = b""
while True:
    try:
        part = os.read(controller, 4096)
    except OSError:  # the other end is closed
        break
    if not part:
        break
    written += part
text = written.decode().replace("\r\n", "\n").replace("\x1b[K", "<erase>")
print(text.replace("\r", "\n"))
sys.exit(process.wait())
