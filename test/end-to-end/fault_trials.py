#!/usr/bin/env python3
# ===- fault_trials.py - Runs hit by faults, and what becomes of them -------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Each trial resumes a run, hits it with a fault at a random moment, and checks
# that it exits in time, that every loss it logged is that of an undisturbed
# run, that no complete checkpoint is lost, and that --save holds what it
# should. The runs are small (FakeProgram.cpp at several numbers of ranks and
# stages), so that a trial takes about a second.
#
#     test/end-to-end/fault_trials.py --trials 320 --seed 1
#
# prints the table of docs/faults.md. Trials with a full disk need the right to
# mount a tmpfs.

import argparse
import dataclasses
import os
import random
import re
import signal
import sys
import time

import support
from campaign import STEPS, TIMEOUT, Campaign, Failure, has_open, is_alive, ranks_of, send

MARGIN = 6.0  # seconds that ending may take beyond TIMEOUT, on a busy machine
LAUNCHER = 30.0  # seconds that mpirun may take to end a stopped process
UNHURRIED = 120.0  # seconds in which a run starts, or goes on to its last step
STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclasses.dataclass
class Outcome:
    """What is right after a fault."""

    code: object = None  # the exit code; None: any but 0; "any": any
    says: str = ""  # what the output must match
    whole: bool = False  # the last step's checkpoint and --save are there
    goes_on: bool = False  # to the last step


