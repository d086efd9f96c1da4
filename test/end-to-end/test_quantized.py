# ===- test_quantized.py - Parameters that are gathered as bytes ------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import array
import json
import math
import struct
import unittest

import support
from test_groups import BLOOM, GPT2, HIDDEN, LAYERS, VOCABULARY, gathers, padded, received
from test_plan import bloom_groups, padded_elements

BLOCK = 256
STEPS = 10


def message(elements):
    """Bytes of a quantized part: one per element, a scale of four per block."""
    return elements + 4 * -(-elements // BLOCK)


def single(number):
    """The nearest fp32."""
    return struct.unpack("f", struct.pack("f", number))[0]


def rounded(values):
    """What the bytes of a part stand for, by the formula."""
    result = array.array("f")
    for first in range(0, len(values), BLOCK):
        block = values[first : first + BLOCK]
        scale = single(max(map(abs, block)) / 127)
        result.extend(single(round(single(v / scale)) * scale) if scale else 0.0 for v in block)
    return result


class Quantized(unittest.TestCase):
    def check_volume(self, world, kept=None, **values):
        """Each gather of a sharded group is one of its messages, all else as ever."""
        values = dict(
            values,
            parallel__world=world,
            parallel__zero_stage=3,
            training__global_batch=world,
        )
        if kept:
            values["parallel__secondary_ranks"] = kept
        shards = values.get("parallel__shard_ranks", world)
        plain = support.plan(BLOOM, **values)
        plan = support.plan(BLOOM, parallel__quantized_gathers="true", **values)
        groups = {g["name"]: g for g in plan["groups"]}
        self.assertEqual(gathers(plan), gathers(plain))
        for now, before in zip(plan["collectives"], plain["collectives"], strict=True):
            group = groups.get(now["group"])
            # Along replicas a shard of the gradients is gathered.
            whole = group and before["elements"] == group["padded"]
            if now["kind"] == "all_gather" and whole and group["sharded"]:
                bytes = shards * message(group["padded"] // shards)
                ranks = now["ranks"]
                self.assertIn(ranks, (shards, kept))
                self.assertEqual(now["elements"], bytes)
                self.assertEqual(now["bytes"], bytes // ranks * (ranks - 1))
            else:
                self.assertEqual(now, before)
        for category in ("parameters", "gradients", "optimizer"):
            self.assertEqual(plan["memory"][category], plain["memory"][category])
        self.assertLessEqual(plan["peak_bytes"], plain["peak_bytes"])
        return plan

    def test_volume(self):
        groups = bloom_groups(VOCABULARY, LAYERS, HIDDEN)
        for world in (2, 3, 8):
            plan = self.check_volume(world)
            times = [3] + (LAYERS + 1) * [2]  # the embedding is the head, too
            shards = [n // world for n in padded_elements(groups, world)]
            share = sum(t * message(s) + 4 * s for t, s in zip(times, shards))
            self.assertEqual(received(plan), share * (world - 1))
        self.check_volume(4, parallel__shard_ranks=2)
        self.check_volume(8, kept=2, parallel__shard_ranks=4)
        self.check_volume(4, kept=2, training__precision__compute="BF16")
        self.check_volume(2, parallel__persistence_threshold=4 * HIDDEN)
        self.check_volume(2, parallel__gather_bytes=2000000)
        self.check_volume(2, parallel__prefetch=0, training__recompute="LAYER")

    def test_only_where_parameters_are_gathered(self):
        for world, stage in ((2, 2), (1, 3)):
            done = support.run(
                [support.TESSERA, "plan", BLOOM]
                + support.settings(
                    {
                        "parallel.world": world,
                        "parallel.zero_stage": stage,
                        "parallel.quantized_gathers": "true",
                    }
                ),
                check=False,
            )
            self.assertEqual(done.returncode, 1)
            self.assertIn("has nothing to quantize", done.stderr)

    def check_gradients(self, model, bound, **values):
        """Gradients are those of the rounded parameters, to the bit."""
        folder = support.GOLDEN / model
        out = support.scratch(f"quantized-{model}")
        world = 2

        def gradients(executable, weights):
            path = out / "gradients.safetensors"
            command = [executable, "grads", "--data", support.golden_tokens(folder)]
            command += ["--init", weights, "--out", path]
            support.run(support.launcher(world) + command)
            return support.read_safetensors(path)

        executables = [
            support.compile(
                folder / "specification.textproto",
                out / f"exe-{quantized}",
                parallel__world=world,
                parallel__zero_stage=3,
                parallel__quantized_gathers=quantized,
                **values,
            )
            for quantized in ("false", "true")
        ]
        info = json.loads(support.run([executables[1], "info", "--json"]).stdout)
        weights = {
            name.removeprefix("transformer."): tensor
            for name, tensor in support.read_safetensors(folder / "weights.safetensors").items()
        }
        states = [array.array("f", bytes(4 * g["padded"])) for g in info["groups"]]
        places = {p["name"]: (states[p["group"]], p["offset"]) for p in info["parameters"]}
        for name, (group, offset) in places.items():
            values = weights[name][1]
            group[offset : offset + len(values)] = values
        for group, entry in zip(states, info["groups"], strict=True):
            if entry["name"] == "persistent":
                continue  # it is whole on every rank
            part = len(group) // world
            for first in range(0, len(group), part):
                group[first : first + part] = rounded(group[first : first + part])
        for name, (group, offset) in places.items():
            shape, values = weights[name]
            weights[name] = (shape, group[offset : offset + len(values)])
        support.write_safetensors(
            out / "rounded.safetensors",
            {name: ("F32", *tensor) for name, tensor in weights.items()},
        )

        found = gradients(executables[1], folder / "weights.safetensors")
        self.assertEqual(found, gradients(executables[0], out / "rounded.safetensors"))
        reference = support.read_safetensors(folder / "gradients.safetensors")
        distance = support.relative_distance(
            [v for name in reference for v in found[name][1]],
            [v for name in reference for v in reference[name][1]],
        )
        self.assertGreater(distance, 1e-3)
        self.assertLess(distance, bound)

    def test_gradients_bloom(self):
        self.check_gradients("bloom-4-heads", 0.02)

    def test_gradients_gpt2(self):
        values = {"parallel__persistence_threshold": 96, "parallel__gather_bytes": 100000}
        self.check_gradients("gpt2-3-heads", 0.06, **values)

    def train(self, name, world=2, quantized="true", steps=STEPS, **values):
        executable = support.compile(
            GPT2,
            self.out / f"exe-{name}",
            parallel__world=world,
            parallel__zero_stage=3,
            parallel__quantized_gathers=quantized,
            **values,
        )
        return self.run_again(name, executable, world, steps=steps)

    def run_again(self, name, executable, world=2, options=(), environment={}, steps=STEPS):
        log = support.train(
            executable,
            self.data,
            self.out / f"log-{name}",
            world,
            ["--steps", steps, "--seed", "3", *options],
            env=dict(support.ENVIRONMENT, **environment),
        )
        return support.losses(log)

    def prepare(self, name):
        self.out = support.scratch(f"quantized-{name}")
        self.data = support.repeated_text(self.out / "text.txt", 1 << 16)

    def test_training(self):
        """The losses of a run stay near those of exact gathers."""
        self.prepare("training")
        values = {"training__steps": 100, "steps": 100}
        exact = self.train("exact", quantized="false", **values)
        near = self.train("near", **values)
        distances = [abs(a / b - 1) for a, b in zip(near, exact, strict=True)]
        self.assertGreater(max(distances[:20]), 1e-6)
        self.assertLess(max(distances[:20]), 0.002)
        # By then the two runs have gone apart as any two that round differently.
        last, before = math.fsum(near[-20:]), math.fsum(exact[-20:])
        self.assertLess(abs(last / before - 1), 0.02)
        self.assertLess(last / 20, near[0] - 1)

    def test_the_way_does_not_matter(self):
        self.prepare("same")
        values = {"training__micro_batch": 2}
        plain = self.train("plain", **values)
        exe = self.out / "exe-plain"
        messages = {"TESSERA_COMM": "messages"}
        self.assertEqual(self.run_again("messages", exe, environment=messages), plain)
        self.assertEqual(self.train("late", parallel__prefetch=0, **values), plain)
        budget = {"parallel__prefetch": 3, "parallel__prefetch_bytes": 700000}
        self.assertEqual(self.train("budget", **budget, **values), plain)
        recomputed = self.train("recomputed", training__recompute="LAYER", **values)
        self.assertEqual(recomputed, plain)

        # From a checkpoint on, too: it has the exact parameters.
        checkpoints = ["--checkpoint-dir", self.out / "checkpoints"]
        first = ["--checkpoint-every", STEPS // 2, *checkpoints]
        self.run_again("first", exe, options=first, steps=STEPS // 2)
        rest = self.run_again("rest", exe, options=["--resume", *checkpoints])
        self.assertEqual(rest, plain[STEPS // 2 :])

    def test_secondary_shards_in_sixteen_bits(self):
        """What is kept is bytes, so that all gathers of a group bring the same."""
        for compute in ("BF16", "FP16"):
            self.prepare(f"secondary-{compute}")
            values = {
                "training__precision__compute": compute,
                "parallel__persistence_threshold": 384,
            }
            plain = self.train("plain", 4, **values)
            self.assertEqual(self.train("kept", 4, parallel__secondary_ranks=2, **values), plain)
            exact = self.train("exact", 4, quantized="false", **values)
            for a, b in zip(plain, exact, strict=True):
                self.assertLess(abs(a / b - 1), 0.01)

    def test_shard_groups(self):
        self.prepare("grid")
        values = {"parallel__shard_ranks": 2, "training__micro_batch": 1}
        plain = self.train("plain", 4, **values)
        exe = self.out / "exe-plain"
        messages = {"TESSERA_COMM": "messages"}
        self.assertEqual(self.run_again("messages", exe, 4, environment=messages), plain)

    def test_the_plan_is_what_is_allocated(self):
        self.prepare("memory")
        values = {
            "parallel__world": 2,
            "parallel__zero_stage": 3,
            "parallel__quantized_gathers": "true",
        }
        planned = support.plan(GPT2, **values)
        executable = support.compile(GPT2, self.out / "exe", **values)
        info = json.loads(support.run([executable, "info", "--json"]).stdout)
        train = info["programs"]["train"]
        self.assertEqual(train["arena_bytes"], planned["peak_bytes"])
        self.assertEqual(sum(train["memory"].values()), train["arena_bytes"])
        environment = dict(
            support.ENVIRONMENT,
            MALLOC_COUNTER=str(self.out / "count"),
            TESSERA_COUNT_ALLOCATIONS="1",
        )
        command = support.launcher(2) + ["env", f"LD_PRELOAD={support.MALLOC_COUNTER}"]
        command += [executable, "train", "--data", self.data, "--steps", STEPS]
        command += ["--log", self.out / "log"]
        done = support.run(command, env=environment)
        megabytes = f"{planned['peak_bytes'] / 1e6:#.3g}".rstrip(".")
        arena = f"of which the plan's arena {megabytes} MB"
        self.assertIn(arena, done.stdout)
        log = support.read_log(self.out / "log")
        self.assertEqual([line["allocations"] for line in log], STEPS * [0])


if __name__ == "__main__":
    support.main()
