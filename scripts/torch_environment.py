# ===- torch_environment.py - A Python environment with PyTorch -------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# What the golden files are made with and what the benchmarks compare with.
# Nothing that builds, tests or runs Tessera needs it.
#
# ===----------------------------------------------------------------------===#

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

TORCH = "torch==2.15.0"
PACKAGES = ["transformers==5.23.0", "torch_geometric==2.8.1", "numpy", "safetensors", "scipy", "lion-pytorch==0.2.5"]
# torch's own requirements when it is installed without them: what CUDA's
# toolkit does not have, or has too old, then the plain Python packages.
TORCH_ALONE = [
    TORCH,
    "triton==3.9.0",
    "nvidia-nccl-cu13==2.30.7",
    "nvidia-cufile==1.18.1.6",
    "nvidia-cusparselt-cu13==0.8.1",
    "nvidia-nvshmem-cu13==3.7.2",
]
TORCH_PYTHON = ["sympy", "networkx", "jinja2", "fsspec", "filelock", "setuptools>=77"]


def make():
    """Makes build/torch-venv where it is missing.

    Returns its Python and the environment variables to start it with. Where
    CUDA's toolkit lies in $CUDA_HOME (/usr/local/cuda), its libraries serve
    torch, whose wheel wants them even on a CPU; else some gigabytes of wheels
    bring them.
    """
    folder = ROOT / "build" / "torch-venv"
    python = folder / "bin" / "python"
    cuda = pathlib.Path(os.environ.get("CUDA_HOME", "/usr/local/cuda")) / "lib64"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    nccl = folder / "lib" / version / "site-packages" / "nvidia" / "nccl" / "lib"
    complete = folder / "complete"
    wanted = "\n".join([TORCH, *PACKAGES])
    if not complete.exists() or complete.read_text() != wanted:
        print(f"torch environment: installing into {folder}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        install = [python, "-m", "pip", "install", "-q"]
        if (cuda / "libcublas.so").exists():
            subprocess.run(install + ["--no-deps"] + TORCH_ALONE, check=True)
            subprocess.run(install + TORCH_PYTHON + PACKAGES, check=True)
        else:
            subprocess.run(install + [TORCH] + PACKAGES, check=True)
        complete.write_text(wanted)
    return python, dict(os.environ, LD_LIBRARY_PATH=f"{nccl}:{cuda}")


def enter(**variables):
    """Starts the script that is run anew in that environment, with `variables` of
    its own beside it, and returns where it runs there already."""
    python, environment = make()
    if pathlib.Path(sys.executable) != python:
        command = [str(python), "-W", "ignore", *sys.argv]
        os.execve(python, command, dict(environment, **variables))
