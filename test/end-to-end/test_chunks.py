# ===- test_chunks.py - Steps on chunks of rows ----------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Only large graphs are taken in chunks of rows. Here the pass is told to take small
# ones so, between the phases kernels and plan.
#
# ===----------------------------------------------------------------------===#

import unittest

import support
import test_golden

OPT = support.BUILD / "bin" / "tessera-opt"
LIMITS = "least-bytes=0 least-rows=2 rows-per-column=0"


def compile_in_chunks(specification, executable, chunk_bytes=1, **values):
    """support.compile with chunks of any size, the least that there are by default."""
    paths = {key.replace("__", "."): value for key, value in values.items()}
    module, chunked = executable.with_suffix(".mlir"), executable.with_suffix(".chunks.mlir")
    command = [support.TESSERA, "compile", specification, "-o", module]
    support.run(command + ["--compile-to=kernels"] + support.settings(paths))
    options = f"--plan-chunk-rows=chunk-bytes={chunk_bytes} {LIMITS}"
    support.run([OPT, "-verify-each", options, "--plan-verify-kernels", module, "-o", chunked])
    support.run([support.TESSERA, "compile", "--compile-from=kernels", chunked, "-o", executable])
    return executable


class Chunks(unittest.TestCase):
    def check_golden(self, name, **values):
        """Losses and all gradients against PyTorch Geometric, as of whole matrices."""
        golden = test_golden.Golden()
        golden.check(name, "graph.safetensors", compile=compile_in_chunks, **values)
        folder = support.scratch_path(f"golden-{name}-1")
        loops = (folder / "exe.chunks.mlir").read_text().count("plan.row_loop")
        self.assertGreater(loops, 0)

    def test_gcn(self):
        self.check_golden("gcn")

    def test_gcn_dropout(self):
        self.check_golden("gcn-dropout")

    def test_gat(self):
        self.check_golden("gat")

    def test_gat_dropout(self):
        self.check_golden("gat-dropout")

    def test_gin(self):
        self.check_golden("gin")

    def test_sage(self):
        self.check_golden("sage")

    def test_sage_options(self):
        self.check_golden("sage-options")

    def test_sgc(self):
        self.check_golden("sgc")

    def losses(self, name, compile, **values):
        out = support.scratch(f"chunks-{name}")
        folder = support.GOLDEN / "gcn-dropout"
        world = values.get("parallel__world", 1)
        executable = compile(folder / "specification.textproto", out / "exe", **values)
        data = folder / "graph.safetensors"
        log = support.train(executable, data, out / "log", world, ["--steps", "10"])
        return [(line["loss"], line["grad_norm"]) for line in log]

    def test_threads_change_no_bit(self):
        one, *others = (
            self.losses(
                f"threads-{threads}", compile_in_chunks, target__cpu__threads=threads
            )
            for threads in (1, 2, 3)
        )
        for other in others:
            self.assertEqual(one, other)

    def test_sizes_of_chunks_change_roundings_alone(self):
        whole = self.losses("whole", support.compile)
        for size in (1, 30_000):

            def compile(*arguments, **values):
                return compile_in_chunks(*arguments, chunk_bytes=size, **values)

            chunked = self.losses(f"bytes-{size}", compile)
            for a, b in zip(whole, chunked):
                self.assertLess(abs(a[0] / b[0] - 1), 1e-5)
                self.assertLess(abs(a[1] / b[1] - 1), 1e-4)

    def test_stages_have_the_same_bits(self):
        first, *others = (
            self.losses(
                f"stage-{stage}",
                compile_in_chunks,
                parallel__world=2,
                parallel__zero_stage=stage,
            )
            for stage in range(4)
        )
        for other in others:
            self.assertEqual(first, other)


if __name__ == "__main__":
    support.main()
