# ===- tokenizer_environment.py - Published tokenizers to compare with ------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# A Python environment with the library that writes tokenizer.json, and the
# packages that hold vocabularies of published models. Nothing that builds or
# runs Tessera needs it.
#
# ===----------------------------------------------------------------------===#

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

LIBRARY = "tokenizers==0.23.3"
# Installed without what they require: only their files are read.
VOCABULARIES = [
    "openai-whisper==20250625",
    "litellm==1.110.2",
    "llama-models==0.3.0",
    "dashscope==2.0.2",
    "mistral-common==1.13.1",
    "faker==40.63.0",
]


def make():
    """Makes the environment in build/tokenizers-venv where it is missing.

    Returns its Python, or None where the packages cannot be had: no network.
    """
    build = pathlib.Path(os.environ.get("TESSERA_BUILD", ROOT / "build"))
    folder = build / "tokenizers-venv"
    python = folder / "bin" / "python"
    complete = folder / "complete"
    wanted = "\n".join([LIBRARY, *VOCABULARIES])
    if complete.exists() and complete.read_text() == wanted:
        return python
    try:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        install = [python, "-m", "pip", "install", "-q", "--no-compile", "--disable-pip-version-check"]
        subprocess.run([*install, LIBRARY], check=True)
        subprocess.run([*install, "--no-deps", *VOCABULARIES], check=True)
    except subprocess.CalledProcessError:
        return None
    complete.write_text(wanted)
    return python


def enter(**variables):
    """Starts the script that is run anew in that environment, with `variables` of its
    own beside it, and returns where the library is there already."""
    try:
        import tokenizers  # noqa: F401
    except ImportError:
        python = make()
        if python is None:
            sys.exit(f"{pathlib.Path(sys.argv[0]).name}: the packages cannot be installed")
        os.execve(python, [str(python), *sys.argv], dict(os.environ, **variables))
