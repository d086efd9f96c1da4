# ===- lit.cfg.py - How lit runs the tests ---------------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# A test is a file with RUN lines. Beside the tools by their names it may use
#   %examples  the folder of example specifications
#   %golden    the folder of golden files
#   %mpirun    mpirun as tests need it; `REQUIRES: mpi` beside it
#   %python    the Python that runs lit
#
# ===----------------------------------------------------------------------===#

import os
import shutil
import sys

import lit.formats

config.name = "tessera"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test", ".textproto"]
config.excludes = ["end-to-end", "golden", "Inputs"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.tessera_build_dir, "test")

config.environment["PATH"] = os.pathsep.join(
    [
        config.tessera_tools_dir,
        os.path.join(config.test_exec_root, "extension"),
        config.llvm_tools_dir,
        config.environment.get("PATH", os.environ["PATH"]),
    ]
)
# Open MPI refuses root and more ranks than cores unless told otherwise.
config.environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
config.environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"

config.substitutions += [
    ("%examples", os.path.join(config.tessera_source_dir, "examples")),
    ("%golden", os.path.join(config.tessera_source_dir, "test", "golden")),
    ("%python", sys.executable),
    ("%mpirun", "mpirun --oversubscribe --bind-to none"),
]

if shutil.which("mpirun"):
    config.available_features.add("mpi")
