# ===- test_phases.py - Each phase can be dumped and entered again ---------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import unittest

import support

PHASES = ["model", "train", "zero", "kernels", "plan", "target"]
SPECIFICATION = support.HERE / "gpt2-small.textproto"


class Phases(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.out = support.scratch("phases")
        cls.data = support.repeated_text(cls.out / "text.txt", 1 << 16)
        command = [support.TESSERA, "compile", SPECIFICATION, "-o", cls.out / "exe"]
        support.run(command + ["--dump-phases-to", cls.out / "dump"])
        cls.losses = cls.train(cls.out / "exe")

    @classmethod
    def train(cls, executable):
        log = support.train(executable, cls.data, cls.out / "log", 1, ["--steps", "3"])
        return support.losses(log)

    def dumped(self, phase):
        files = list((self.out / "dump").glob(f"*{phase}*.mlir"))
        self.assertEqual(len(files), 1, f"{phase}: {files}")
        return files[0]

    def test_enter_each_phase(self):
        for phase in PHASES:
            with self.subTest(phase):
                executable = self.out / f"from-{phase}"
                command = [support.TESSERA, "compile", self.dumped(phase)]
                support.run(command + ["--compile-from", phase, "-o", executable])
                self.assertEqual(self.train(executable), self.losses)

    def test_stop_at_each_phase(self):
        for phase in PHASES:
            with self.subTest(phase):
                output = self.out / f"to-{phase}.mlir"
                command = [support.TESSERA, "compile", SPECIFICATION]
                support.run(command + ["--compile-to", phase, "-o", output])
                dumped = self.dumped(phase).read_text()
                self.assertEqual(output.read_text().rstrip(), dumped.rstrip())


if __name__ == "__main__":
    support.main()
