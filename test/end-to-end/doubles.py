# ===- doubles.py - Executables for GPUs, on doubles -----------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Emitted executables run on the libraries of test/runtime/cuda that stand in
# for CUDA's driver, cuBLASLt and NCCL: kernels are the compiler's own, each
# thread emulated; streams do their work as late as events allow, or at once.
#
# ===----------------------------------------------------------------------===#

import os
import socket
import subprocess

import support

FAKES = support.BUILD / "test" / "fake-cuda"


class Executable:
    """An executable for GPUs and the libraries of its emulated kernels: of the model
    that is trained, and of the one that generates where there is one."""

    def __init__(self, specification, path, environment=support.ENVIRONMENT, **values):
        self.path = path
        values = {"target__cuda__arch": "sm_90a", **values}
        module = path.with_suffix(".mlir")
        fields = {key.replace("__", "."): value for key, value in values.items()}
        command = [support.TESSERA, "compile", specification, *support.settings(fields)]
        support.run([*command, "-o", path], env=environment)
        support.run([*command, "--compile-to=plan", "-o", module])
        self.kernels = path.with_suffix(".so")
        self.generating = path.with_suffix(".generation.so")
        emulate = [support.BUILD / "bin" / "emulate-kernels", module]
        if "module @generation " in module.read_text():
            support.run([*emulate, self.kernels, "training"])
            support.run([*emulate, self.generating, "generation"])
        else:
            support.run([*emulate, self.kernels])
            self.generating = self.kernels

    def doubles(self, command):
        """What has `command` run on doubles."""
        generates = command in ("generate", "logits", "score")
        return {
            "LD_LIBRARY_PATH": str(FAKES),
            "FAKE_CUDA_KERNELS": str(self.generating if generates else self.kernels),
            "OMP_NUM_THREADS": "1",
        }

    def run(self, arguments, world=1, check=True, **environment):
        """Runs a rank per process, as torchrun would start them, each with a GPU
        of its own unless told otherwise; what each said."""
        with socket.socket() as probe:
            probe.bind(("localhost", 0))
            port = probe.getsockname()[1]
        processes = []
        for rank in range(world):
            ranks = {
                "RANK": rank,
                "WORLD_SIZE": world,
                "LOCAL_RANK": rank,
                "LOCAL_WORLD_SIZE": world,
                "MASTER_ADDR": "localhost",
                "MASTER_PORT": port,
                "FAKE_CUDA_DEVICES": world,
            }
            variables = {
                **self.doubles(arguments[0]),
                **(ranks if world > 1 else {}),
                **environment,
            }
            variables = {key: str(value).format(rank=rank) for key, value in variables.items()}
            processes.append(
                subprocess.Popen(
                    [str(part) for part in [self.path, *arguments]],
                    env=dict(os.environ, **variables),
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
            )
        said = [process.communicate(timeout=600)[0] for process in processes]
        if check and any(process.returncode for process in processes):
            raise AssertionError("\n".join(said))
        return said

    def train(self, data, log, world=1, options=(), **environment):
        log.unlink(missing_ok=True)
        command = ["train", "--data", data, "--log", log, "--order", "sequential"]
        self.run([*command, *options], world, **environment)
        return support.read_log(log)
