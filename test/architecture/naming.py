#!/usr/bin/env python3
# ===- naming.py - Are constants and enumerators named by the rule? ---------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Constants are camelBack, without a prefix; enumerators are CamelCase. To
# clang-tidy kName is camelBack, and it looks at a few files only, so this looks
# at all tracked sources, by their text.
#
# ===----------------------------------------------------------------------===#

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
COMMENT_OR_TEXT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)
# What is given a value: kName = 1, kNames[] = {1}, kName{1}.
PREFIXED = re.compile(r"(?<![\w:.])(k[A-Z]\w*)(?=\s*(?:\[[^\]]*\]\s*)?(?:=(?!=)|\{))")
ENUM = re.compile(r"\benum\b[^;{}()]*\{([^}]*)\}")
ENUMERATOR = re.compile(r"(?:^|,)\s*([a-z]\w*)\s*(?==|,|$)")


def check(path, text):
    """What is named otherwise, a line each."""
    code = COMMENT_OR_TEXT.sub(lambda found: "\n" * found[0].count("\n"), text)

    def describe(place, name, rule):
        return f"{path}:{code.count(chr(10), 0, place) + 1}: {name}: {rule}"

    wrong = [
        describe(found.start(1), found[1], "a constant is camelBack, without a prefix")
        for found in PREFIXED.finditer(code)
    ]
    for enum in ENUM.finditer(code):
        wrong += [
            describe(enum.start(1) + found.start(1), found[1], "an enumerator is CamelCase")
            for found in ENUMERATOR.finditer(enum[1].rstrip().rstrip(","))
        ]
    return wrong


def test_the_check():
    """That it finds what it is for, and nothing else."""
    assert check("x.h", "\nconstexpr int kRows = 8;") == [
        "x.h:2: kRows: a constant is camelBack, without a prefix"
    ]
    for text in ("int a = 1, kB = 2;", "const int kA[] = {1};", "static constexpr A kA{1};"):
        assert len(check("x.h", text)) == 1, text
    for text in ("// kA = 1", 'f("kA = 1");', "if (fs::kInvalid == a)", "if (kA == a)", "int kind = 1;"):
        assert not check("x.h", text), text
    assert check("x.h", "enum class A : int {\n  First,\n  second = 2, ///< of A\n};") == [
        "x.h:3: second: an enumerator is CamelCase"
    ]
    assert not check("x.h", "enum A { First, Second = first, };")
    assert not check("x.h", "enum A {\n#define N(name, count) name##Number,\n  LIST(N)\n};")


def main():
    test_the_check()
    names = subprocess.run(
        ["git", "ls-files", "*.cpp", "*.h", "*.td"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    paths = [ROOT / name for name in names]
    wrong = [line for path in paths if path.exists() for line in check(path.relative_to(ROOT), path.read_text())]
    for line in wrong:
        print(f"naming: error: {line}", file=sys.stderr)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
