#!/usr/bin/env python3
# ===- include_graph.py - Do rooms include what architecture.md says? -------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Checks the includes of all tracked sources against the tables of rooms in
# docs/architecture.md: none that they lack, none that they say for nothing, no
# two rooms that include each other, and the picture below a table is drawn from
# it. With --write it draws the pictures anew.
#
# ===----------------------------------------------------------------------===#

import argparse
import collections
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "architecture.md"
INCLUDE = re.compile(r'^\s*#?\s*include "([^"]+)"', re.MULTILINE)
ROW = re.compile(r"^\| (?:runtime/)?([a-z]+)/ \|.*\|([^|]*)\|$", re.MULTILINE)
PICTURE = re.compile(r"```mermaid\n.*?```\n", re.DOTALL)
# Sections with a table, and the folder whose rooms it names.
SECTIONS = {"## Rooms": "", "## Rooms of the runtime": "runtime/"}
# Folders that no reader of the product's code needs to know the place of.
BESIDE = {"test", "bench", "cmake"}
# Targets stand side by side.
APART = ("codegen/cpu/", "codegen/cuda/")


def section_of(text, heading):
    return text.split(f"\n{heading}\n")[1].split("\n## ")[0]


def read_table(section):
    """The rooms that each room may include, in the table's order."""
    return {room: re.findall(r"[a-z]+", rest) for room, rest in ROW.findall(section)}


def read_includes(sources, base=""):
    """Pairs of rooms in the folder base, with a place of each; and includes from
    target to target. What lies in base itself is in no room."""
    pairs, apart = collections.OrderedDict(), []
    for path, text in sources:
        for included in INCLUDE.findall(text):
            if not path.startswith(base) or not included.startswith(base):
                continue
            own, other = path[len(base) :], included[len(base) :]
            source, target = own.split("/")[0], other.split("/")[0]
            if source in BESIDE or "/" not in other or "/" not in own or target in ("mlir", "llvm"):
                continue
            if source != target:
                pairs.setdefault((source, target), f"{path} includes {included}")
            for own, other in (APART, APART[::-1]):
                if path.startswith(own) and included.startswith(other):
                    apart.append(f"{path} includes {included}")
    return pairs, apart


def check(table, pairs, apart):
    """What is wrong, a line each."""
    wrong = [f"{place}: a target of another" for place in apart]
    for (source, target), place in pairs.items():
        if target not in table.get(source, []):
            wrong.append(f"{place}: the table has no {target}/ for {source}/")
    for source, targets in table.items():
        for target in targets:
            if (source, target) not in pairs:
                wrong.append(f"the table says that {source}/ includes {target}/: nothing does")
            if source in table.get(target, []):
                wrong.append(f"{source}/ and {target}/ include each other in the table")
    return wrong


def reachable(table, room):
    """All that is below a room."""
    below = set(table[room])
    for target in table[room]:
        below |= reachable(table, target)
    return below


def draw(table):
    """The table as a picture, without arrows that follow from others."""
    lines = ["```mermaid", "flowchart TD"]
    for source, targets in table.items():
        for target in targets:
            if not any(target in reachable(table, other) for other in targets):
                lines.append(f"  {source} --> {target}")
    return "\n".join([*lines, "```", ""])


def tracked_sources():
    names = subprocess.run(
        ["git", "ls-files", "*.cpp", "*.h", "*.td"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    return [(name, (ROOT / name).read_text()) for name in names if (ROOT / name).exists()]


def test_the_check():
    """That it finds what it is for."""
    table = {"a": [], "b": ["a"], "c": ["b", "a"]}
    right = [("b/x.h", '#include "a/y.h"\n'), ("c/x.h", '#include "b/x.h"\n#include "a/y.h"\n')]
    assert not check(table, *read_includes(right))
    assert check(table, *read_includes([*right, ("a/y.h", '#include "c/x.h"\n')]))
    assert check(table, *read_includes(right[:1]))
    assert check({**table, "a": ["c"]}, *read_includes([*right, ("a/y.h", '#include "c/x.h"\n')]))
    assert read_includes([("codegen/cuda/x.cpp", '#include "codegen/cpu/y.h"\n')])[1]
    inside = [("r/b/x.h", '#include "r/a/y.h"\n#include "r/z.h"\n#include "q/y.h"\n')]
    assert list(read_includes(inside, "r/")[0]) == [("b", "a")]
    assert draw(table) == "```mermaid\nflowchart TD\n  b --> a\n  c --> b\n```\n"


def main():
    parser = argparse.ArgumentParser(description="checks the includes between rooms")
    parser.add_argument("--write", action="store_true", help="draw the picture of the table")
    options = parser.parse_args()
    test_the_check()
    text, sources, wrong = PAGE.read_text(), tracked_sources(), []
    for heading, base in SECTIONS.items():
        section = section_of(text, heading)
        table = read_table(section)
        errors = check(table, *read_includes(sources, base))
        if not table:
            errors.append(f"no table below '{heading}'")
        picture = "" if errors else draw(table)
        if options.write and picture:
            text = text.replace(section, PICTURE.sub(lambda _: picture, section, count=1))
        elif picture and picture not in section:
            errors.append("the picture is not the table's: run include_graph.py --write")
        wrong += errors
    if options.write:
        PAGE.write_text(text)
    for line in wrong:
        print(f"include_graph: error: {line}", file=sys.stderr)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
