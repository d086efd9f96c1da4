#!/usr/bin/env python3
# ===- test_describe.py - Manual pages and completions -------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# What `tessera describe` and `EXE describe` write, as its readers take it: mandoc
# checks pages, and bash and zsh complete words that are typed on a terminal.
#
# ===----------------------------------------------------------------------===#

import os
import pty
import re
import select
import shutil
import time
import unittest

import support

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>()][0-9A-Za-z]?|[\r\x07]")
MANUALS = support.BUILD / "share"


class Shell:
    """A shell on a terminal of its own."""

    PROMPT = "shell-is-ready>"

    def __init__(self, command, environment, folder):
        child, self.terminal = pty.fork()
        if child == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, environment)
        self.child = child

    def read(self, until, seconds=30):
        """What the shell writes up to the text `until`, or until it is silent."""
        text, end = "", time.monotonic() + seconds
        while time.monotonic() < end:
            if not select.select([self.terminal], [], [], 0.1)[0]:
                if until in text:
                    break
                continue
            try:
                part = os.read(self.terminal, 65536)
            except OSError:
                break
            text += CONTROL.sub("", part.decode(errors="replace"))
        return text

    def write(self, text):
        os.write(self.terminal, text.encode())

    def close(self):
        os.close(self.terminal)
        os.waitpid(self.child, 0)


def complete(shell, typed, wanted):
    """What is on the terminal after `typed` and two tabs; it goes on when `wanted` is."""
    shell.write(typed + "\t\t")
    text = shell.read(wanted, seconds=10)
    shell.write("\x15\n")
    shell.read(Shell.PROMPT)
    return text.replace("\n", " ")


