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
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import xml.etree.ElementTree
import zlib

BROWSERS = ["chromium-headless-shell", "chromium", "chrome-headless-shell", "google-chrome"]
WIDTH, HEIGHT = 1100, 2800
# What is taken out of the page, and a colour of what then is missing.
PARTS = {
    "ROC curves": (r"<polyline class=\"roc\".*?</polyline>", "#4269d0"),
    "trade-off curves": (r"<polyline class=\"(adaptive|static)\".*?</polyline>", "#e0605e"),
    "histograms": (r"<rect .*?</rect>", "#eea8a6"),
}


def decode(png):
    """The rows of a PNG of 8 bits a channel, and the bytes of a pixel."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, data = 8, b""
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        body = png[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
            assert depth == 8 and colour in (2, 6)
        elif kind == b"IDAT":
            data += body
        at += 12 + length
    step = 3 if colour == 2 else 4
    raw, size = zlib.decompress(data), step * width
    before, rows = bytearray(size), []
    for y in range(height):
        start = y * (size + 1)
        kind, line = raw[start], bytearray(raw[start + 1 : start + 1 + size])
        if kind == 2:
            line = bytearray([(a + b) & 255 for a, b in zip(line, before)])
        for i in range(size if kind in (1, 3, 4) else 0):
            left = line[i - step] if i >= step else 0
            up, corner = before[i], before[i - step] if i >= step else 0
            if kind == 1:
                predicted = left
            elif kind == 3:
                predicted = (left + up) // 2
            elif left == up == corner:
                predicted = up
            else:
                base = left + up - corner
                predicted = min((left, up, corner), key=lambda c: abs(base - c))
            line[i] = (line[i] + predicted) & 255
        rows.append(line)
        before = line
    return rows, step


def render(browser, page, folder):
    """The pixels of a page."""
    source, image = folder / "page.html", folder / "page.png"
    source.write_text(page, encoding="utf-8")
    image.unlink(missing_ok=True)
    subprocess.run(
        [browser, "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1",
         f"--user-data-dir={folder}/profile", f"--window-size={WIDTH},{HEIGHT}",
         f"--screenshot={image}", source.as_uri()],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return decode(image.read_bytes())


def check_page(text):
    """It is well-formed and whole by itself."""
    for outside in ("<script", "<link", "<img", "@import", "url("):
        assert outside not in text, outside
    assert text.count("http") == text.count("http://www.w3.org/")
    xml.etree.ElementTree.fromstring(text.partition("\n")[2])


def check_rendering(browser, text, report):
    """Each part of the charts is seen."""
    has_defenses = bool(report["defenses"])
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        whole, step = render(browser, text, folder)
        for part, (pattern, colour) in PARTS.items():
            if part == "trade-off curves" and not has_defenses:
                continue
            bare, count = re.subn(pattern, "", text, flags=re.DOTALL)
            assert count >= len(report["queries"]), f"the page lacks {part}"
            changed, wanted, coloured = 0, bytes.fromhex(colour[1:]), 0
            for line, other in zip(whole, render(browser, bare, folder)[0]):
                if line == other:
                    continue
                for i in range(0, len(line), step):
                    if line[i : i + 3] != other[i : i + 3]:
                        changed += 1
                        near = zip(line[i : i + 3], wanted)
                        coloured += all(abs(a - b) < 4 for a, b in near)
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
    check_page(text)
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not browser:
        print("check_report: no Chromium is installed (scripts/dependencies does)")
        return 77
    check_rendering(browser, text, report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
