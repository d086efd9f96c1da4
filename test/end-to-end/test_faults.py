# ===- test_faults.py - A few trials of faults ------------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import unittest

import fault_trials
import support


class Faults(unittest.TestCase):
    def test_no_run_hangs_or_loses_what_it_saved(self):
        """docs/faults.md has the table of a long run."""
        trials = fault_trials.Trials(support.scratch("faults"), seed=3)
        trials.run(16, quiet=True)
        trials.report()
        self.assertEqual(trials.failures, [])


if __name__ == "__main__":
    support.main()
