# ===- test_grid.py - ZeRO in shard groups, replicas between ---------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import unittest

import support
from test_groups import BLOOM, GPT2, HIDDEN, LAYERS, VOCABULARY, padded, received
from test_plan import bloom_groups

STEPS = 10
GRIDS = [(4, 2), (6, 2), (6, 3), (8, 4), (64, 8)]


class Grid(unittest.TestCase):
    def test_memory_and_traffic(self):
        """States are as of shard_ranks; gradients cross replicas as one shard."""
        groups = bloom_groups(VOCABULARY, LAYERS, HIDDEN)
        width = 4 * HIDDEN
        for world, shards in GRIDS:
            whole = padded([s for g in groups for s in g if s <= width], world)
            matrices = sum(padded([s for s in g if s > width], world) for g in groups)
            elements = matrices + whole
            for stage in range(4):
                plan = support.plan(
                    BLOOM,
                    parallel__world=world,
                    parallel__shard_ranks=shards,
                    parallel__zero_stage=stage,
                    parallel__persistence_threshold=width,
                    training__global_batch=world,
                )
                where = f"{world} ranks, shards of {shards}, stage {stage}"
                self.assertEqual(plan["shard_ranks"], shards)
                memory = plan["memory"]
                # Gradients that a rank keeps whole are summed in their memory.
                if stage < 2:
                    self.assertLess(memory["communication"], 1024, where)
                kept = [elements // shards if stage >= s else elements for s in range(3)]
                self.assertEqual(memory["optimizer"], 8 * kept[1], where)
                self.assertEqual(memory["gradients"], 4 * kept[2], where)
                parameters = matrices // shards + whole if stage == 3 else elements
                self.assertEqual(memory["parameters"], 4 * parameters, where)
                # Within the shard group 2 or 3 times (S-1)/S; over R replicas a
                # reduce-scatter and an all-gather of a shard.
                times = 3 * matrices + 2 * whole if stage == 3 else 2 * elements
                within = 4 * times // shards * (shards - 1)
                replicas = world // shards
                between = 2 * 4 * (elements // world) * (replicas - 1)
                self.assertEqual(received(plan), within + between, where)

    def test_secondary_shards(self):
        """Later gathers are among few ranks, for the parameters / that many."""
        groups = bloom_groups(VOCABULARY, LAYERS, HIDDEN)
        width = 4 * HIDDEN
        for world, kept in [(4, 2), (8, 2), (8, 4), (64, 8)]:
            values = {
                "parallel__world": world,
                "parallel__zero_stage": 3,
                "parallel__persistence_threshold": width,
                "training__global_batch": world,
            }
            plain = support.plan(BLOOM, **values)
            plan = support.plan(BLOOM, parallel__secondary_ranks=kept, **values)
            whole = padded([s for g in groups for s in g if s <= width], world)
            matrices = sum(padded([s for s in g if s > width], world) for g in groups)
            share = 4 * (2 * matrices + 2 * whole) // world * (world - 1)
            again = 4 * matrices // kept * (kept - 1)
            self.assertEqual(received(plan), share + again)
            self.assertLess(received(plan), received(plain))
            more = plan["peak_bytes"] - plain["peak_bytes"]
            self.assertGreater(more, 0)
            self.assertLessEqual(more, 4 * matrices // kept + 64 * len(groups))
            for category in ("parameters", "gradients", "optimizer"):
                self.assertEqual(plan["memory"][category], plain["memory"][category])

    def test_secondary_shards_change_nothing_else(self):
        self.out = support.scratch("grid-secondary")
        self.data = support.repeated_text(self.out / "text.txt", 1 << 16)
        values = {"parallel__zero_stage": 3, "training__micro_batch": 1}
        plain = self.train("plain", 4, **values)
        self.assertEqual(self.train("kept", 4, parallel__secondary_ranks=2, **values), plain)
        again = self.run_again(
            "kept-messages", self.out / "exe-kept", 4, environment={"TESSERA_COMM": "messages"}
        )
        self.assertEqual(again, plain)
        # Within shard groups, too.
        values["parallel__shard_ranks"] = 4
        values["training__global_batch"] = 8
        grid = self.train("grid", 8, **values)
        self.assertEqual(self.train("both", 8, parallel__secondary_ranks=2, **values), grid)

    def train(self, name, world, options=(), environment={}, **values):
        executable = support.compile(
            GPT2, self.out / f"exe-{name}", parallel__world=world, **values
        )
        return self.run_again(name, executable, world, options, environment)

    def run_again(self, name, executable, world, options=(), environment={}):
        log = support.train(
            executable,
            self.data,
            self.out / f"log-{name}",
            world,
            ["--steps", STEPS, "--seed", "3", *options],
            env=dict(support.ENVIRONMENT, **environment),
        )
        return support.losses(log)

    def check_stages(self, name, world, shards):
        self.out = support.scratch(f"grid-{name}")
        self.data = support.repeated_text(self.out / "text.txt", 1 << 16)
        values = {"training__global_batch": 2 * world}
        full = self.train("full", world, parallel__zero_stage=3, **values)
        result = []
        for stage in range(4):
            result.append(
                self.train(
                    f"stage{stage}",
                    world,
                    parallel__zero_stage=stage,
                    parallel__shard_ranks=shards,
                    **values,
                )
            )
            self.assertEqual(len(result[stage]), STEPS)
            self.assertEqual(result[stage], result[0], f"stage {stage}")
            # Messages give the same bits as shared memory.
            messages = self.run_again(
                f"messages{stage}",
                self.out / f"exe-stage{stage}",
                world,
                environment={"TESSERA_COMM": "messages"},
            )
            self.assertEqual(messages, result[0], f"stage {stage}, messages")
        # Another order of the same sum.
        for a, b in zip(result[0], full):
            self.assertLess(abs(a / b - 1), 1e-6)

    def test_stages_are_equal_on_two_by_two(self):
        self.check_stages("2x2", 4, 2)

    def test_stages_are_equal_on_three_by_two(self):
        self.check_stages("3x2", 6, 2)

    def test_accumulation(self):
        """Stages 2 and 3 sum micro-batches before replicas."""
        self.out = support.scratch("grid-accumulation")
        self.data = support.repeated_text(self.out / "text.txt", 1 << 16)
        values = {
            "training__global_batch": 16,
            "training__micro_batch": 2,
            "parallel__shard_ranks": 2,
            "parallel__persistence_threshold": 384,
        }
        result = [
            self.train(f"stage{stage}", 4, parallel__zero_stage=stage, **values)
            for stage in range(4)
        ]
        self.assertEqual(result[1], result[0])
        self.assertEqual(result[3], result[2])
        for a, b in zip(result[2], result[0]):
            self.assertLess(abs(a / b - 1), 1e-6)

    def test_gradients(self):
        """`grads` writes the sum over all ranks, from whoever has it complete."""
        folder = support.GOLDEN / "gpt2-4-heads"
        self.out = support.scratch("grid-gradients")
        reference = support.read_safetensors(folder / "gradients.safetensors")
        for stage in (0, 1, 2):
            executable = support.compile(
                folder / "specification.textproto",
                self.out / f"exe{stage}",
                parallel__world=4,
                parallel__shard_ranks=2,
                parallel__zero_stage=stage,
            )
            path = self.out / f"gradients{stage}.safetensors"
            command = [executable, "grads", "--data", support.golden_tokens(folder)]
            command += ["--init", folder / "weights.safetensors", "--out", path]
            support.run(support.launcher(4) + command)
            found = support.read_safetensors(path)
            for name, (_, values) in reference.items():
                distance = support.relative_distance(found[name][1], values)
                self.assertLess(distance, 1e-4, f"stage {stage}, {name}")

    def test_sixteen_bits(self):
        """Masters are partitioned as the moments are, groups are of one type."""
        self.out = support.scratch("grid-bf16")
        self.data = support.repeated_text(self.out / "text.txt", 1 << 16)
        values = {
            "training__precision__compute": "BF16",
            "parallel__shard_ranks": 2,
            "parallel__bucket_bytes": 100000,
            "parallel__persistence_threshold": 384,
            "parallel__prefetch": 3,
            "parallel__prefetch_bytes": 300000,
        }
        result = [
            self.train(f"stage{stage}", 4, parallel__zero_stage=stage, **values)
            for stage in range(4)
        ]
        for stage in (1, 2, 3):
            self.assertEqual(result[stage], result[0], f"stage {stage}")

    def test_resume_under_another_stage(self):
        self.out = support.scratch("grid-resume")
        self.data = support.repeated_text(self.out / "text.txt", 1 << 16)
        grid = {"parallel__shard_ranks": 2}
        whole = self.train("whole", 4, parallel__zero_stage=3, **grid)
        info = support.run([self.out / "exe-whole", "info"]).stdout
        self.assertIn("4, ZeRO stage 3 in shard groups of 2", info)
        checkpoints = ["--checkpoint-dir", self.out / "checkpoints"]
        first = ["--steps", STEPS // 2, "--checkpoint-every", STEPS // 2, *checkpoints]
        self.run_again("first", self.out / "exe-whole", 4, first)
        rest = self.train(
            "rest", 4, ["--resume", *checkpoints], parallel__zero_stage=1, **grid
        )
        self.assertEqual(rest, whole[STEPS // 2 :])


if __name__ == "__main__":
    support.main()
