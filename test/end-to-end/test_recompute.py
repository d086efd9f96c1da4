# ===- test_recompute.py - Recomputation of activations --------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import unittest

import support

BLOOM = support.EXAMPLES / "bloom-tiny.textproto"
GPT2 = support.EXAMPLES / "gpt2-124m.textproto"
GPT2_SMALL = support.HERE / "gpt2-small.textproto"

HIDDEN, HEADS, BATCH, LENGTH = 256, 4, 4, 64
ROWS = BATCH * LENGTH
# Bytes of one activation: a row of `hidden` numbers for each token.
UNIT = 4 * ROWS * HIDDEN


def shape(specification, layers):
    values = {
        "transformer__layers": layers,
        "transformer__hidden": HIDDEN,
        "transformer__heads": HEADS,
        "transformer__sequence_length": LENGTH,
        # A small head, so that layers make the peak.
        "transformer__vocabulary": 256,
        "training__global_batch": BATCH,
        "parallel__world": 1,
        "parallel__zero_stage": 0,
    }
    if specification == GPT2:
        values["transformer__position_capacity"] = LENGTH
    return values


def layer_bytes():
    """What a layer keeps: 16 activations and three kinds of numbers per row.

    Its input, two layer norms (1 each), queries, keys and values (3), what
    attention gives, the stream between the halves, and the inside of the
    feed-forward block before and after its GELU (4 each); mean and reciprocal
    deviation of two norms, and each head's log-sum-exp.
    """
    return 16 * UNIT + 4 * ROWS * (4 + HEADS)


