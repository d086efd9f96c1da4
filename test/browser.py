# ===- browser.py - Is what a page says seen in a browser? ------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Renders pages in headless Chromium and compares pixels: what is on a page, and
# not only in it, makes a difference where it is taken out.
#
# ===----------------------------------------------------------------------===#

import pathlib
import re
import shutil
import struct
import subprocess
import tempfile
import xml.etree.ElementTree
import zlib

BROWSERS = ["chromium-headless-shell", "chromium", "chrome-headless-shell", "google-chrome"]


def find():
    """The browser; None where none is installed (scripts/dependencies does)."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def check_page(text):
    """It is well-formed and whole by itself."""
    for outside in ("<script", "<link", "<img", "@import", "url("):
        assert outside not in text, outside
    assert text.count("http") == text.count("http://www.w3.org/")
    xml.etree.ElementTree.fromstring(text.partition("\n")[2])


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


def render(browser, page, size, keep=None):
    """The pixels of a page in a window of a size, (width, height): rows and the bytes of a
    pixel. The image is kept as the file `keep`."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        source, image = folder / "page.html", folder / "page.png"
        source.write_text(page, encoding="utf-8")
        subprocess.run(
            [browser, "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1",
             f"--user-data-dir={folder}/profile", f"--window-size={size[0]},{size[1]}",
             f"--screenshot={image}", source.as_uri()],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
        if keep:
            shutil.copy(image, keep)
        return decode(image.read_bytes())


def count_changes(whole, bare, colour):
    """Of two renderings of one size, how many pixels differ, and how many of them are of a
    colour, "#4269d0", in the first."""
    (rows, step), (others, _) = whole, bare
    changed, coloured, wanted = 0, 0, bytes.fromhex(colour[1:])
    for line, other in zip(rows, others):
        if line == other:
            continue
        for i in range(0, len(line), step):
            if line[i : i + 3] != other[i : i + 3]:
                changed += 1
                near = zip(line[i : i + 3], wanted)
                coloured += all(abs(a - b) < 4 for a, b in near)
    return changed, coloured


def count_seen(browser, page, pattern, colour, size, whole=None):
    """How often a pattern is in a page, how many pixels it makes, and how many of them in its
    colour: the page is rendered without it. `whole` is a rendering of the page itself."""
    bare, count = re.subn(pattern, "", page, flags=re.DOTALL)
    whole = whole or render(browser, page, size)
    return count, *count_changes(whole, render(browser, bare, size), colour)
