# ===- interrupted.py - Ends a command by a signal -------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# interrupted.py FOLDER COMMAND...: the command, with FOLDER for its temporary
# files, until it has made one. Says how it ended and what it left there. On a busy
# machine the command may be done before it is seen: then it is run again.

import os
import shutil
import signal
import subprocess
import sys
import time

folder, command = sys.argv[1], sys.argv[2:]
ended = 0
while ended == 0:
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    process = subprocess.Popen(command, env=dict(os.environ, TMPDIR=folder))
    while not os.listdir(folder) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    ended = process.wait()
print("ended with", ended, "and left", os.listdir(folder))
