# ===- latin1.py - Reports on a specification whose name is Latin-1 ---------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# latin1.py SPEC FOLDER: writes plan.json, plan.html and sweep.html into FOLDER.

import os
import subprocess
import sys

folder = os.fsencode(sys.argv[2])
os.makedirs(folder, exist_ok=True)
specification = os.path.join(folder, b"b\xe4se.textproto")
with open(sys.argv[1], "rb") as source, open(specification, "wb") as copy:
    copy.writelines(line for line in source if not line.startswith(b"name:"))
for name, options in [
    (b"plan.json", [b"--format", b"json"]),
    (b"plan.html", [b"--format", b"html"]),
    (b"sweep.html", [b"--format", b"html", b"--sweep", b"training.micro_batch=1,2"]),
]:
    with open(os.path.join(folder, name), "wb") as out:
        command = [b"tessera", b"plan", specification] + options
        subprocess.run(command, stdout=out, check=True)
