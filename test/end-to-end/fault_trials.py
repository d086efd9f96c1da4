#!/usr/bin/env python3
# ===- fault_trials.py - Runs hit by faults, and what becomes of them -------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Each trial resumes a run, hits it with a fault at a random moment, and checks
# that it ends in time, that every loss it logged is that of an undisturbed run,
# and that no complete checkpoint is lost. The runs are small (FakeProgram.cpp
# at several numbers of ranks and stages), so that a trial takes about a second.
#
#     test/end-to-end/fault_trials.py --trials 240 --seed 1
#
# prints the table of docs/faults.md. Trials with a full disk need the right to
# mount a tmpfs.

import argparse
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import support

STEPS = 240
TIMEOUT = 4.0  # seconds that ranks wait for each other, TESSERA_TIMEOUT
MARGIN = 6.0  # seconds that ending may take beyond that, on a busy machine
LAUNCHER = 30.0  # seconds that mpirun may take to end a stopped process
FAKES = support.BUILD / "test" / "runtime" / "fake"


class Failure(Exception):
    """What must not happen: its first word is the column it counts in."""


def children(pid):
    try:
        tasks = list(pathlib.Path(f"/proc/{pid}/task").glob("*/children"))
        return [int(child) for task in tasks for child in task.read_text().split()]
    except OSError:
        return []


def ranks_of(launcher):
    """The processes of the ranks below mpirun, by rank."""
    found = {}
    below = children(launcher)
    while below:
        pid = below.pop()
        below += children(pid)
        try:
            environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
            name = os.readlink(f"/proc/{pid}/exe")
        except OSError:
            continue
        rank = re.search(rb"OMPI_COMM_WORLD_RANK=(\d+)", environment)
        if rank and "/fake-" in name:
            found[int(rank[1])] = pid
    return [found[rank] for rank in sorted(found)]