class Trials:
    def __init__(self, folder, seed, only=""):
        self.folder = folder
        self.only = only
        self.choice = random.Random(seed)
        self.data = support.repeated_text(folder / "data", 1 << 18)
        self.content = self.data.read_bytes()
        self.reference = {}
        self.table = {}
        self.campaign = None
        self.failures = []

    def expected(self, world):
        """(loss, norm) of each step of an undisturbed run."""
        if world not in self.reference:
            log = support.train(
                self.campaign.executable(0),
                self.data,
                self.folder / "reference",
                world,
                ["--steps", STEPS],
            )
            self.reference[world] = [(x["loss"], x["grad_norm"]) for x in log]
        return self.reference[world]

    # The faults. Each takes the run and its ranks, and returns what is right.

    def kill_rank(self, run, ranks):
        send(self.choice.choice(ranks), signal.SIGKILL)
        return Outcome()

    def stop_rank(self, run, ranks):
        victim = self.choice.choice(ranks)
        send(victim, signal.SIGSTOP)
        ranks.remove(victim)  # it is for mpirun to end
        return Outcome(says=r"for .*rank|has died|Killed|exited")

    def kill_launcher(self, run, ranks):
        send(run.pid, signal.SIGKILL)
        return Outcome()

    def kill_all(self, run, ranks):
        for pid in [run.pid, *ranks]:
            send(pid, signal.SIGKILL)
        return Outcome()

    def stop_by(self, number):
        def fault(run, ranks):
            send(self.choice.choice(ranks), number)
            return Outcome(128 + number, r"stopped by SIG[A-Z]+ after step|done: ", whole=True)

        return fault

    def signal_launcher(self, run, ranks):
        send(run.pid, self.choice.choice(STOPS))
        return Outcome()

    def signal_at_start(self, run, ranks):
        number = self.choice.choice(STOPS)
        send(self.choice.choice(ranks), number)
        return Outcome(128 + number)

    def signal_in_mpi_init(self, run, ranks):
        send(self.choice.choice(ranks), self.choice.choice(STOPS))
        return Outcome()

    def lose_reader(self, run, ranks):
        """By the signal itself, or a pipe that nobody reads any more."""
        if self.choice.random() < 0.3:
            send(self.choice.choice(ranks), signal.SIGPIPE)
            return Outcome(0, goes_on=True, whole=True)
        run.lose_reader()
        # mpirun exits, and its ranks with it.
        if self.campaign.world > 1:
            return Outcome("any")
        return Outcome(0, goes_on=True, whole=True)

    def close_terminal(self, run, ranks):
        run.lose_reader()
        if self.campaign.world > 1:
            return Outcome()
        return Outcome(128 + signal.SIGHUP, whole=True)

    def shrink_data(self, run, ranks):
        os.truncate(self.data, self.choice.choice((0, 1, 5000)))
        return Outcome(1, "is given up", whole=True)

    def fill(self, folder):
        with open(folder / "ballast", "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass

    def fill_disk(self, run, ranks):
        self.fill(self.campaign.folder)
        return Outcome(says="No space left on device")

    def fill_log_disk(self, run, ranks):
        self.fill(self.campaign.log_folder)
        says = "cannot write the log .*: No space left on device; the run goes on"
        return Outcome(1, says, whole=True, goes_on=True)

    def damage(self, run, ranks):
        """Ends the run, then flips a bit or removes a file of the newest."""
        self.kill_all(run, ranks)
        return Outcome()

    def faults(self):
        """Those that the campaign can be hit by."""
        faults = [
            ("SIGKILL of a rank", self.kill_rank),
            ("SIGKILL of all", self.kill_all),
            ("SIGTERM to a rank", self.stop_by(signal.SIGTERM)),
            ("SIGINT to a rank", self.stop_by(signal.SIGINT)),
            ("SIGHUP to a rank", self.stop_by(signal.SIGHUP)),
            ("SIGPIPE, or no reader", self.lose_reader),
            ("terminal closed", self.close_terminal),
            ("a signal before the first step", self.signal_at_start),
            ("data that shrinks", self.shrink_data),
            ("a bit flipped or a file lost", self.damage),
        ]
        if self.campaign.world > 1:
            faults += [
                ("SIGSTOP of a rank", self.stop_rank),
                ("SIGKILL of mpirun", self.kill_launcher),
                ("TERM, INT or HUP to mpirun", self.signal_launcher),
                ("a signal during MPI_Init", self.signal_in_mpi_init),
            ]
        if self.campaign.mounted:
            faults += [
                ("full disk", self.fill_disk),
                ("full disk of the log", self.fill_log_disk),
            ]
        return [f for f in faults if re.search(self.only, f[0])]

    def choose(self):
        """A fault at random, of those that have had their turn less often."""
        faults = self.faults()
        count = {name: self.table.get(name, [0])[0] for name, fault in faults}
        least = min(count.values())
        return self.choice.choice([f for f in faults if count[f[0]] <= least + 2])

    def wait(self, holds, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if holds():
                return True
            time.sleep(0.001)
        return False

    def moment_of_steps(self, run):
        """In the steps, in half of the trials while a checkpoint is written."""
        campaign = self.campaign
        awaited = len(campaign.lines()) + self.choice.randrange(1, 16)
        while_writing = self.choice.random() < 0.5

        def moment():
            if not campaign.log.exists():
                return False
            if campaign.log.read_bytes().count(b"\n") < awaited:
                return False
            return not while_writing or campaign.is_writing()

        return moment

    def moment_of_start(self, run):
        """Once rank 0 has the log open, and a moment more."""
        wait = self.choice.choice((0, 0, 0.002, 0.01))

        def moment():
            ranks = ranks_of(run.pid)
            if not ranks or not has_open(ranks[0], self.campaign.log):
                return False
            time.sleep(wait)
            return True

        return moment

    def moment_of_mpi_init(self, run):
        """Once all ranks are there, and a moment more."""
        wait = self.choice.random() * 0.15

        def moment():
            if len(ranks_of(run.pid)) < self.campaign.world:
                return False
            time.sleep(wait)
            return True

        return moment

    def strike(self, run, fault):
        """Waits for a random moment. What is right, or None where the run was
        missed; its ranks; whether a checkpoint was being written."""
        campaign = self.campaign
        starts = {self.signal_at_start: self.moment_of_start}
        starts[self.signal_in_mpi_init] = self.moment_of_mpi_init
        known = len(campaign.lines())
        moment = starts.get(fault, self.moment_of_steps)(run)
        if not self.wait(lambda: run.over() or moment(), UNHURRIED):
            raise Failure(f"hung: no moment to strike\n{run.finish(0)[1]}")
        ranks = ranks_of(run.pid)
        if run.over() or len(ranks) != campaign.world:
            return None, ranks, False
        if fault in starts and len(campaign.lines()) > known:
            return None, ranks, False
        if fault == self.signal_in_mpi_init and has_open(ranks[0], campaign.log):
            return None, ranks, False
        during = fault not in starts and campaign.is_writing()
        return fault(run, ranks), ranks, during

    def check_log(self):
        expected = self.expected(self.campaign.world)
        for line in self.campaign.lines():
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

    def check_outcome(self, name, right, code, output, over, lines_before):
        """The exit code, what is reported, and what is saved."""
        campaign = self.campaign
        said = f"{name}: code {code}\n{output[-2000:]}"
        # The fault may have come after the last step.
        codes = {right.code} | ({0} if over and not right.goes_on else set())
        if right.code is None and code == 0 and not over:
            raise Failure(f"wrong: {said}")
        if isinstance(right.code, int) and code not in codes:
            raise Failure(f"wrong: {said}")
        if right.says and not over | right.goes_on and not re.search(right.says, output):
            raise Failure(f"wrong: no word of it: {said}")
        if right.goes_on and (not over or not re.search(right.says, output)):
            raise Failure(f"wrong: it did not go on: {said}")
        lines = campaign.lines()
        made = len(lines) > lines_before
        step = STEPS if over else lines[-1]["step"] if made and right.whole else None
        campaign.require_whole_weights(step if right.whole else None)
        if right.whole:
            campaign.require_no_leftovers()

    def has_all_lines(self, lines_before):
        """Whether the run that just ended has logged each step to the last."""
        steps = [line["step"] for line in self.campaign.lines()[lines_before:]]
        return steps != [] and steps == list(range(steps[0], STEPS + 1))

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
            world = self.choice.choice((1, 2, 4) if not self.only else (2, 4))
            self.campaign = Campaign(self.folder, world, self.choice, self.data)
            self.expected(world)
        campaign = self.campaign
        name, fault = self.choose()
        before, lines_before = campaign.complete(), len(campaign.lines())
        run = campaign.start(terminal=fault == self.close_terminal)
        right, ranks, during = self.strike(run, fault)
        begin = time.monotonic()
        limit = UNHURRIED if right is None or right.goes_on else TIMEOUT + MARGIN
        ended = self.wait(lambda: not any(is_alive(pid) for pid in ranks), limit)
        seconds = time.monotonic() - begin
        code, output = run.finish(LAUNCHER if ended else 0)
        self.data.write_bytes(self.content)
        for pid in ranks if code is None else []:
            send(pid, signal.SIGKILL)
        if not ended or code is None:
            raise Failure(f"hung: {name} after {seconds:.1f} s\n{output[-2000:]}")
        for folder in (campaign.folder, campaign.log_folder):
            (folder / "ballast").unlink(missing_ok=True)
        self.check_log()
        self.check_resumed(output, before, lines_before)
        self.check_kept(lines_before)
        over = campaign.complete()[-1:] == [STEPS]
        # The last page of a full disk may have room for all that is to come.
        if fault == self.fill_log_disk and self.has_all_lines(lines_before):
            right = None
        if right is None:
            right = Outcome(0, whole=True, goes_on=True)
            self.check_outcome("unhit", right, code, output, over, lines_before)
            hit = False
        else:
            self.check_outcome(name, right, code, output, over, lines_before)
            hit = fault != self.damage or self.damage_newest()
        if over and not campaign.damaged:
            campaign.close()
            self.campaign = None
        return (name, None if right.goes_on else seconds, during) if hit else None

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
            row = self.table.setdefault(name, [0, 0, None])
            row[0] += 1
            row[1] += during
            if seconds is not None:
                row[2] = max(row[2] or 0, seconds)
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
            end = "goes on" if seconds is None else f"{seconds:.1f} s"
            print(f"| {name} | {count} | {during} | {end} |")
        counts = [sum(f.startswith(w) for f in self.failures) for w in ("hung", "lost", "wrong")]
        total = sum(row[0] for row in self.table.values()) + len(self.failures)
        print(
            f"\n{total} trials: {counts[0]} hung, {counts[1]} lost a checkpoint or weights, "
            f"{counts[2]} resumed or ended wrongly"
        )


def main():
    parser = argparse.ArgumentParser(description="Trials of faults in training runs")
    parser.add_argument("--trials", type=int, default=320)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="a pattern of the faults' names")
    arguments = parser.parse_args()
    trials = Trials(support.scratch("faults"), arguments.seed, arguments.only)
    trials.run(arguments.trials)
    trials.report()
    sys.exit(1 if trials.failures else 0)


if __name__ == "__main__":
    main()
