//===- Ranks.h - Ranks as processes of a test -------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_RUNTIME_COMM_RANKS_H
#define TESSERA_TEST_RUNTIME_COMM_RANKS_H

#include <functional>
#include <map>
#include <string>
#include <vector>

using Environment = std::map<std::string, std::string>;

struct RankResult {
  /// The exit code; 128 + the number of the signal that ended it.
  int code = 0;
  std::string error; ///< what it has written to stderr
};

/// The environment that a launcher gives rank \p rank of \p size, all on one
/// node.
using LauncherEnvironment = Environment (*)(int rank, int size);
Environment torchrunEnvironment(int rank, int size);
Environment mpirunEnvironment(int rank, int size);
Environment srunEnvironment(int rank, int size);

/// The variables of all launchers are gone, those of \p environment set.
void setEnvironment(const Environment &environment);

/// Runs \p body in \p size processes, each of them a rank started by
/// \p launcher with the variables of \p more, too. A rank whose body returns
/// exits with 0, or with 9 where an expectation of the test has failed in it.
std::vector<RankResult> runRanks(int size, LauncherEnvironment launcher,
                                 const Environment &more,
                                 const std::function<void(int rank)> &body);

/// Expects that every rank has exited with 0 and written nothing.
void expectSuccess(const std::vector<RankResult> &results);

#endif // TESSERA_TEST_RUNTIME_COMM_RANKS_H
