# ===- support.py - What the end-to-end tests share ------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Runs the compiler and what it emits, and reads their files, with Python's
# standard library alone.
#
# ===----------------------------------------------------------------------===#

import array
import json
import math
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
GOLDEN = ROOT / "test" / "golden"
EXAMPLES = ROOT / "examples"
CORA = EXAMPLES / "cora" / "cora.safetensors"
BUILD = pathlib.Path(os.environ.get("TESSERA_BUILD", ROOT / "build"))
TESSERA = BUILD / "bin" / "tessera"
MALLOC_COUNTER = BUILD / "test" / "end-to-end" / "libmalloc_counter.so"

# Open MPI refuses root and more ranks than cores unless told otherwise.
ENVIRONMENT = dict(
    os.environ,
    OMPI_ALLOW_RUN_AS_ROOT="1",
    OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
)


def each_family(case):
    """Gives the test case `case` a test for each family of models with texts by
    transformers (test/golden/texts), which calls its check() with the family's name."""
    for folder in sorted((GOLDEN / "texts").iterdir()):
        name = folder.name
        setattr(case, f"test_{name}", lambda self, name=name: self.check(name))
    return case


def scratch_path(name):
    """Where scratch(name) is: tests of different files run side by side."""
    return BUILD / "test" / "end-to-end" / "scratch" / pathlib.Path(sys.argv[0]).stem / name


def scratch(name):
    """An empty folder of the running test."""
    folder = scratch_path(name)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def run(command, check=True, **options):
    """Runs a command to its end; its output as text. Fails with all it said."""
    command = [str(part) for part in command]
    options = {"env": ENVIRONMENT, "timeout": 600, **options}
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if check and done.returncode != 0:
        raise AssertionError(
            f"{' '.join(command)}\nexited with {done.returncode}\n{done.stdout}{done.stderr}"
        )
    return done


def settings(values):
    """The --set options for {"path": value}."""
    return [part for k, v in values.items() for part in ("--set", f"{k}={v}")]


def compile(specification, executable, **values):
    """Compiles; keywords are fields with __ for the dots (parallel__world=2)."""
    paths = {key.replace("__", "."): value for key, value in values.items()}
    run([TESSERA, "compile", specification, "-o", executable] + settings(paths))
    return executable


def plan(specification, **values):
    """`tessera plan --format json` as a dictionary; of an audit a list of them."""
    paths = {key.replace("__", "."): value for key, value in values.items()}
    done = run([TESSERA, "plan", specification, "--format", "json"] + settings(paths))
    return json.loads(done.stdout)


def plans(specification, **values):
    """The plans of all models of a specification."""
    found = plan(specification, **values)
    return found if isinstance(found, list) else [found]


def launcher(world):
    if world == 1:
        return []
    return ["mpirun", "-np", world, "--oversubscribe", "--bind-to", "none"]


def golden_tokens(folder):
    """The text of a golden model: a pair of files by its prefix, or bytes."""
    pair = folder / "tokens"
    return pair if pair.with_suffix(".idx").exists() else pair.with_suffix(".bytes")


def train(executable, data, log, world=1, options=(), **run_options):
    """Trains on sequential data; the log's lines as dictionaries."""
    if "--resume" not in options:
        pathlib.Path(log).unlink(missing_ok=True)
    command = launcher(world) + [executable, "train", "--data", data, "--log", log]
    run(command + ["--order", "sequential", *options], **run_options)
    return read_log(log)


def read_log(path):
    with open(path) as file:
        return [json.loads(line) for line in file if line.endswith("\n")]


def processes(executable):
    """The numbers of the processes that run an executable."""
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if os.path.samefile(process / "exe", executable):
                yield int(process.name)
        except OSError:
            pass  # it has ended, or is another user's


def proportional_bytes(process):
    """Physical memory of a process; of what n processes share it counts 1 / n."""
    for line in pathlib.Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return 1024 * int(line.split()[1])
    raise AssertionError("smaps_rollup has no Pss")


def memory_of(process):
    """Bytes that a process has beside pages of files."""
    try:
        text = pathlib.Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return 0
    fields = re.findall(r"Rss(?:Anon|Shmem):\s+(\d+) kB", text)
    return 1024 * sum(map(int, fields))


def most_memory(command):
    """The most of it that a command takes, looked at each millisecond."""
    command = [str(part) for part in command]
    process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    most = 0
    while process.poll() is None:
        most = max(most, memory_of(process.pid))
        time.sleep(0.001)
    if process.returncode != 0:
        raise AssertionError(f"{' '.join(command)}\nexited with {process.returncode}")
    return most


def physical_bytes(executable, data, world, steps=3):
    """Physical memory of all ranks of a run after some steps; what they share
    counts once. The run is ended then."""
    log = pathlib.Path(executable).with_suffix(".log")
    log.write_text("")
    command = launcher(world) + [executable, "train", "--data", data]
    command = [str(part) for part in command + ["--log", log, "--steps", 1000000]]
    output = subprocess.DEVNULL  # mpirun reports at length ranks that are killed
    process = subprocess.Popen(command, env=ENVIRONMENT, stdout=output, stderr=output)
    try:
        while log.read_text().count("\n") < steps:
            if process.poll() is not None:
                raise AssertionError(f"{' '.join(command)}\nexited with {process.returncode}")
            time.sleep(0.05)
        ranks = list(processes(executable))
        if len(ranks) != world:
            raise AssertionError(f"{' '.join(command)}\nhas {len(ranks)} ranks")
        for rank in ranks:
            os.kill(rank, signal.SIGSTOP)
        return sum(proportional_bytes(rank) for rank in ranks)
    finally:
        for rank in processes(executable):
            os.kill(rank, signal.SIGKILL)
        process.wait()


def losses(log):
    return [line["loss"] for line in log]


def read_safetensors(path):
    """{name: (shape, values)} of a safetensors file, values as array.array."""
    codes = {"F32": "f", "F64": "d", "BOOL": "b"}
    codes |= {"BF16": "H", "F16": "H"}  # as they are stored
    codes |= {"I64": "q", "I32": "i", "I16": "h", "I8": "b", "U16": "H", "U8": "B"}
    data = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        values = array.array(codes[entry["dtype"]])
        values.frombytes(data[8 + length + begin : 8 + length + end])
        assert math.prod(entry["shape"]) == len(values), f"{path}: {name}"
        tensors[name] = (entry["shape"], values)
    return tensors


def write_safetensors(path, tensors):
    """Writes {name: (dtype, shape, array.array)}."""
    header, data = {}, b""
    for name, (dtype, shape, values) in tensors.items():
        begin = len(data)
        data += values.tobytes()
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [begin, len(data)]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def norm(values):
    return math.sqrt(math.fsum(v * v for v in values))


def relative_distance(values, reference):
    """The norm of the difference over the norm of the reference."""
    difference = norm(a - b for a, b in zip(values, reference))
    scale = norm(reference)
    return difference / scale if scale else difference


def repeated_text(path, size):
    """Writes `size` bytes of the licences that every Debian machine carries."""
    folder = pathlib.Path("/usr/share/common-licenses")
    text = b"".join(p.read_bytes() for p in sorted(folder.iterdir()) if p.is_file())
    if not text:
        raise AssertionError(f"{folder} is empty; it comes with package base-files")
    pathlib.Path(path).write_bytes((text * (size // len(text) + 1))[:size])
    return path


def main():
    """unittest's main; exit code 77 where every test was skipped."""
    result = unittest.main(module="__main__", exit=False).result
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(77 if result.testsRun and len(result.skipped) == result.testsRun else 0)
