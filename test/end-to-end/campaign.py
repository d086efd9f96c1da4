# ===- campaign.py - One training that is hit and resumed -------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# What fault_trials.py hits: processes and their ranks, on pipes or a terminal
# that can be closed, and the files that they leave.
#
# ===----------------------------------------------------------------------===#

import fcntl
import json
import os
import pathlib
import pty
import re
import select
import shutil
import struct
import subprocess
import termios
import threading
import time

import support

STEPS = 240
TIMEOUT = 4.0  # seconds that ranks wait for each other, TESSERA_TIMEOUT
FAKES = support.BUILD / "test" / "runtime" / "fake"


class Failure(Exception):
    """What must not happen: its first word is the column it counts in."""


def children(pid):
    try:
        tasks = list(pathlib.Path(f"/proc/{pid}/task").glob("*/children"))
        return [int(child) for task in tasks for child in task.read_text().split()]
    except OSError:
        return []


def is_rank(pid):
    try:
        return "/fake-" in os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return False


def ranks_of(launcher):
    """The processes of the ranks, by rank: the launcher itself or below it."""
    if is_rank(launcher):
        return [launcher]
    found = {}
    below = children(launcher)
    while below:
        pid = below.pop()
        below += children(pid)
        try:
            environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            continue
        rank = re.search(rb"OMPI_COMM_WORLD_RANK=(\d+)", environment)
        if rank and is_rank(pid):
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


def has_open(pid, path):
    """Whether a process has a file open."""
    try:
        for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            if os.path.samefile(link, path):
                return True
    except OSError:
        pass  # it has ended, or the file is not there yet
    return False


def weights_bytes(content):
    """The length of a safetensors file, by its header."""
    if len(content) < 8:
        return None
    begin = 8 + struct.unpack("<Q", content[:8])[0]
    try:
        header = json.loads(content[8:begin])
    except ValueError:
        return None
    ends = [entry["data_offsets"][1] for name, entry in header.items() if name[0] != "_"]
    return begin + max(ends)


class Run:
    """A process whose output, a pipe or a terminal, is read until it is lost."""

    def __init__(self, command, environment, terminal):
        if terminal:
            self.reader, writer = pty.openpty()
        else:
            self.reader, writer = os.pipe()
        self.process = subprocess.Popen(
            [str(part) for part in command],
            env=environment,
            stdin=writer if terminal else subprocess.DEVNULL,
            stdout=writer,
            stderr=writer,
            start_new_session=terminal,
            preexec_fn=(lambda: fcntl.ioctl(1, termios.TIOCSCTTY, 0)) if terminal else None,
        )
        os.close(writer)
        self.pid = self.process.pid
        self.text = b""
        self.lost = False
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        while not self.lost:
            if not select.select([self.reader], [], [], 0.005)[0]:
                continue
            try:
                piece = os.read(self.reader, 1 << 16)
            except OSError:
                piece = b""  # a terminal that nobody has open any more
            if not piece:
                break
            self.text += piece
        os.close(self.reader)

    def lose_reader(self):
        self.lost = True
        self.thread.join()

    def over(self):
        return self.process.poll() is not None

    def finish(self, seconds):
        """The exit code, as the shell has it, and the output; None for one that
        does not end."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            ranks = ranks_of(self.pid)
            for pid in [self.pid, *ranks]:
                send(pid, 9)
            self.process.wait()
            code = None
        self.thread.join()
        if code is not None and code < 0:
            code = 128 - code
        return code, self.text.decode(errors="replace")


class Campaign:
    """One training, from its beginning to its end, however often it is hit."""

    def __init__(self, folder, world, choice, data):
        self.world = world
        self.every = choice.choice((1, 2, 3, 7))
        self.choice = choice
        self.folder = folder / "campaign"
        self.log_folder = folder / "log"
        # Room for two checkpoints, a third one under way, and not much more.
        self.mounted = self.mount(self.folder, "2m") and self.mount(self.log_folder, "512k")
        self.checkpoints = self.folder / "c"
        self.weights = self.folder / "w.safetensors"
        self.log = self.log_folder / "log"
        self.data = data
        # The file that a trial has damaged, its step and its folder's number:
        # it stays until a run has made another checkpoint.
        self.damaged = None

    @staticmethod
    def mount(folder, size):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        if os.geteuid() != 0:
            return False
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder]
        return subprocess.run(command, capture_output=True).returncode == 0

    def close(self):
        for folder in (self.folder, self.log_folder):
            # Processes that were killed may take a moment to be gone.
            for attempt in range(50):
                if not os.path.ismount(folder):
                    break
                done = subprocess.run(["umount", folder], capture_output=True)
                if done.returncode != 0:
                    time.sleep(0.1)
            else:
                raise RuntimeError(f"cannot unmount {folder}: {done.stderr}")
            shutil.rmtree(folder, ignore_errors=True)

    def complete(self):
        """Steps of the complete checkpoints."""
        found = self.checkpoints.glob("step-*/checkpoint.json")
        return sorted(int(path.parent.name[5:]) for path in found)

    def is_writing(self):
        """Whether a checkpoint is under construction."""
        folders = self.checkpoints.glob("step-*")
        return any(not (folder / "checkpoint.json").exists() for folder in folders)

    def lines(self):
        return support.read_log(self.log) if self.log.exists() else []

    def executable(self, stage):
        return FAKES / f"fake-{self.world}-{stage}" if self.world > 1 else FAKES / "fake-1"

    def start(self, terminal):
        stage = self.choice.randrange(4)
        self.background = self.choice.random() < 0.5
        command = support.launcher(self.world)
        command += [self.executable(stage), "train"]
        command += ["--data", self.data, "--order", "sequential"]
        command += ["--steps", STEPS, "--log", self.log, "--resume"]
        command += ["--save", self.weights, "--checkpoint-dir", self.checkpoints]
        command += ["--checkpoint-every", self.every]
        command += ["--checkpoint-async"] if self.background else []
        environment = dict(
            support.ENVIRONMENT,
            TESSERA_TIMEOUT=str(TIMEOUT),
            FAKE_STEP_MS=str(self.choice.choice((0, 1, 3))),
        )
        form = self.choice.choice(("shared", "messages"))
        if self.world > 1:
            environment["TESSERA_COMM"] = form
        return Run(command, environment, terminal)

    def require_whole_weights(self, step=None):
        """--save holds nothing or all of a file, that of a step if one is given."""
        if step is None and not self.weights.exists():
            return
        if not self.weights.exists():
            raise Failure("lost: there are no weights of --save")
        content = self.weights.read_bytes()
        if len(content) != weights_bytes(content):
            raise Failure(f"lost: the weights of --save have {len(content)} bytes")
        if step is None:
            return
        if self.complete()[-1:] != [step]:
            raise Failure(f"lost: there is no checkpoint of step {step}: {self.complete()}")
        exported = self.folder / "e.safetensors"
        command = [self.executable(0), "export", "--checkpoint-dir", self.checkpoints]
        support.run(command + ["--out", exported])
        if exported.read_bytes() != content:
            raise Failure(f"wrong: the weights of --save are not those of step {step}")
        exported.unlink()

    def require_no_leftovers(self):
        for folder in (self.folder, self.log_folder):
            left = list(folder.glob("*.tessera-*"))
            if left:
                raise Failure(f"wrong: {left} are left")
