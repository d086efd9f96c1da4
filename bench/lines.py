# ===- lines.py - Processes that answer lines ------------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import pathlib
import subprocess
import sys


class Lines:
    """A process that is kept running, so that each round measures it warm.

    It says a line once it is ready, and then answers each line by one. One that
    ends without an answer ends the benchmark, with `name` in the message.
    """

    def __init__(self, name, command, environment, **options):
        self.name = name
        self.process = subprocess.Popen(
            [str(part) for part in command],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            **options,
        )

    def send(self, line):
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            program = pathlib.Path(sys.argv[0]).name
            raise SystemExit(f"{program}: {self.name} ended without an answer")
        return line

    def ask(self, line):
        self.send(line)
        return self.answer()

    def close(self):
        """Waits for it to end, as it does without further lines."""
        self.process.stdin.close()
        self.process.wait()
