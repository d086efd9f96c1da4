#!/usr/bin/env python3
# ===- argparse_manual.py - The manual page of a Python script -------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# argparse_manual.py SCRIPT NAME VERSION >PAGE: the page, in the macros of man(7), of
# what the parser that SCRIPT's make_parser() returns takes. The script is installed
# as NAME. runtime/commands/CommandTable.cpp writes those of programs.
#
# ===----------------------------------------------------------------------===#

import importlib.machinery
import importlib.util
import sys


def troff(text):
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + x if x.startswith((".", "'")) else x for x in escaped.splitlines())


def tag(action):
    if not action.option_strings:
        return f"\\fI{troff(action.metavar)}\\fR"
    names = ", ".join(f"\\fB{troff(name)}\\fR" for name in action.option_strings)
    if action.nargs == 0:
        return names
    return f"{names} \\fI{troff(action.metavar or action.dest.upper())}\\fR"


def write(parser, name, version):
    actions = parser._actions
    summary = parser.description[0].lower() + parser.description[1:].rstrip(".")
    operands = " ".join(tag(action) for action in actions if not action.option_strings)
    lines = [
        f'.TH "{troff(name.upper())}" 1 "" "Tessera {version}" "Tessera"',
        ".SH NAME",
        f"{troff(name)} \\- {troff(summary)}",
        ".SH SYNOPSIS",
        f"\\fB{troff(name)}\\fR [\\fIoptions\\fR] {operands}",
        ".SH DESCRIPTION",
        troff(parser.description),
        ".PP",
        ".nf",
        troff(parser.epilog.strip()),
        ".fi",
        ".SH OPTIONS",
    ]
    for action in actions:
        if action.option_strings:
            lines += [".TP", tag(action), troff(action.help or "\\&")]
    lines += [".SH EXIT STATUS", "0 done, 1 an error.", ".SH SEE ALSO", "tessera(1)"]
    print("\n".join(lines))


def main():
    script, name, version = sys.argv[1:]
    sys.dont_write_bytecode = True
    loader = importlib.machinery.SourceFileLoader("script", script)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("script", loader))
    loader.exec_module(module)
    write(module.make_parser(), name, version)


if __name__ == "__main__":
    main()
