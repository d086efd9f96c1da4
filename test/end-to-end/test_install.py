#!/usr/bin/env python3
# ===- test_install.py - Tessera where it is installed -------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# `cmake --install` into a folder that is moved afterwards. All that follows runs
# in a mount namespace where the source and build folders are empty, so nothing
# can be taken from them. That needs root, or user namespaces; where a machine
# allows neither, the test says so and is skipped.
#
# ===----------------------------------------------------------------------===#

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import support

UNSHARE = {
    "root": ["unshare", "--mount"],
    "another user": ["unshare", "--user", "--map-root-user", "--mount"],
}
HIDE = """for folder in $HIDDEN; do mount -t tmpfs none "$folder" || exit 99; done
cd "$FOLDER" && exec "$@"
"""


def namespace():
    """How this user makes a mount namespace."""
    command = UNSHARE["root" if os.geteuid() == 0 else "another user"]
    probe = subprocess.run(
        [*command, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, text=True
    )
    if probe.returncode != 0:
        raise unittest.SkipTest(f"no mount namespaces for this user: {probe.stderr.strip()}")
    return command


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.namespace = namespace()
        # Not the build folder's scratch, which is hidden.
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="tessera-install-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        staged = cls.folder / "staged"
        support.run(["cmake", "--install", support.BUILD, "--prefix", staged, "--strip"])
        cls.prefix = staged.rename(cls.folder / "moved here")
        cls.examples = cls.prefix / "share" / "tessera" / "examples"
        pages = sorted((cls.prefix / "share" / "doc").glob("**/*.md"))
        cls.text = cls.folder / "text.txt"
        cls.text.write_text("".join(page.read_text() for page in pages))

    def run_hidden(self, command, hide=(), **options):
        hidden = [support.ROOT, support.BUILD.resolve(), *hide]
        # A folder within another that is hidden is gone by then.
        hidden = [f for f in hidden if not any(other in f.parents for other in hidden)]
        environment = dict(
            support.ENVIRONMENT,
            PATH=f"{self.prefix / 'bin'}:/usr/bin:/bin",
            HIDDEN=" ".join(map(str, hidden)),
            FOLDER=str(self.folder),
        )
        return support.run(
            [*self.namespace, "sh", "-c", HIDE, "sh", *command], env=environment, **options
        )

    def compile(self, specification, executable, *options):
        self.run_hidden(["tessera", "compile", specification, "-o", executable, *options])

    def test_the_folders_are_hidden(self):
        for folder in (support.ROOT, support.BUILD):
            self.assertTrue(any(folder.iterdir()))
            done = self.run_hidden(["find", folder, "-mindepth", "1"], check=False)
            self.assertEqual(done.stdout, "")

    def test_trains_on_two_ranks(self):
        self.compile(self.examples / "bloom-tiny.textproto", "bloom-tiny")
        command = ["./bloom-tiny", "train", "--data", self.text, "--steps", "30"]
        command += ["--log", "log", "--save", "weights.safetensors"]
        self.run_hidden([*support.launcher(2), *command])
        losses = [line["loss"] for line in support.read_log(self.folder / "log")]
        self.assertEqual(len(losses), 30)
        self.assertLess(losses[-1], losses[0] - 1)
        wanted = ["./bloom-tiny", "generate", "--init", "weights.safetensors"]
        done = self.run_hidden([*wanted, "--prompt", "The ", "--max-tokens", "8"])
        self.assertTrue(done.stdout.startswith("The "), done.stdout)

    def test_trains_on_the_example_graph(self):
        self.compile(self.examples / "gcn-cora.textproto", "gcn-cora")
        graph = self.examples / "cora" / "cora.safetensors"
        done = self.run_hidden(["./gcn-cora", "train", "--data", graph, "--steps", "20"])
        self.assertIn("training", done.stdout)

    def test_links_each_archive(self):
        """Those of audits, GPUs and tokenizers; the tests above have the others."""
        tokenizer = self.folder / "tokenizer.json"
        command = ["tessera", "train-tokenizer", self.text, "--vocabulary", "300"]
        self.run_hidden([*command, "-o", tokenizer])
        tiny = self.examples / "bloom-tiny.textproto"
        with_text = ["--set", f'tokenizer="{tokenizer}"', "--set", "transformer.vocabulary=384"]
        for specification, options in (
            (self.examples / "audit-cora.textproto", []),
            (tiny, ["--set", 'target.cuda.arch="sm_80"']),
            (tiny, ["--set", "parallel.world=1", *with_text]),
        ):
            self.compile(specification, "linked", *options)
            self.run_hidden(["./linked", "info"])

    def test_versions(self):
        project = (support.ROOT / "CMakeLists.txt").read_text()
        version = re.search(r"project\(tessera VERSION (\S+)", project)[1]
        self.compile(self.examples / "bloom-tiny.textproto", "version")
        wanted = (
            rf"{re.escape(version)} \(commit ([0-9a-f]{{12}}|unknown)\)\nLLVM [0-9.]+\n"
        )
        said = set()
        for tool, name in (
            ("tessera", "tessera "),
            ("tessera-opt", "tessera-opt "),
            ("tessera-lsp-server", "tessera-lsp-server "),
            ("./version", "version, compiled by Tessera "),
        ):
            text = self.run_hidden([tool, "--version"]).stdout
            self.assertTrue(text.startswith(name), text)
            self.assertRegex(text[len(name) :], f"^{wanted}$")
            said.add(text[len(name) :])
        self.assertEqual(len(said), 1, said)

    def test_pages_completions_and_the_script_for_graphs(self):
        share = self.prefix / "share"
        for name in ("", "-executable", "-opt", "-lsp-server"):
            self.assertTrue((share / "man" / "man1" / f"tessera{name}.1").is_file(), name)
        self.assertTrue((share / "bash-completion" / "completions" / "tessera").is_file())
        script = self.prefix / "bin" / "tessera-graph-from"
        # Debian's Python, which may have NumPy where the first on the path has not.
        done = self.run_hidden(["/usr/bin/python3", script, "none", "out"], check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "^graph-from: (none is not there|this needs NumPy)")

    def test_through_a_link(self):
        link = self.folder / "elsewhere"
        link.symlink_to(self.prefix / "bin" / "tessera")
        tiny = self.examples / "bloom-tiny.textproto"
        self.run_hidden([link, "compile", tiny, "-o", "linked"])

    def test_cmake_project(self):
        project = self.folder / "project"
        project.mkdir()
        shutil.copy(self.examples / "bloom-tiny.textproto", project / "tiny.textproto")
        module = project / "step.mlir"
        one = ["--set", "parallel.world=1", "--set", "parallel.zero_stage=0"]
        self.compile(project / "tiny.textproto", module, *one, "--compile-to", "model")
        (project / "CMakeLists.txt").write_text(
            f"""cmake_minimum_required(VERSION 3.25)
project(models LANGUAGES NONE)
find_package(Tessera {self.version()} REQUIRED)
tessera_add_executable(tiny SPECIFICATION tiny.textproto SET parallel.world=1
                       parallel.zero_stage=0 DEPENDS extra)
tessera_add_executable(step SPECIFICATION step.mlir OPTIONS --compile-from=model)
enable_testing()
add_test(NAME version COMMAND step --version)
add_test(NAME trains COMMAND tiny train --data "{self.text}" --steps 2)
install(PROGRAMS $<TARGET_FILE:tiny> $<TARGET_FILE:step> DESTINATION bin)
"""
        )
        (project / "extra").write_text("")
        built = project / "build"
        configure = ["cmake", "-G", "Ninja", "-S", project, "-B", built]
        self.run_hidden([*configure, "-D", f"CMAKE_PREFIX_PATH={self.prefix}"])
        build = ["cmake", "--build", built]
        self.run_hidden(build)
        self.assertIn("no work to do", self.run_hidden(build).stdout)
        self.run_hidden(["ctest", "--test-dir", built, "--output-on-failure"])
        self.run_hidden(["cmake", "--install", built, "--prefix", project / "out"])
        for name in ("tiny", "step"):
            self.run_hidden([project / "out" / "bin" / name, "info"])
        # What a target depends on, and no other.
        (project / "extra").write_text("changed")
        again = self.run_hidden(build).stdout
        self.assertIn("Compiling the model tiny", again)
        self.assertNotIn("Compiling the model step", again)
        wrong = (project / "CMakeLists.txt").read_text().replace("step.mlir", "stop.mlir")
        (project / "CMakeLists.txt").write_text(wrong)
        done = self.run_hidden(build, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stdout + done.stderr, r"there\s+is\s+no\s+'[^']*stop.mlir'")

    def version(self):
        return self.run_hidden(["tessera", "--version"]).stdout.split()[1]

    def test_what_is_missing_is_named(self):
        tiny = self.examples / "bloom-tiny.textproto"
        command = ["tessera", "compile", tiny, "-o", self.folder / "missing"]
        cache = (support.BUILD / "CMakeCache.txt").read_text()
        library = re.search(r"MPI_mpi_LIBRARY:FILEPATH=(\S+)", cache)[1]
        done = self.run_hidden(command, hide=[pathlib.Path(library).parent], check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"the library '{library}' is missing", done.stderr)
        self.assertIn("install it", done.stderr)
        libraries = self.prefix / "lib" / "tessera"
        archive = libraries / "libtessera_comm_mpi.a"
        aside = archive.rename(self.folder / "aside.a")
        done = self.run_hidden(command, check=False)
        aside.rename(archive)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"the runtime's archive '{archive}' is missing", done.stderr)
        self.assertFalse((self.folder / "missing").exists())

    def test_the_schema_is_that_of_the_examples(self):
        """Protobuf's own compiler reads them by what their first lines say."""
        calibrated = self.folder / "machine.textproto"
        self.run_hidden(["tessera", "calibrate", "-o", calibrated])
        files = sorted(self.examples.glob("*.textproto"))
        self.assertGreater(len(files), 15)
        for path in [*files, calibrated]:
            text = path.read_text()
            schema = re.match(r"# proto-file: (\S+)\n# proto-message: (\S+)\n\n", text)
            self.assertTrue(schema, f"{path} begins with no schema")
            # What it writes is no text.
            command = ["sh", "-c", '"$@" >encoded', "sh", "protoc"]
            command += ["-I", self.prefix / "share" / "tessera"]
            command += ["-I", "/usr/include", f"--encode={schema[2]}", schema[1]]
            with open(path) as file:
                self.run_hidden(command, stdin=file)


if __name__ == "__main__":
    support.main()
