#!/usr/bin/env python3
# ===- check_pages.py - Links and quoted code of the pages ------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Checks all tracked pages of Markdown: each link to a file or a heading leads
# there. In docs/how-to each fenced block of code stands, as it is, in the file
# that the last link before it leads to; lines with … leave something out. Figures of
# the README's table are those of bench/README.md.
#
# ===----------------------------------------------------------------------===#

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def anchors(text):
    """What headings are called in links."""
    text = FENCE.sub("", text)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }


def check_links(page):
    text = page.read_text()
    prose = re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))
    for link in LINK.findall(prose):
        if re.match(r"\w+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists():
            yield f"{link} leads to no file"
        elif anchor and anchor not in anchors(target.read_text()):
            yield f"{link} leads to no heading"


def check_quotes(page):
    text = page.read_text()
    for block in FENCE.finditer(text):
        links = [link for link in LINK.findall(text[: block.start()]) if not re.match(r"\w+:", link)]
        if not links:
            yield f"no link says where this is from:\n{block[2]}"
            continue
        source = page.parent / links[-1]
        content = source.read_text() if source.is_file() else ""
        place = 0
        for part in re.split(r"^\s*…\n", block[2], flags=re.MULTILINE):
            found = content.find(part, place)
            if found < 0:
                yield f"{links[-1]} does not have, or not in this order:\n{part}"
                break
            place = found + len(part)


def check_figures(page):
    """The table below `## Measured` against the page of benchmarks."""
    known = set(re.findall(r"\d+(?:\.\d+)?", (page.parent / "bench" / "README.md").read_text()))
    section = page.read_text().partition("\n## Measured\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\|(.*)\|.*\|$", section, re.MULTILINE)[2:]
    if not rows:
        yield "no table of figures"
    for row in rows:
        for figure in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?= times| MB| of its)", row):
            if figure not in known:
                yield f"bench/README.md does not have {figure}, of the row{row}"


class Checks(unittest.TestCase):
    """That a wrong page is noticed."""

    def check(self, check, text):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "code.cpp").write_text("int a;\nint b;\nint c;\n")
            (folder / "page.md").write_text(text)
            return list(check(folder / "page.md"))

    def test_links(self):
        self.assertEqual(self.check(check_links, "# A b's `c`\n[x](code.cpp) [y](#a-bs-c) [z](https://a.b)\n"), [])
        self.assertEqual(self.check(check_links, "[x](other.cpp)\n"), ["other.cpp leads to no file"])
        self.assertEqual(self.check(check_links, "[x](page.md#there)\n"), ["page.md#there leads to no heading"])

    def test_quotes(self):
        for block, wrong in (("int a;\n…\nint c;\n", 0), ("int c;\n…\nint a;\n", 1), ("int d;\n", 1)):
            found = self.check(check_quotes, f"[c](code.cpp):\n\n```cpp\n{block}```\n")
            self.assertEqual(len(found), wrong, block)
        self.assertEqual(len(self.check(check_quotes, "```cpp\nint a;\n```\n")), 1)

    def test_figures(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "bench").mkdir()
            (folder / "bench" / "README.md").write_text("| a | 1.5 | 20 MB |\n")
            table = "\n## Measured\n\n| | faster | by |\n|---|---|---|\n| a | {} times, 20 MB | `b` |\n"
            for figure, wrong in (("1.5", 0), ("2.5", 1)):
                (folder / "README.md").write_text(table.format(figure))
                self.assertEqual(len(list(check_figures(folder / "README.md"))), wrong)


def main():
    result = unittest.TextTestRunner().run(unittest.defaultTestLoader.loadTestsFromTestCase(Checks))
    errors = 0 if result.wasSuccessful() else 1
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in sorted(filter(None, names.split("\0"))):
        page = ROOT / name
        checks = [check_links] + [check_quotes] * ("docs/how-to/" in name) + [check_figures] * (name == "README.md")
        for check in checks:
            for error in check(page):
                print(f"{name}: {error}")
                errors += 1
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
