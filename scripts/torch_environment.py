# ===- torch_environment.py - A Python environment with Tessera's peers -----===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# PyTorch, transformers, tokenizers and PyTorch Geometric: what golden files are
# made with, benchmarks compare with, and one test loads saved folders with.
# Nothing that builds or runs Tessera needs it.
#
#   python3 scripts/torch_environment.py     # makes it and the overlay
#
# ===----------------------------------------------------------------------===#

import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = pathlib.Path(os.environ.get("TESSERA_BUILD", ROOT / "build")) / "torch-venv"

TORCH = "torch==2.15.0"
# Installed without what they require, which are gigabytes of CUDA and Triton,
# or torch itself.
ALONE = [TORCH, "lion-pytorch==0.2.5"]
PACKAGES = [
    "transformers==5.23.0",
    "tokenizers==0.23.3",
    "safetensors==0.8.0",
    "torch_geometric==2.8.1",
    "numpy",
    "scipy",
    # What torch requires besides.
    *["sympy", "networkx", "jinja2", "fsspec", "filelock", "typing_extensions", "setuptools>=77"],
]
# The newest transformers before 5, and what it wants older.
OLDER = ["transformers==4.57.6", "tokenizers==0.22.2", "huggingface_hub==0.36.0"]
OLDER_PACKAGES = ["requests"]
# Packages that hold vocabularies of published models, installed without what
# they require: only their files are read.
VOCABULARIES = [
    "openai-whisper==20250625",
    "litellm==1.110.2",
    "llama-models==0.3.0",
    "dashscope==2.0.2",
    "mistral-common==1.13.1",
    "faker==40.63.0",
]
# What reads the events that `tessera tensorboard` writes, in a folder of its own.
TENSORBOARD = ["tensorboard==2.21.0", "protobuf<8", "setuptools<81"]


def has_gpu():
    return pathlib.Path("/proc/driver/nvidia").exists()


def symbols(file, which):
    """The dynamic symbols of a library as (name, version)."""
    done = subprocess.run(["nm", "-D", which, file], capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        name, _, version = line.split()[-1].partition("@")
        yield name, version.lstrip("@")


def write_empty_cuda(folder):
    """Writes stand-ins for the libraries of CUDA that torch's wheel is linked with.

    The wheel wants them on a machine without a GPU as well. Each function that torch
    names gives the error "no device" (100), or the text of an error. They are some 500 KB
    in place of 3 GB.
    """
    text = re.compile(r"(cuda|cudnn|cusparse|nccl|nvrtc)GetError(String|Name)|ncclGetLastError")
    files = list(folder.glob("*.so*"))
    libraries, wanted = set(), {}
    for file in files:
        done = subprocess.run(["readelf", "-d", file], capture_output=True, text=True, check=True)
        libraries |= set(re.findall(r"\(NEEDED\).*\[(lib(?:cu|nv|nccl).*)\]", done.stdout))
        for name, version in symbols(file, "--undefined-only"):
            if re.match(r"_*(cu|nccl|nvshmem|nvrtc)", name, re.IGNORECASE):
                wanted[name] = version
    # The driver's is opened where there is one.
    libraries -= {file.name for file in files} | {"libcuda.so.1"}
    for file in files:
        for name, _ in symbols(file, "--defined-only"):
            wanted.pop(name, None)
    # A version is called as its library, but for one; without any it may be anywhere.
    owner = {"": "libcudart.so.13", "NVSHMEM": "libnvshmem_host.so.3"}
    source, versions = folder / "empty.c", folder / "empty.map"
    for library in sorted(libraries):
        mine = [(n, v) for n, v in wanted.items() if owner.get(v, v) == library]
        source.write_text(
            "".join(
                f'const char *{name}(void) {{ return "there is no GPU"; }}\n'
                if text.fullmatch(name)
                else f"int {name}(void) {{ return 100; }}\n"
                for name, _ in mine
            )
        )
        versions.write_text("".join(f"{v} {{ global: *; }};\n" for v in {v for _, v in mine if v}))
        command = ["cc", "-w", "-shared", "-fPIC", "-fno-builtin", "-o", folder / library, source]
        command += [f"-Wl,-soname,{library}"]
        if versions.stat().st_size:
            command.append(f"-Wl,--version-script={versions}")
        subprocess.run(command, check=True)
    source.unlink()
    versions.unlink()


def site_of(folder):
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return folder / "lib" / version / "site-packages"


def make_folder(folder, wanted, fill):
    """Makes an environment by fill(pip's install), unless it has what is wanted."""
    complete = folder / "complete"
    wanted = "\n".join(wanted)
    if not complete.exists() or complete.read_text() != wanted:
        print(f"torch environment: installing into {folder}", file=sys.stderr, flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        fill([folder / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check"])
        complete.write_text(wanted)
    return folder / "bin" / "python", dict(os.environ)


def make():
    """Makes build/torch-venv where it is missing.

    Returns its Python and the environment variables to start it with. Without a GPU
    torch has neither CUDA's libraries nor Triton.
    """

    def fill(install):
        if has_gpu():
            subprocess.run([*install, *ALONE, *PACKAGES], check=True)
            return
        # In this order, as pip misses what torch requires once that is there.
        subprocess.run([*install, *PACKAGES], check=True)
        subprocess.run([*install, "--no-deps", *ALONE], check=True)
        write_empty_cuda(site_of(FOLDER) / "torch" / "lib")

    return make_folder(FOLDER, [*ALONE, *PACKAGES, "CUDA" if has_gpu() else "CPU"], fill)


def make_older():
    """The same with the newest transformers before 5, in build/torch-venv-4, which has
    all else of build/torch-venv."""
    make()
    folder = FOLDER.with_name(FOLDER.name + "-4")

    def fill(install):
        subprocess.run([*install, *OLDER_PACKAGES], check=True)
        subprocess.run([*install, "--no-deps", *OLDER], check=True)
        # What lies in the overlay itself comes first.
        (site_of(folder) / "torch-venv.pth").write_text(f"{site_of(FOLDER)}\n")

    return make_folder(folder, [*OLDER, *OLDER_PACKAGES, str(FOLDER)], fill)


def make_with_vocabularies():
    """make(), with the packages that hold vocabularies."""
    python, environment = make()
    complete = FOLDER / "vocabularies"
    if not complete.exists() or complete.read_text() != "\n".join(VOCABULARIES):
        install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*install, "--no-compile", *VOCABULARIES], check=True)
        complete.write_text("\n".join(VOCABULARIES))
    return python, environment


def make_tensorboard():
    """Makes build/tensorboard-venv, 100 MB without torch."""

    def fill(install):
        subprocess.run([*install, *TENSORBOARD], check=True)

    return make_folder(FOLDER.with_name("tensorboard-venv"), TENSORBOARD, fill)


def enter(made=None, **variables):
    """Starts the script that is run anew in that environment, or in one that was made,
    with `variables` of its own beside it, and returns where it runs there already."""
    python, environment = made or make()
    if pathlib.Path(sys.executable) != python:
        command = [str(python), "-W", "ignore", *sys.argv]
        os.execve(python, command, dict(environment, **variables))


if __name__ == "__main__":
    print(make()[0])
    print(make_older()[0])