def is_alive(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return text.rsplit(")", 1)[1].split()[0] != "Z"


def send(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


class Campaign:
    """One training, from its beginning to its end, however often it is hit."""

    def __init__(self, folder, world, choice):
        self.world = world
        self.every = choice.choice((1, 2, 3, 7))
        self.choice = choice
        self.folder = folder / "campaign"
        self.mounted = False
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        # Room for two checkpoints, a third one under way, and not much more.
        if os.geteuid() == 0:
            done = subprocess.run(
                ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", self.folder],
                capture_output=True,
            )
            self.mounted = done.returncode == 0
        self.checkpoints = self.folder / "c"
        self.log = folder / "log"
        self.log.unlink(missing_ok=True)
        self.data = folder / "data"
        # The file that a trial has damaged, its step and its folder's number:
        # it stays until a run has made another checkpoint.
        self.damaged = None

    def close(self):
        if self.mounted:
            # Processes that were killed may take a moment to be gone.
            for attempt in range(50):
                done = subprocess.run(["umount", self.folder], capture_output=True)
                if done.returncode == 0:
                    break
                time.sleep(0.1)
            else:
                raise RuntimeError(f"cannot unmount {self.folder}: {done.stderr}")
        shutil.rmtree(self.folder, ignore_errors=True)

    def complete(self):
        """Steps of the complete checkpoints."""
        found = self.checkpoints.glob("step-*/checkpoint.json")
        return sorted(int(path.parent.name[5:]) for path in found)

    def lines(self):
        return support.read_log(self.log) if self.log.exists() else []

    def start(self):
        stage = self.choice.randrange(4)
        self.background = self.choice.random() < 0.5
        command = support.launcher(self.world)
        command += [FAKES / f"fake-{self.world}-{stage}", "train"]
        command += ["--data", self.data, "--order", "sequential"]
        command += ["--steps", STEPS, "--log", self.log, "--resume"]
        command += ["--checkpoint-dir", self.checkpoints]
        command += ["--checkpoint-every", self.every]
        command += ["--checkpoint-async"] if self.background else []
        environment = dict(
            support.ENVIRONMENT,
            TESSERA_TIMEOUT=str(TIMEOUT),
            TESSERA_COMM=self.choice.choice(("shared", "messages")),
            FAKE_STEP_MS=str(self.choice.choice((0, 1, 3))),
        )
        return subprocess.Popen(
            [str(part) for part in command],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


class Trials:
    def __init__(self, folder, seed):
        self.folder = folder
        self.choice = random.Random(seed)
        self.data = support.repeated_text(folder / "data", 1 << 18)
        self.reference = {}
        self.table = {}
        self.campaign = None
        self.failures = []

    def expected(self, world):
        """(loss, norm) of each step of an undisturbed run."""
        if world not in self.reference:
            log = support.train(
                FAKES / f"fake-{world}-0",
                self.data,
                self.folder / "reference",
                world,
                ["--steps", STEPS],
            )
            self.reference[world] = [(x["loss"], x["grad_norm"]) for x in log]
        return self.reference[world]

    # The faults. Each takes the launcher and the ranks, and returns the exit
    # codes that are right and a text that must be told.

    def kill_rank(self, launcher, ranks):
        send(self.choice.choice(ranks), signal.SIGKILL)
        return "failed", ""

    def stop_rank(self, launcher, ranks):
        victim = self.choice.choice(ranks)
        send(victim, signal.SIGSTOP)
        ranks.remove(victim)  # it is for mpirun to end
        return "failed", r"for .*rank|has died|Killed|exited"

    def terminate_rank(self, launcher, ranks):
        send(self.choice.choice(ranks), signal.SIGTERM)
        return "ended", r"stopped by a signal after step|done: "

    def kill_launcher(self, launcher, ranks):
        send(launcher, signal.SIGKILL)
        return "failed", ""

    def kill_all(self, launcher, ranks):
        for pid in [launcher, *ranks]:
            send(pid, signal.SIGKILL)
        return "failed", ""

    def fill_disk(self, launcher, ranks):
        with open(self.campaign.folder / "ballast", "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        return "failed", "No space left on device"

    def damage(self, launcher, ranks):
        """Ends the run, then flips a bit or removes a file of the newest."""
        self.kill_all(launcher, ranks)
        return "failed", ""

    def faults(self):
        faults = [
            ("SIGKILL of a rank", self.kill_rank),
            ("SIGSTOP of a rank", self.stop_rank),
            ("SIGTERM to a rank", self.terminate_rank),
            ("SIGKILL of mpirun", self.kill_launcher),
            ("SIGKILL of all", self.kill_all),
            ("full disk", self.fill_disk),
            ("a bit flipped or a file lost", self.damage),
        ]
        return faults if self.campaign.mounted else [f for f in faults if f[0] != "full disk"]

    def wait(self, holds, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if holds():
                return True
            time.sleep(0.001)
        return False

    def strike(self, process, fault):
        """Waits for a random moment; (whether it was hit, what is right)."""
        campaign = self.campaign
        known = len(campaign.lines())
        awaited = known + self.choice.randrange(1, 16)
        while_writing = self.choice.random() < 0.5

        def moment():
            if process.poll() is not None:
                return True
            if not campaign.log.exists():
                return False
            if campaign.log.read_bytes().count(b"\n") < awaited:
                return False
            folders = campaign.checkpoints.glob("step-*")
            return not while_writing or any(
                not (folder / "checkpoint.json").exists() for folder in folders
            )

        if not self.wait(moment, 120):
            send(process.pid, signal.SIGKILL)
            raise Failure(f"hung: no moment to strike\n{process.communicate()[0]}")
        ranks = ranks_of(process.pid)
        if process.poll() is not None or len(ranks) != campaign.world:
            return False, "", "", ranks
        during = any(
            not (folder / "checkpoint.json").exists()
            for folder in campaign.checkpoints.glob("step-*")
        )
        right, told = fault(process.pid, ranks)
        return True, right, told, ranks, during

    def check_log(self, output):
        campaign = self.campaign
        expected = self.expected(campaign.world)
        for line in campaign.lines():
            if (line["loss"], line["grad_norm"]) != expected[line["step"] - 1]:
                raise Failure(f"wrong: step {line['step']} has another loss")

    def check_resumed(self, output, before, lines_before):
        """The run that just ended began after the newest whole checkpoint."""
        campaign = self.campaign
        lines = campaign.lines()
        if len(lines) == lines_before:
            return  # it made no step
        step = lines[lines_before]["step"] - 1
        # What mpirun had not yet passed on when it was killed is lost.
        match = re.search(r"resumed +after step (\d+)", output)
        if match and int(match[1]) != step:
            raise Failure(f"wrong: step {step + 1} follows\n{output}")
        if campaign.damaged:
            path, damaged, number = campaign.damaged
            if match and str(path) not in output:
                raise Failure(f"wrong: no word of {path}\n{output}")
            before = [other for other in before if other != damaged]
            if not path.parent.exists() or path.parent.stat().st_ino != number:
                campaign.damaged = None
        wanted = before[-1] if before else 0
        if step != wanted:
            raise Failure(f"lost: resumed after step {step}, not {wanted}\n{output}")

    def check_kept(self, lines_before):
        """Of the checkpoints that were due all but the one under way are."""
        campaign = self.campaign
        lines = campaign.lines()
        if len(lines) == lines_before:
            return
        behind = campaign.every if campaign.background else 0
        due = (lines[-1]["step"] - 1) // campaign.every * campaign.every - behind
        started = lines[lines_before]["step"]
        complete = campaign.complete()
        if due >= started and (not complete or complete[-1] < due):
            raise Failure(f"lost: {complete} are complete, {due} was due")

    def damage_newest(self):
        complete = self.campaign.complete()
        # The only one is left alone: a run that has none must start anew.
        if len(complete) < 2 or self.campaign.damaged:
            return False
        folder = self.campaign.checkpoints / f"step-{complete[-1]:012d}"
        # The mark of a complete checkpoint says no more.
        path = self.choice.choice(sorted(folder.glob("[!.]*")))
        if self.choice.random() < 0.3 and path.name != "checkpoint.json":
            path.unlink()
        else:
            content = bytearray(path.read_bytes())
            content[self.choice.randrange(len(content))] ^= 1 << self.choice.randrange(8)
            path.write_bytes(content)
        self.campaign.damaged = path, complete[-1], folder.stat().st_ino
        return True

    def trial(self):
        """One fault; its name and what came of it, or None where it missed."""
        if self.campaign is None:
            world = self.choice.choice((2, 4))
            self.campaign = Campaign(self.folder, world, self.choice)
            self.expected(world)
        campaign = self.campaign
        name, fault = self.choice.choice(self.faults())
        before, lines_before = campaign.complete(), len(campaign.lines())
        process = campaign.start()
        hit, right, told, ranks, *during = self.strike(process, fault)
        begin = time.monotonic()
        limit = TIMEOUT + MARGIN if hit else 120
        ended = self.wait(lambda: not any(is_alive(pid) for pid in ranks), limit)
        seconds = time.monotonic() - begin
        try:
            output, _ = process.communicate(timeout=LAUNCHER if hit else 120)
        except subprocess.TimeoutExpired:
            ended = False
            process.kill()
            for pid in ranks_of(process.pid) + ranks:
                send(pid, signal.SIGKILL)
            output = process.communicate()[0] or ""
        if not ended:
            raise Failure(f"hung: {name} after {seconds:.1f} s\n{output[-2000:]}")
        (campaign.folder / "ballast").unlink(missing_ok=True)
        self.check_log(output)
        self.check_resumed(output, before, lines_before)
        self.check_kept(lines_before)
        lines = campaign.lines()
        over = bool(lines) and lines[-1]["step"] == STEPS
        if not hit:
            if process.returncode != 0:
                raise Failure(f"wrong: code {process.returncode} unhit\n{output[-2000:]}")
        elif not over:
            if (process.returncode == 0) != (right == "ended"):
                raise Failure(f"wrong: {name}: code {process.returncode}\n{output[-2000:]}")
            if told and not re.search(told, output):
                raise Failure(f"wrong: {name}: no word of it\n{output[-2000:]}")
        if hit and fault == self.damage:
            hit = self.damage_newest()
        if over and not campaign.damaged:
            campaign.close()
            self.campaign = None
        return (name, seconds, during[0]) if hit else None

    def run(self, count, quiet=False):
        done = 0
        while done < count:
            try:
                outcome = self.trial()
            except Failure as failure:
                self.failures.append(str(failure))
                print(f"trial {done + 1}: {failure}", file=sys.stderr)
                self.close()
                done += 1
                continue
            if outcome is None:
                continue
            name, seconds, during = outcome
            row = self.table.setdefault(name, [0, 0, 0.0])
            row[0] += 1
            row[1] += during
            row[2] = max(row[2], seconds)
            done += 1
            if not quiet and done % 20 == 0:
                print(f"{done} trials", file=sys.stderr)
        self.close()

    def close(self):
        if self.campaign:
            self.campaign.close()
        self.campaign = None

    def report(self):
        print("| fault | trials | while a checkpoint was written | longest end |")
        print("|---|---|---|---|")
        for name, (count, during, seconds) in sorted(self.table.items()):
            print(f"| {name} | {count} | {during} | {seconds:.1f} s |")
        counts = [sum(f.startswith(w) for f in self.failures) for w in ("hung", "lost", "wrong")]
        total = sum(row[0] for row in self.table.values()) + len(self.failures)
        print(
            f"\n{total} trials: {counts[0]} hung, {counts[1]} lost a checkpoint, "
            f"{counts[2]} resumed or ended wrongly"
        )


def main():
    parser = argparse.ArgumentParser(description="Trials of faults in training runs")
    parser.add_argument("--trials", type=int, default=240)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    trials = Trials(support.scratch("faults"), arguments.seed)
    trials.run(arguments.trials)
    trials.report()
    sys.exit(1 if trials.failures else 0)


if __name__ == "__main__":
    main()
