# ===- interrupted_link.py - Ends a command while it links -----------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# interrupted_link.py FOLDER COMMAND...: the command, with FOLDER for its temporary
# files and a linker that ends it by a signal. Says how it ended and what it left.

import os
import pathlib
import shutil
import subprocess
import sys

LINKER = """#!/bin/sh
touch "$TMPDIR/of-the-linker"
kill -TERM $PPID
sleep 0.3
rm "$TMPDIR/of-the-linker"
"""

folder, command = pathlib.Path(sys.argv[1]), sys.argv[2:]
programs = folder.with_name(folder.name + ".bin")
for each in (folder, programs):
    shutil.rmtree(each, ignore_errors=True)
    each.mkdir()
linker = programs / "c++"
linker.write_text(LINKER)
linker.chmod(0o755)
path = f"{programs}{os.pathsep}{os.environ['PATH']}"
ended = subprocess.run(command, env=dict(os.environ, TMPDIR=str(folder), PATH=path))
print("ended with", ended.returncode, "and left", os.listdir(folder))
