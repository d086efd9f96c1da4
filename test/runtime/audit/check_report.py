#!/usr/bin/env python3
# ===- check_report.py - Does a browser show an audit's report? -------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# check_report.py FOLDER: the report.html there is well-formed, refers to nothing
# outside, and headless Chromium draws its curves: the page without them looks
# different just where they are, in their colours. Exit code 77 where there is
# no Chromium. With --make COMMAND, COMMAND FOLDER writes the report first.
#
# ===----------------------------------------------------------------------===#

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import browser

SIZE = (1100, 2800)
# What is taken out of the page, and a colour of what then is missing.
PARTS = {
    "ROC curves": (r"<polyline class=\"roc\".*?</polyline>", "#4269d0"),
    "trade-off curves": (r"<polyline class=\"(adaptive|static)\".*?</polyline>", "#e0605e"),
    "histograms": (r"<rect .*?</rect>", "#eea8a6"),
}


def check_rendering(chromium, text, report):
    """Each part of the charts is seen."""
    whole = browser.render(chromium, text, SIZE)
    for part, (pattern, colour) in PARTS.items():
        if part == "trade-off curves" and not report["defenses"]:
            continue
        count, changed, coloured = browser.count_seen(chromium, text, pattern, colour, SIZE, whole)
        assert count >= len(report["queries"]), f"the page lacks {part}"
        print(f"{part}: {count} in the page, {changed} pixels, {coloured} of them {colour}")
        assert changed > 500 and coloured > 100, f"{part} are not seen"


def main():
    parser = argparse.ArgumentParser(description="checks an audit's report")
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--make", help="a command that writes a report into the folder it is given")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(options.folder or name)
        if options.make:
            subprocess.run([options.make, folder], check=True, stdout=subprocess.DEVNULL)
        text = (folder / "report.html").read_text(encoding="utf-8")
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    browser.check_page(text)
    chromium = browser.find()
    if not chromium:
        print("check_report: no Chromium is installed (scripts/dependencies does)")
        return 77
    check_rendering(chromium, text, report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
