# ===- test_worlds.py - Checkpoints fit any number of ranks and any stage ---===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import json
import shutil
import struct
import unittest

import support

STEPS, STOP = 16, 8
MODEL = {
    "transformer__layers": 2,
    "transformer__hidden": 128,
    "transformer__sequence_length": 16,
    "training__global_batch": 24,
    "training__micro_batch": 1,
    "training__steps": STEPS,
}


def compile(out, name, world, stage, **values):
    return support.compile(
        support.EXAMPLES / "bloom-tiny.textproto",
        out / name,
        parallel__world=world,
        parallel__zero_stage=stage,
        **{**MODEL, **values},
    )


class Worlds(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.out = support.scratch("worlds")
        cls.data = support.repeated_text(cls.out / "text.txt", 1 << 18)

    def train(self, executable, world, name, *options):
        log = self.out / f"{name}.log"
        return support.train(executable, self.data, log, world, options)

    def resume(self, executable, world, name):
        copy = self.out / f"{name}-checkpoints"
        shutil.copytree(self.out / "checkpoints", copy)
        options = ["--resume", "--checkpoint-dir", copy]
        log = self.train(executable, world, name, *options)
        self.assertEqual([line["step"] for line in log], list(range(STOP + 1, STEPS + 1)))
        return log

    def test_four_ranks_go_on_as_others(self):
        four = compile(self.out, "four", 4, 2)
        whole = self.train(four, 4, "whole")
        checkpoints = ["--checkpoint-dir", self.out / "checkpoints"]
        self.train(four, 4, "begin", *checkpoints, "--steps", STOP)
        files = self.out / "checkpoints" / f"step-{STOP:012d}"
        sizes = [path.stat().st_size for path in sorted(files.glob("rank-*"))]
        self.assertEqual(len(sizes), 4)
        self.assertLess(max(sizes) / min(sizes), 1.1)

        # The same order of sums: the same bits. Stages 2 and 3 sum ranks first.
        for stage in (2, 3):
            executable = four if stage == 2 else compile(self.out, "four3", 4, 3)
            log = self.resume(executable, 4, f"four-{stage}")
            for line, expected in zip(log, whole[STOP:]):
                self.assertEqual(line["loss"], expected["loss"])
                self.assertEqual(line["grad_norm"], expected["grad_norm"])

        for world, stage in ((4, 0), (2, 3), (3, 1), (8, 3), (1, 0)):
            name = f"{world}-{stage}"
            executable = compile(self.out, name, world, stage)
            log = self.resume(executable, world, name)
            for line, expected in zip(log, whole[STOP:]):
                error = abs(line["loss"] / expected["loss"] - 1)
                self.assertLess(error, 1e-5, f"{name}, step {line['step']}")

        # And back: written by one rank in several blocks, read by four.
        folder = self.out / "1-0-checkpoints"
        index = json.loads((folder / f"step-{STEPS:012d}" / "checkpoint.json").read_text())
        self.assertGreater(len(index["checksums"][0]), 1)
        options = ["--resume", "--checkpoint-dir", folder, "--steps", STEPS + 1]
        back = self.train(four, 4, "back", *options)
        log = self.train(four, 4, "longer", "--steps", STEPS + 1)
        self.assertLess(abs(back[-1]["loss"] / log[-1]["loss"] - 1), 1e-5)

        # Its weights as one file, and as those of a run that learns no more.
        weights, saved = self.out / "weights.safetensors", self.out / "saved.safetensors"
        support.run([four, "export", "--checkpoint-dir", folder, "--out", weights])
        options = ["--init", folder, "--steps", 0, "--save", saved]
        self.train(four, 4, "saved", *options)
        self.assertEqual(weights.read_bytes(), saved.read_bytes())

        # The last byte of a block that only one of the readers verifies.
        path = folder / f"step-{STEPS + 1:012d}" / "rank-00003.safetensors"
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
        command = support.launcher(4) + [four, "train", "--data", self.data]
        command += ["--resume", "--checkpoint-dir", folder, "--steps", STEPS]
        done = support.run(command)
        self.assertIn(f"{path}' is damaged", done.stderr)
        self.assertIn(f"after step {STEPS}", done.stdout)

    def test_precision_may_change(self):
        """16-bit parameters are saved as their master in fp32."""
        checkpoints = self.out / "precision"
        narrow = {"training__precision__compute": "BF16"}
        two = compile(self.out, "two16", 2, 2, **narrow)
        whole = self.train(two, 2, "whole16")
        begin = ["--checkpoint-dir", checkpoints, "--steps", STOP]
        self.train(two, 2, "begin16", *begin, "--save", self.out / "saved16.safetensors")
        done = [two, "export", "--checkpoint-dir", checkpoints]
        support.run(done + ["--out", self.out / "weights16.safetensors"])
        exported = (self.out / "weights16.safetensors").read_bytes()
        self.assertEqual(exported, (self.out / "saved16.safetensors").read_bytes())

        three = compile(self.out, "two16-3", 2, 3, **narrow)
        one = compile(self.out, "one16", 1, 0, **narrow)
        wide = compile(self.out, "two32", 2, 1)
        for executable, world, error in ((three, 2, 0), (one, 1, 2e-2), (wide, 2, 2e-2)):
            copy = self.out / f"after-{executable.name}"
            shutil.copytree(checkpoints, copy)
            options = ["--resume", "--checkpoint-dir", copy]
            log = self.train(executable, world, copy.name, *options)
            self.assertEqual(len(log), STEPS - STOP)
            for line, expected in zip(log, whole[STOP:]):
                difference = abs(line["loss"] / expected["loss"] - 1)
                self.assertLessEqual(difference, error, line["step"])

    def test_another_model_is_refused(self):
        one = compile(self.out, "one", 1, 0)
        folder = self.out / "other"
        self.train(one, 1, "other", "--checkpoint-dir", folder, "--steps", 1)
        hidden = {"transformer.hidden": (128, 64), "transformer.feed_forward": (512, 256)}
        shape = "has shape [256, 128], this model's has [256, 64]"
        layers = {"transformer.layers": (2, 3)}
        for setting, value, differences, reason in (
            ("transformer__hidden", 64, hidden, shape),
            ("transformer__layers", 3, layers, "has no parameter 'h.2."),
        ):
            other = compile(self.out, setting, 1, 0, **{setting: value})
            command = [other, "train", "--data", self.data, "--checkpoint-dir", folder, "--resume"]
            done = support.run(command, check=False)
            self.assertEqual(done.returncode, 1)
            for name, (there, here) in differences.items():
                self.assertIn(f"{name} is {there} there and {here} here", done.stderr)
                command += ["--allow", name]
            done = support.run(command, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn(reason, done.stderr)


def spoil_embedding(source, target, name, token):
    """Copies weights with an embedding of the token that is finite, as weights must
    be, and whose sum, which its normalization takes, is not."""
    content = bytearray(source.read_bytes())
    (length,) = struct.unpack_from("<Q", content)
    entry = json.loads(content[8 : 8 + length])[name]
    row = entry["shape"][1] * 4
    place = 8 + length + entry["data_offsets"][0] + token * row
    content[place : place + 8] = struct.pack("<2f", 3e38, 3e38)
    target.write_bytes(content)


class NonFinite(unittest.TestCase):
    """A token that one rank meets in one step has an embedding that is too large."""

    @classmethod
    def setUpClass(cls):
        cls.out = support.scratch("non-finite")
        data = support.repeated_text(cls.out / "text.txt", 1 << 16).read_bytes()
        data = bytearray(data.replace(b"\xff", b" "))
        # 24 samples of 16 tokens per step: the last sample of the third one.
        data[(3 * 24 - 1) * 16 + 8] = 255
        cls.data = cls.out / "data"
        cls.data.write_bytes(data)

    def test_all_ranks_skip_the_step(self):
        for world, stage in ((1, 0), (2, 1), (2, 3)):
            executable = compile(
                self.out,
                f"{world}-{stage}",
                world,
                stage,
                training__non_finite="SKIP",
                training__max_skips=1,
                transformer__tied_embeddings="false",
                training__global_batch=24,
            )
            first, sick = self.out / "first.safetensors", self.out / "sick"
            command = support.launcher(world) + [executable, "train", "--order"]
            command += ["sequential", "--data", self.data]
            support.run(command + ["--steps", 0, "--save", first])
            spoil_embedding(first, sick, "transformer.word_embeddings.weight", 255)
            saved = {}
            for steps in (2, 3, 6):
                log = self.out / f"{world}-{stage}-{steps}.log"
                saved[steps] = self.out / f"after-{steps}.safetensors"
                options = ["--init", sick, "--steps", steps, "--save", saved[steps]]
                done = support.run(command + options + ["--log", log])
            lines = support.read_log(log)
            self.assertEqual([x.get("skipped", False) for x in lines], [s == 3 for s in range(1, 7)])
            self.assertEqual(saved[2].read_bytes(), saved[3].read_bytes())
            self.assertIn("at step 3: it is skipped", done.stderr)
            self.assertIsNone(lines[2]["loss"])
            self.assertTrue(all(x["loss"] > 0 for x in lines if x["step"] != 3))

    def test_stop_ends_the_run(self):
        executable = compile(self.out, "stop", 2, 2)
        weights = self.out / "weights.safetensors"
        command = support.launcher(2) + [executable, "train", "--data", self.data]
        support.run(command + ["--steps", 0, "--save", weights])
        spoil_embedding(weights, weights, "word_embeddings.weight", ord(" "))
        done = support.run(command + ["--init", weights], check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("at step 1: the run stops before the weights are lost", done.stderr)


if __name__ == "__main__":
    support.main()