class Describe(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = support.scratch("describe")
        cls.executable = support.compile(
            support.EXAMPLES / "bloom-tiny.textproto",
            cls.folder / "bloom-tiny",
            parallel__world=1,
            parallel__zero_stage=0,
        )
        (cls.folder / "notes.txt").write_text("")
        (cls.folder / "models").mkdir()
        path = f"{support.TESSERA.parent}:{os.environ['PATH']}"
        # No files of the user's own.
        cls.environment = dict(
            support.ENVIRONMENT, PATH=path, HOME=str(cls.folder), TERM="dumb", COLUMNS="200"
        )

    def describe(self, program, form):
        return support.run([program, "describe", "--as", form]).stdout

    def pages(self):
        for name in ("", "-executable", "-opt", "-lsp-server", "-graph-from"):
            yield f"tessera{name}", MANUALS / f"man/man1/tessera{name}.1"
        own = self.folder / "bloom-tiny.1"
        own.write_text(self.describe(self.executable, "man"))
        yield "bloom-tiny", own

    def test_pages_have_no_warnings(self):
        if not shutil.which("mandoc"):
            self.fail("mandoc is missing: scripts/dependencies installs it")
        for name, page in self.pages():
            # The date of a page is the commit's: there may be none.
            done = support.run(["mandoc", "-T", "lint", "-W", "warning", page], check=False)
            found = [line for line in done.stdout.splitlines() if "missing date" not in line]
            self.assertEqual(found, [])
            text = support.run(["mandoc", "-T", "ascii", page]).stdout
            plain = re.sub(r".\x08", "", text)
            self.assertIn(f"{name} - ", plain)
            self.assertIn("EXIT STATUS", plain)

    def test_tools_have_their_passes_and_not_all_of_llvm(self):
        """--help and the page of tessera-opt agree, and name no code generator of LLVM."""
        for name, wanted in (
            ("tessera-opt", ("--nn-differentiate", "--pass-pipeline", "-o")),
            ("tessera-lsp-server", ("--pretty", "--log")),
        ):
            tool = support.TESSERA.parent / name
            help = support.run([tool, "--help"]).stdout
            page = support.run([tool, "--describe"]).stdout.replace("\\-", "-")
            for option in wanted:
                self.assertRegex(help, rf"(?m)^ +{option}\b")
                self.assertRegex(page, rf"(?m)^\\fB{option}\\fR")
            hidden = support.run([tool, "--help-hidden"]).stdout
            for foreign in ("--x86-sse2avx", "--riscv-use-aa"):
                self.assertNotIn(foreign, help + page)
                self.assertIn(foreign, hidden)

    def test_pages_and_completions_have_what_help_has(self):
        for program, command in ((support.TESSERA, "compile"), (self.executable, "train")):
            help = support.run([program, "--help"]).stdout
            commands = re.findall(r"^  ([a-z-]+)\s.*$", help.split("OPTIONS:")[0], re.MULTILINE)
            self.assertIn("describe", commands)
            own = support.run([program, command, "--help"]).stdout
            options = re.findall(r"^  (--?[a-z-]+)", own, re.MULTILINE)
            options = [option for option in options if option != "--help-list"]
            self.assertGreater(len(options), 6)
            for form in ("man", "bash", "zsh"):
                text = self.describe(program, form).replace("\\-", "-")
                for word in commands + options:
                    if form == "man" and word in ("--allow-unlaunched", "--help"):
                        continue
                    self.assertIn(word, text, f"{program} describe --as {form}")

    def test_other_forms_are_refused(self):
        for program in (support.TESSERA, self.executable):
            done = support.run([program, "describe", "--as", "fish"], check=False)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, "man'?, '?bash'? or '?zsh")
            self.assertIn("fish", done.stderr)

    def shell(self, name):
        if not shutil.which(name):
            self.fail(f"{name} is missing: scripts/dependencies installs it")
        commands = {"bash": ["bash", "--norc", "-i"], "zsh": ["zsh", "-f", "-i"]}
        shell = Shell(commands[name], self.environment, self.folder)
        self.addCleanup(shell.close)
        if name == "bash":
            shell.write("bind 'set enable-bracketed-paste off'; set +o history\n")
            shell.write("bind 'set completion-query-items 1000'; bind 'set page-completions off'\n")
        else:
            shell.write("unsetopt zle_bracketed_paste; LISTMAX=1000\n")
            shell.write("autoload -Uz compinit && compinit -u -D\n")
        shell.write(f"source <(tessera describe --as {name})\n")
        shell.write(f"source <(./bloom-tiny describe --as {name})\n")
        # In two parts, since the terminal shows what is typed, too.
        shell.write("PS1='shell-is''-ready>'\n")
        shell.read(Shell.PROMPT)
        return shell

    def check_completion(self, name):
        shell = self.shell(name)
        for typed, wanted, unwanted in (
            ("tessera comp", "tessera compile ", "calibrate"),
            ("tessera ", "train-tokenizer", "notes.txt"),
            ("tessera compile --set training.precision.", "compute=", "micro_batch"),
            ("tessera compile --set training.precision.compute=", "BF16", "ADAMW"),
            ("tessera plan --set training.optimizer.kind=L", "kind=LION", "ADAMW"),
            ("tessera plan a.textproto --sweep parallel.zero_s", "parallel.zero_stage=", "world"),
            ("tessera plan --format=", "html", "notes.txt"),
            ("tessera plan --format c", "--format csv", "html"),
            ("tessera compile --compile-to ze", "--compile-to zero", "kernels"),
            ("tessera compile --compile-", "--compile-from", "--format"),
            ("tessera compile no", "notes.txt", "--set"),
            ("tessera compile -o no", "notes.txt", "--set"),
            ("tessera compile --dump-phases-to m", "models/", "notes.txt"),
            ("./bloom-tiny tr", "./bloom-tiny train ", "score"),
            ("./bloom-tiny train --checkpoint-", "--checkpoint-every", "--top-k"),
            ("./bloom-tiny train --data no", "notes.txt", "--seed"),
            ("./bloom-tiny train --order sh", "--order shuffled", "sequential"),
        ):
            with self.subTest(shell=name, typed=typed):
                text = complete(shell, typed, wanted)
                self.assertIn(wanted, text)
                self.assertNotIn(unwanted, text)

    def test_bash(self):
        self.check_completion("bash")

    def test_zsh(self):
        self.check_completion("zsh")


if __name__ == "__main__":
    support.main()
