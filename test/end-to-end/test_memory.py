# ===- test_memory.py - The run uses just what the plan says ---------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import array
import json
import random
import unittest

import support

BLOOM = support.EXAMPLES / "bloom-tiny.textproto"


def allocations(executable, data, out, world, steps):
    """How often each rank allocated in a run, sorted, and rank 0 in each step."""
    stem, log = out / f"count-{world}-{steps}", out / f"log-{world}-{steps}"
    environment = dict(
        support.ENVIRONMENT, MALLOC_COUNTER=str(stem), TESSERA_COUNT_ALLOCATIONS="1"
    )
    command = support.launcher(world)
    # Only the ranks are counted, not the launcher.
    command += ["env", f"LD_PRELOAD={support.MALLOC_COUNTER}"]
    command += [executable, "train", "--data", data, "--steps", steps]
    command += ["--order", "sequential", "--log", log]
    support.run(command, env=environment)
    ranks = sorted(int(f.read_text()) for f in out.glob(f"{stem.name}.*"))
    return ranks, [line["allocations"] for line in support.read_log(log)]


def random_graph(path, nodes, edges, features, classes):
    draw = random.Random(1)
    ends = [draw.randrange(nodes) for _ in range(2 * edges)]
    x = array.array("f", bytes(4 * nodes * features))
    for i in range(0, len(x), 7):
        x[i] = i % 11
    tensors = {
        "x": ("F32", [nodes, features], x),
        "edge_index": ("I32", [2, edges], array.array("i", ends)),
        "y": ("I64", [nodes], array.array("q", [node % classes for node in range(nodes)])),
    }
    for split, name in enumerate(("train", "val", "test")):
        flags = array.array("b", [node % 3 == split for node in range(nodes)])
        tensors[f"{name}_mask"] = ("BOOL", [nodes], flags)
    support.write_safetensors(path, tensors)


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
        # Rank 0 reports its steps itself; of the others the whole run is known,
        # where MPI's start and end allocate a few times more or less.
        for rank, (a, b) in enumerate(zip(few, many)):
            self.assertLess(abs(b - a), 50, f"50 more steps allocated on rank {rank}")

    def text(self, name, size=1 << 20):
        return support.repeated_text(support.scratch(name) / "text.txt", size)

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

    def test_no_allocation_of_sampled_neighbourhoods(self):
        folder = support.GOLDEN / "sampled-sage"
        for world in (1, 2):
            self.check_no_allocation(
                "sampled",
                folder / "specification.textproto",
                folder / "graph.safetensors",
                world,
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

    def test_physical_memory(self):
        """Beyond what the processes of a tiny model have, the plan and no more."""
        out = support.scratch("memory-peak")
        data = self.text("memory-text")
        empty = dict(
            transformer__layers=1,
            transformer__hidden=16,
            transformer__heads=1,
            transformer__sequence_length=16,
            training__global_batch=2,
        )
        large = dict(
            transformer__layers=4,
            transformer__hidden=512,
            transformer__heads=8,
            training__global_batch=8,
        )
        one = {"parallel__world": 1, "parallel__zero_stage": 0}
        two = {
            "parallel__world": 2,
            "parallel__zero_stage": 3,
            "training__precision__compute": "BF16",
        }
        for world, ranks in ((1, one), (2, two)):
            planned, used = {}, {}
            for name, values in (
                ("empty", empty),
                ("large", large),
                ("recomputed", dict(large, training__recompute="LAYER")),
            ):
                values = dict(values, **ranks)
                executable = support.compile(BLOOM, out / name, **values)
                planned[name] = world * support.plan(BLOOM, **values)["peak_bytes"]
                used[name] = support.physical_bytes(executable, data, world)
            for name in ("large", "recomputed"):
                plan = planned[name] - planned["empty"]
                off = (used[name] - used["empty"]) / plan - 1
                print(f"{world} ranks, {name}: planned {plan / 1e6:.1f} MB, off {off:+.2%}")
                self.assertGreater(plan, 1.5e8)
                self.assertLess(abs(off), 0.03)
            self.assertLess(planned["recomputed"], 0.95 * planned["large"])

    def test_sums_of_features_are_taken_within_the_plan(self):
        """Edges that no program reads are sorted where a step's values will be."""
        used, planned = {}, {}
        for name, nodes in (("few", 100), ("many", 90_000)):
            out = support.scratch(f"memory-sums-{name}")
            random_graph(out / "graph.safetensors", nodes, 4 * nodes, 128, 32)
            specification = out / "specification.textproto"
            specification.write_text(
                'gnn { layer: SGC layers: 1 hops: 2 graph: "graph.safetensors" }\n'
                "training { steps: 3 optimizer { lr: 0.01 } }\n"
                'target { cpu { name: "native" threads: 1 } }\n'
            )
            executable = support.compile(specification, out / "exe")
            planned[name] = support.plan(specification)["peak_bytes"]
            command = [executable, "train", "--data", out / "graph.safetensors"]
            used[name] = support.most_memory(command)
        plan = planned["many"] - planned["few"]
        off = (used["many"] - used["few"]) / plan - 1
        print(f"SGC: planned {plan / 1e6:.1f} MB, off {off:+.2%}")
        self.assertGreater(plan, 2e7)
        self.assertLess(off, 0.05)


if __name__ == "__main__":
    support.main()
