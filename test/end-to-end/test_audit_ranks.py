# ===- test_audit_ranks.py - Audits by several ranks ----------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import json
import os
import random
import re
import subprocess
import unittest

import support
from audit_case import DEFENSES, NODES, AuditCase


class Ranks(AuditCase):
    def ranks(self, out, world, *options):
        """Starts ranks as torchrun does, without anyone who ends them; each
        one's exit code, output and errors."""
        command = [out / "exe", "audit", "--data", out / "graph.safetensors", *options]
        processes = []
        for rank in range(world):
            environment = dict(
                support.ENVIRONMENT,
                RANK=str(rank),
                WORLD_SIZE=str(world),
                LOCAL_RANK=str(rank),
                LOCAL_WORLD_SIZE=str(world),
                TORCHELASTIC_RUN_ID=f"audit-{os.getpid()}",
                MASTER_PORT=str(21000 + os.getpid() % 8000),
            )
            processes.append(
                subprocess.Popen(
                    [str(part) for part in command],
                    env=environment,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
        said = [process.communicate(timeout=120) for process in processes]
        return [(p.returncode, *texts) for p, texts in zip(processes, said)]

    def test_ranks_share_the_trials(self):
        out, _ = self.make("audit-ranks", more=DEFENSES + " ablation: NO_EDGES")
        seeds = ("--seeds", 3)
        self.audit(out, "--report", out / "alone", *seeds)
        command = [*support.launcher(2), out / "exe", "audit"]
        command += ["--data", out / "graph.safetensors", "--report", out / "two"]
        shown = support.run([*command, *seeds]).stdout
        self.assertEqual(len(re.findall(r"^ *\d of 3 ", shown, re.M)), 3)
        done = self.ranks(out, 4, "--report", out / "four", *seeds)
        self.assertEqual([code for code, _, _ in done], [0] * 4)
        self.assertEqual([bool(output) for _, output, _ in done], [True] + [False] * 3)
        self.assertNotIn("nothing to do", done[0][2])
        for name in ("report.json", "report.csv", "report.html"):
            alone = (out / "alone" / name).read_bytes()
            self.assertEqual((out / "two" / name).read_bytes(), alone, name)
            self.assertEqual((out / "four" / name).read_bytes(), alone, name)

    def test_ranks_share_one_trial(self):
        # Models, LiRA's shadows and attacks of one trial, one part for each rank or
        # none.
        lira = {"audit__attack__kind": "LIRA", "audit__attack__shadows": 5}
        for name, more, fields, ranks, idle in (
            ("lira", DEFENSES, lira, 3, 0),
            ("few", "", {}, 5, 3),
        ):
            out, _ = self.make(f"audit-share-{name}", more=more, **fields)
            self.audit(out, "--report", out / "alone", "--seeds", 1)
            done = self.ranks(out, ranks, "--report", out / "all", "--seeds", 1)
            self.assertEqual([code for code, _, _ in done], [0] * ranks)
            warned = f"{idle} of {ranks} ranks have nothing to do" in done[0][2]
            self.assertEqual(warned, idle > 0, done[0][2])
            for file in ("report.json", "report.csv", "report.html"):
                alone = (out / "alone" / file).read_bytes()
                self.assertEqual((out / "all" / file).read_bytes(), alone, file)

    def test_a_rank_that_fails_ends_all(self):
        # The second trial has a subgraph with one edge more than there is room
        # for, so that rank 1 alone meets the reason.
        out, tensors = self.make("audit-rank-fails")
        ends = tensors["edge_index"][2]
        count = len(ends) // 2

        def edges(nodes):
            kept = set(nodes)
            return sum(ends[i] in kept and ends[count + i] in kept for i in range(count))

        def most(split):
            return max(edges(split["target_train"]), edges(split["shadow_train"]))

        draw = random.Random(1)
        splits = []
        for _ in range(2):
            split = self.split(tensors, draw.sample(range(NODES), NODES))
            splits.append({**split, "seed": len(splits) + 1})
        splits.sort(key=most)
        room = most(splits[0])
        self.assertLess(room, most(splits[1]))
        (out / "splits.json").write_text(json.dumps({"graph": "graph", "splits": splits}))
        fields = {"audit__edge_capacity": room}
        support.compile(out / "spec.textproto", out / "exe", **fields)
        options = ("--splits", out / "splits.json", "--report", out / "report")
        done = self.ranks(out, 2, *options)
        self.assertEqual([code for code, _, _ in done], [1, 1])
        said = "".join(errors for _, _, errors in done)
        self.assertEqual(said.count("error:"), 1, said)
        self.assertRegex(said, rf"rank 1.*has {most(splits[1])} edges.*room for {room}")
        self.assertEqual(list((out / "report").iterdir()), [])


if __name__ == "__main__":
    unittest.main()