class Recompute(unittest.TestCase):
    def test_memory_by_layers(self):
        """All of every layer without, one input per layer and one layer with it."""
        for specification in (GPT2, BLOOM):
            for layers in (4, 8, 24):
                values = shape(specification, layers)
                kept, recomputed = (
                    support.plan(specification, training__recompute=mode, **values)
                    for mode in ("NONE", "LAYER")
                )
                where = f"{specification.name}, {layers} layers"
                # What the last layer's backward pass needs of itself and the
                # end.
                rest = 6 * UNIT
                all_layers = layers * layer_bytes()
                activations = kept["memory"]["activations"]
                self.assertGreaterEqual(activations, all_layers, where)
                self.assertLess(activations, all_layers + rest, where)
                one_layer = layers * UNIT + layer_bytes()
                activations = recomputed["memory"]["activations"]
                self.assertGreaterEqual(activations, one_layer - UNIT, where)
                self.assertLess(activations, one_layer + rest, where)
                for category in ("parameters", "gradients", "optimizer"):
                    self.assertEqual(
                        kept["memory"][category], recomputed["memory"][category], where
                    )

    def test_each_layer_costs_its_input(self):
        for specification in (GPT2, BLOOM):
            few, many = (
                support.plan(
                    specification,
                    training__recompute="LAYER",
                    **shape(specification, layers),
                )["memory"]["activations"]
                for layers in (6, 30)
            )
            self.assertEqual(many - few, 24 * UNIT)

    def test_16_bits_take_half(self):
        values = dict(shape(GPT2, 12), training__recompute="LAYER")
        wide, narrow = (
            support.plan(GPT2, training__precision__compute=compute, **values)
            for compute in ("FP32", "BF16")
        )
        share = narrow["memory"]["activations"] / wide["memory"]["activations"]
        self.assertLess(share, 0.51)

    def test_arithmetic(self):
        """Less than one more forward pass: a layer's last GEMM is spared."""
        for specification in (GPT2, BLOOM):
            values = shape(specification, 24)
            kept, recomputed = (
                support.plan(specification, training__recompute=mode, **values)["flops"]
                for mode in ("NONE", "LAYER")
            )
            self.assertGreater(recomputed, kept)
            self.assertLess(recomputed, 4 / 3 * kept)

    def test_traffic(self):
        """Parameters are gathered as often as without, in stage 3 too."""
        for stage in range(4):
            values = dict(
                shape(BLOOM, 6), parallel__world=4, parallel__zero_stage=stage
            )
            kept, recomputed = (
                support.plan(BLOOM, training__recompute=mode, **values)
                for mode in ("NONE", "LAYER")
            )
            self.assertEqual(kept["collectives"], recomputed["collectives"], f"stage {stage}")

    def test_within_a_limit(self):
        """The compiler does just what the limit takes, cheap work first."""
        values = shape(BLOOM, 12)
        kept, recomputed = (
            support.plan(BLOOM, training__recompute=mode, **values)
            for mode in ("NONE", "LAYER")
        )
        most, least = kept["peak_bytes"], recomputed["peak_bytes"]
        # A norm or an activation takes no more than a hundredth of a layer.
        cheap_work = 1.01 * kept["flops"]
        before = kept["flops"]
        for share in (1, 0.9, 0.7, 0.5, 0.25, 0):
            limit = int(least + share * (most - least))
            plan = support.plan(
                BLOOM,
                training__recompute="AUTO",
                training__memory_limit=f"{limit}B",
                **values,
            )
            self.assertLessEqual(plan["peak_bytes"], limit, share)
            # What is left unused is less than a layer.
            self.assertLess(limit - plan["peak_bytes"], layer_bytes(), share)
            self.assertGreaterEqual(plan["flops"], before, share)
            self.assertLessEqual(plan["flops"], recomputed["flops"] * 1.01, share)
            if share >= 0.7:
                self.assertLess(plan["flops"], cheap_work, share)
            if share == 1:
                self.assertEqual(plan["flops"], kept["flops"])
            before = plan["flops"]

    def test_limit_refused(self):
        """One byte too few is refused, whatever is recomputed."""
        values = shape(BLOOM, 4)
        for mode in ("NONE", "LAYER"):
            bytes = support.plan(BLOOM, training__recompute=mode, **values)["peak_bytes"]
            settings = {key.replace("__", "."): v for key, v in values.items()}
            settings["training.recompute"] = mode
            for limit, code in ((bytes, 0), (bytes - 1, 1)):
                settings["training.memory_limit"] = f"{limit}B"
                command = [support.TESSERA, "plan", BLOOM, *support.settings(settings)]
                done = support.run(command, check=False)
                self.assertEqual(done.returncode, code, done.stderr)
                if code:
                    self.assertIn(f"takes {bytes:,} bytes per rank, 1 more than", done.stderr)

    def check_equal(
        self, name, specification, world, stages, modes=("NONE", "LAYER"), **values
    ):
        out = support.scratch(f"recompute-{name}-{world}")
        data = support.repeated_text(out / "text.txt", 1 << 16)
        for stage in stages:
            runs = []
            for mode in modes:
                executable = support.compile(
                    specification,
                    out / f"exe-{mode}",
                    parallel__world=world,
                    parallel__zero_stage=stage,
                    training__recompute=mode,
                    **values,
                )
                options = ["--steps", "6", "--seed", "3"]
                log = support.train(executable, data, out / "log", world, options)
                runs.append([(line["loss"], line["grad_norm"]) for line in log])
            self.assertEqual(len(runs[0]), 6)
            for run in runs[1:]:
                self.assertEqual(runs[0], run, f"{name}, {world} ranks, stage {stage}")

    def test_same_bits_gpt2(self):
        self.check_equal("gpt2", GPT2_SMALL, 1, (0,))
        self.check_equal("gpt2", GPT2_SMALL, 2, range(4))

    def test_same_bits_in_16_bits(self):
        for compute in ("BF16", "FP16"):
            self.check_equal(
                compute, GPT2_SMALL, 2, (3,), training__precision__compute=compute
            )

    def test_same_bits_bloom(self):
        values = {
            "transformer__layers": 3,
            "transformer__hidden": 96,
            "transformer__heads": 6,
            "transformer__sequence_length": 32,
        }
        self.check_equal("bloom", BLOOM, 2, (0, 3), **values)

    def test_same_bits_within_a_limit(self):
        """Some layers whole, some as far as it is cheap, some not at all."""
        most, least = (
            support.plan(GPT2_SMALL, transformer__layers=6, training__recompute=mode)
            for mode in ("NONE", "LAYER")
        )
        for share in (0.8, 0.3):
            limit = least["peak_bytes"] + share * (
                most["peak_bytes"] - least["peak_bytes"]
            )
            self.check_equal(
                f"limit-{share}",
                GPT2_SMALL,
                1,
                (0,),
                modes=("LAYER", "AUTO"),
                transformer__layers=6,
                training__memory_limit=f"{int(limit)}B",
            )

    def test_same_bits_accumulated(self):
        self.check_equal(
            "accumulated", GPT2_SMALL, 2, (1, 3), training__micro_batch=1
        )


if __name__ == "__main__":
    support.main()
