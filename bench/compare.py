#!/usr/bin/env python3
# ===- compare.py - Two results of a benchmark -----------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
#   bench/compare.py OLD.json NEW.json [--least 1] [--any-machine]
#
# Holds what two runs of a script measured (bench/results.py) against each other.
# A measurement is worse, or better, where its medians differ by more than --least
# percent and each lies outside of the other's quartiles. The exit code is 1 where
# one of Tessera's is worse or is no longer measured, 2 where the files cannot be
# compared.
#
# ===----------------------------------------------------------------------===#

import argparse
import json
import pathlib
import sys

OWN = "Tessera"


class Incomparable(Exception):
    pass


def read(path):
    """A file's result, with the measurements by what they are of."""
    try:
        result = json.loads(path.read_text())
        rows = {(row["case"], row["contender"], row["quantity"]): row for row in result["measurements"]}
        if len(rows) != len(result["measurements"]):
            raise Incomparable(f"{path}: a measurement is there twice")
        for key, row in rows.items():
            if row["better"] not in ("less", "more") or not row["values"]:
                raise Incomparable(f"{path}: {', '.join(key)}: no values, or not said what is better")
        return result, rows
    except OSError as error:
        raise Incomparable(f"{path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise Incomparable(f"{path} has no results of bench/results.py: {error!r}") from error


def verdict(old, new, least):
    """"worse", "better" or "" of two measurements of the same."""
    if old["better"] == "more":
        old, new = ({**row, "first_quartile": row["third_quartile"], "third_quartile": row["first_quartile"]} for row in (old, new))
    sign = 1 if old["better"] == "less" else -1

    def exceeds(high, low):
        """Whether `high` is more than `low`, beyond the spread of both."""
        return (
            sign * (high["median"] - low["median"]) > least / 100 * abs(low["median"])
            and sign * (high["median"] - low["third_quartile"]) > 0
            and sign * (high["first_quartile"] - low["median"]) > 0
        )

    return "worse" if exceeds(new, old) else "better" if exceeds(old, new) else ""


def spread(row):
    return f"{row['median']:.4g} ({row['first_quartile']:.4g} to {row['third_quartile']:.4g}) {row['unit']}"


def compare(old_path, new_path, least, any_machine):
    """Prints the rows; whether one of ours is worse or missing."""
    (old_result, old), (new_result, new) = read(old_path), read(new_path)
    if old_result["benchmark"] != new_result["benchmark"]:
        raise Incomparable(f"{old_path} is of {old_result['benchmark']}, {new_path} of {new_result['benchmark']}")
    if old_result["machine"] != new_result["machine"] and not any_machine:
        raise Incomparable(
            f"the machines differ: {old_result['machine']} and {new_result['machine']}; give --any-machine if that is meant"
        )
    print(f"{old_result['benchmark']}: {old_result['commit']} of {old_result['date']}")
    print(f"{'':{len(old_result['benchmark'])}}  {new_result['commit']} of {new_result['date']}")
    failed = False
    for key, before in old.items():
        name = ", ".join(key)
        after = new.get(key)
        if after is None:
            failed |= key[1] == OWN
            print(f"{name}: {spread(before)}, no longer measured")
            continue
        if (before["unit"], before["better"]) != (after["unit"], after["better"]):
            raise Incomparable(f"{name}: in {before['unit']} there, in {after['unit']} here")
        found = verdict(before, after, least)
        failed |= found == "worse" and key[1] == OWN
        ratio = f", {after['median'] / before['median']:.3f} times" if before["median"] else ""
        print(f"{name}: {spread(before)} to {spread(after)}{ratio}{found and ': ' + found}")
    for key in new.keys() - old.keys():
        print(f"{', '.join(key)}: {spread(new[key])}, new")
    return failed


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Two results of a benchmark.")
    parser.add_argument("old", type=pathlib.Path)
    parser.add_argument("new", type=pathlib.Path)
    parser.add_argument("--least", type=float, default=1, help="percent that never count; 1 by default")
    parser.add_argument("--any-machine", action="store_true", help="compare what different machines measured")
    options = parser.parse_args(arguments)
    try:
        return int(compare(options.old, options.new, options.least, options.any_machine))
    except Incomparable as error:
        print(f"compare.py: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
