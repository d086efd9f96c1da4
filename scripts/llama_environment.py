#!/usr/bin/env python3
# ===- llama_environment.py - llama.cpp, for bench/generate.py --------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Builds llama.cpp's library from the source package of llama-cpp-python, with
# bench/llama, and makes an overlay of scripts/torch_environment.py's environment
# with the package gguf, which writes its files. A benchmark's peer: nothing that
# builds, tests or runs Tessera needs it.
#
#   python3 scripts/llama_environment.py     # ten minutes on two cores
#
# ===----------------------------------------------------------------------===#

import os
import shutil
import subprocess
import sys
import tarfile

import torch_environment
from torch_environment import FOLDER, ROOT, make_folder, site_of

SOURCE = "llama-cpp-python==0.3.36"
PACKAGES = ["gguf==0.19.0", "tqdm", "pyyaml", "requests"]
PEER = FOLDER.with_name("llama-peer")


def make_gguf():
    """make() of scripts/torch_environment.py with gguf, in build/torch-venv-gguf."""
    torch_environment.make()
    folder = FOLDER.with_name(FOLDER.name + "-gguf")

    def fill(install):
        subprocess.run([*install, *PACKAGES[1:]], check=True)
        subprocess.run([*install, "--no-deps", PACKAGES[0]], check=True)
        (site_of(folder) / "torch-venv.pth").write_text(f"{site_of(FOLDER)}\n")

    return make_folder(folder, [*PACKAGES, str(FOLDER)], fill)


def fetch(folder):
    """Unpacks llama.cpp out of the source package; returns where it lies."""
    if not any(folder.glob("*.tar.gz")):
        download = [sys.executable, "-m", "pip", "download", "-q", "--no-deps"]
        download += ["--disable-pip-version-check", "--no-binary", "llama-cpp-python"]
        subprocess.run([*download, "-d", folder, SOURCE], check=True)
    (package,) = folder.glob("*.tar.gz")
    name = package.name.removesuffix(".tar.gz")
    source = folder / name / "vendor" / "llama.cpp"
    if not (source / "CMakeLists.txt").exists():
        with tarfile.open(package) as archive:
            archive.extractall(folder)
    return source


def make_peer():
    """Builds build/llama-peer where it is missing, and returns the program of
    bench/llama. Its compiler is what CC and CXX say, else Clang 22, which Tessera
    is built with, where it is there."""
    folder = PEER / SOURCE.partition("==")[2]
    folder.mkdir(parents=True, exist_ok=True)
    build = folder / "build"
    if not (build / "CMakeCache.txt").exists():
        compilers = {"CC": "clang-22", "CXX": "clang++-22"}
        if any(shutil.which(compiler) is None for compiler in compilers.values()):
            compilers = {}
        configure = ["cmake", "-G", "Ninja", "-S", ROOT / "bench" / "llama", "-B", build]
        configure += [f"-DLLAMA_CPP={fetch(folder)}", "-DCMAKE_BUILD_TYPE=Release"]
        configure += ["-DBUILD_SHARED_LIBS=OFF", "-DGGML_NATIVE=ON"]
        done = subprocess.run(configure, env={**compilers, **os.environ}, stdout=sys.stderr)
        if done.returncode:
            (build / "CMakeCache.txt").unlink(missing_ok=True)
            raise SystemExit("llama_environment.py: llama.cpp cannot be configured")
    subprocess.run(
        ["cmake", "--build", build, "--parallel", "2", "--target", "llama-peer"],
        check=True,
        stdout=sys.stderr,
    )
    return build / "llama-peer"


if __name__ == "__main__":
    print(make_gguf()[0])
    print(make_peer())
