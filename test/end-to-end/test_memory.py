# ===- test_memory.py - The run uses just what the plan says ---------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import json
import os
import subprocess
import unittest

import support

BLOOM = support.EXAMPLES / "bloom-tiny.textproto"


def allocations(executable, data, out, world, steps):
    """How often each rank allocated in a run, sorted, and rank 0 in each step."""
    stem = out / f"count-{world}-{steps}"
    environment = dict(
        support.ENVIRONMENT, MALLOC_COUNTER=str(stem), TESSERA_COUNT_ALLOCATIONS="1"
    )
    command = support.launcher(world)
    # Only the ranks are counted, not the launcher.
    command += ["env", f"LD_PRELOAD={support.MALLOC_COUNTER}"]
    command += [executable, "train", "--data", data, "--steps", steps]
    command += ["--order", "sequential", "--log", out / "log"]
    support.run(command, env=environment)
    ranks = sorted(int(f.read_text()) for f in out.glob(f"{stem.name}.*"))
    return ranks, [line["allocations"] for line in support.read_log(out / "log")]


def peak_resident(executable, data, steps):
    """Bytes of the largest resident set of a one-rank run."""
    command = [str(executable), "train", "--data", str(data), "--steps", str(steps)]
    command += ["--order", "sequential"]
    process = subprocess.Popen(
        command, env=support.ENVIRONMENT, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise AssertionError(f"{' '.join(command)}\nended with {process.returncode}")
    return usage.ru_maxrss * 1024


class Memory(unittest.TestCase):
    def check_no_allocation(self, name, specification, data, world, **values):
        out = support.scratch(f"allocation-{name}-{world}")
        executable = support.compile(
            specification, out / "exe", parallel__world=world, **values
        )
        few, _ = allocations(executable, data, out, world, 5)
        many, steps = allocations(executable, data, out, world, 55)
        self.assertEqual(len(few), world)
        self.assertGreater(few[0], 0)
        self.assertEqual(steps, 55 * [0])
        # Rank 0 tells of its steps itself; of the others the whole run is known,
        # where MPI's start and end allocate a few times more or less.
        for rank, (a, b) in enumerate(zip(few, many)):
            self.assertLess(abs(b - a), 50, f"50 more steps allocated on rank {rank}")

    def text(self, name, size=1 << 20):
        return support.repeated_text(support.scratch(name) / "text.bin", size)

    def test_no_allocation_bloom(self):
        data = self.text("allocation-text")
        for world, stage in ((1, 0), (2, 0), (2, 3)):
            self.check_no_allocation(
                f"bloom{stage}",
                BLOOM,
                data,
                world,
                parallel__zero_stage=stage,
                transformer__layers=2,
                transformer__sequence_length=32,
            )

    def test_no_allocation_gcn(self):
        folder = support.GOLDEN / "gcn"
        self.check_no_allocation(
            "gcn", folder / "specification.textproto", folder / "graph.safetensors", 1
        )

    def test_info_states_the_plan(self):
        out = support.scratch("memory-info")
        values = {"parallel__world": 2, "parallel__zero_stage": 2}
        executable = support.compile(BLOOM, out / "exe", **values)
        info = json.loads(support.run([executable, "info", "--json"]).stdout)
        train = info["programs"]["train"]
        plan = support.plan(BLOOM, **values)
        self.assertEqual(train["arena_bytes"], plan["peak_bytes"])
        self.assertEqual(train["memory"], plan["memory"])
        self.assertEqual(sum(train["memory"].values()), train["arena_bytes"])

    def test_peak_resident_memory(self):
        """Beyond what the process of a tiny model uses, the plan and no more."""
        out = support.scratch("memory-peak")
        data = self.text("memory-text")
        one = {"parallel__world": 1, "parallel__zero_stage": 0}
        empty = dict(
            one,
            transformer__layers=1,
            transformer__hidden=16,
            transformer__heads=1,
            transformer__sequence_length=16,
            training__global_batch=1,
        )
        large = dict(
            one,
            transformer__layers=4,
            transformer__hidden=512,
            transformer__heads=8,
            training__global_batch=8,
        )
        again = dict(large, training__recompute="LAYER")
        planned, resident = {}, {}
        for name, values in (("empty", empty), ("large", large), ("again", again)):
            executable = support.compile(BLOOM, out / name, **values)
            planned[name] = support.plan(BLOOM, **values)["peak_bytes"]
            resident[name] = peak_resident(executable, data, 3)
        for name in ("large", "again"):
            plan = planned[name] - planned["empty"]
            used = resident[name] - resident["empty"]
            print(f"{name}: planned {plan / 1e6:.1f} MB, used {used / 1e6:.1f} MB")
            self.assertGreater(plan, 2e8)
            self.assertLess(abs(used / plan - 1), 0.03)
        self.assertLess(planned["again"], 0.8 * planned["large"])


if __name__ == "__main__":
    support.main()
