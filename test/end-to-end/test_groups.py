# ===- test_groups.py - Groups, buckets and budgets ------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import unittest

import support
from test_plan import bloom_groups, round_up

BLOOM = support.EXAMPLES / "bloom-tiny.textproto"
HIDDEN, LAYERS, VOCABULARY = 128, 4, 256
GPT2 = support.HERE / "gpt2-small.textproto"
STEPS = 10


def padded(sizes, world):
    return round_up(sum(round_up(size, 16) for size in sizes), 16 * world)


def plan(world, stage=3, **parallel):
    values = {f"parallel__{key}": value for key, value in parallel.items()}
    return support.plan(
        BLOOM,
        parallel__world=world,
        parallel__zero_stage=stage,
        training__global_batch=world,
        **values,
    )


def received(plan):
    """Bytes that a rank receives per step for the states of groups."""
    return sum(c["bytes"] * c["times"] for c in plan["collectives"] if c["group"])


def gathers(plan):
    """How often a step gathers each group."""
    times = {}
    for c in plan["collectives"]:
        if c["kind"] == "all_gather":
            times[c["group"]] = times.get(c["group"], 0) + c["times"]
    return times


class Groups(unittest.TestCase):
    def test_buckets_have_a_limit(self):
        sizes = [size for group in bloom_groups(VOCABULARY, LAYERS, HIDDEN) for size in group]
        for world in (2, 4, 16):
            for limit in (1000, 70000, 200000, 600000, 1 << 30):
                found = plan(world, bucket_bytes=limit)
                groups = found["groups"]
                self.assertEqual(sum(g["parameters"] for g in groups), len(sizes))
                self.assertEqual(found["parameters"], sum(sizes))
                for group in groups:
                    self.assertEqual(group["bucket_bytes"], 4 * group["padded"])
                    self.assertEqual(
                        group["exceeds_limit"], group["bucket_bytes"] > limit
                    )
                    if group["exceeds_limit"]:
                        self.assertEqual(group["parameters"], 1)
                # No more is received than with a group per layer, but padding.
                times = gathers(found)
                self.assertLessEqual(max(times.values()), 3)
                elements = sum(g["padded"] * (1 + times[g["name"]]) for g in groups)
                self.assertEqual(received(found), 4 * elements // world * (world - 1))
                uncut = received(plan(world))
                room = 4 * 4 * 16 * world * len(groups)
                self.assertLessEqual(received(found), uncut + room)

    def test_small_parameters_persist(self):
        """All vectors stay whole: 3 times the matrices, 2 times the vectors."""
        groups = bloom_groups(VOCABULARY, LAYERS, HIDDEN)
        width = 4 * HIDDEN
        for world in (2, 3, 4, 8, 64):
            whole = padded([s for g in groups for s in g if s <= width], world)
            matrices = sum(padded([s for s in g if s > width], world) for g in groups)
            found = plan(world, persistence_threshold=width)
            first = found["groups"][0]
            self.assertEqual(first["name"], "persistent")
            self.assertEqual(first["padded"], whole)
            self.assertFalse(first["sharded"])
            self.assertEqual(first["parameter_bytes"], 4 * whole)
            part = (matrices + whole) // world
            self.assertEqual(found["memory"]["optimizer"], 8 * part)
            self.assertEqual(found["memory"]["gradients"], 4 * part)
            self.assertEqual(
                found["memory"]["parameters"], 4 * (matrices // world + whole)
            )
            share = 4 * (3 * matrices + 2 * whole) // world * (world - 1)
            self.assertEqual(received(found), share)
            # In the other stages it is a group like the others.
            for stage in (0, 1, 2):
                found = plan(world, stage, persistence_threshold=width)
                share = 4 * 2 * (matrices + whole) // world * (world - 1)
                self.assertEqual(received(found), share, f"stage {stage}")

    def test_layers_merge(self):
        """Fewer messages, as many bytes."""
        width = 4 * HIDDEN
        layer = 4 * 12 * HIDDEN * HIDDEN
        messages = []
        for layers in (1, 2, 4):
            found = plan(
                2, persistence_threshold=width, gather_bytes=(layers > 1) * layers * layer
            )
            names = [g["name"] for g in found["groups"]]
            self.assertEqual(len(names), 2 + LAYERS // layers, names)
            matrices = LAYERS * layer + 4 * VOCABULARY * HIDDEN
            whole = found["groups"][0]["parameter_bytes"]
            self.assertEqual(received(found), (3 * matrices + 2 * whole) // 2)
            messages.append(sum(gathers(found).values()))
        self.assertEqual(messages, [2 + 1 + 2 * n for n in (4, 2, 1)])

    def test_prefetch_keeps_its_budget(self):
        layer = 4 * 12 * HIDDEN * HIDDEN
        values = {"persistence_threshold": 4 * HIDDEN, "prefetch": 8}
        free = plan(2, **values)["memory"]["communication"]
        for layers in (2, 3):
            bounded = plan(2, prefetch_bytes=layers * layer, **values)
            memory = bounded["memory"]["communication"]
            # Beside what is gathered there are two buckets, those that fill over
            # the whole backward pass (vectors, the tied embedding), and sums.
            buckets = 2 * layer + sum(g["bucket_bytes"] for g in bounded["groups"][:2])
            self.assertLessEqual(memory, layers * layer + buckets + 4096)
            self.assertLess(memory, free)
            self.assertEqual(received(bounded), received(plan(2, **values)))

    def losses_by_stage(self, name, world, **values):
        out = support.scratch(f"groups-{name}-{world}")
        data = support.repeated_text(out / "text.txt", 1 << 16)
        result = []
        for stage in range(4):
            executable = support.compile(
                GPT2,
                out / f"exe{stage}",
                parallel__world=world,
                parallel__zero_stage=stage,
                **values,
            )
            options = ["--steps", STEPS, "--seed", "3"]
            log = support.train(executable, data, out / f"log{stage}", world, options)
            result.append(support.losses(log))
            self.assertEqual(len(result[-1]), STEPS)
        return result

    def check_stages(self, name, **values):
        """Stages are equal to the bit; groups change the norm's last bits alone."""
        for world in (2, 4):
            result = self.losses_by_stage(name, world, **values)
            for stage in (1, 2, 3):
                where = f"{name}, {world} ranks, stage {stage}"
                self.assertEqual(result[stage], result[0], where)
            out = support.scratch(f"groups-{name}-plain")
            data = support.repeated_text(out / "text.txt", 1 << 16)
            plain = support.compile(GPT2, out / "exe", parallel__world=world)
            options = ["--steps", STEPS, "--seed", "3"]
            log = support.train(plain, data, out / "log", world, options)
            for a, b in zip(support.losses(log), result[0]):
                self.assertLess(abs(a / b - 1), 1e-6)

    def test_stages_are_equal_with_small_groups(self):
        self.check_stages(
            "small",
            parallel__bucket_bytes=100000,
            parallel__persistence_threshold=384,
            parallel__prefetch=3,
            parallel__prefetch_bytes=400000,
        )

    def test_stages_are_equal_with_large_groups(self):
        self.check_stages("large", parallel__gather_bytes=1000000)


if __name__ == "__main__":
    support.main()
