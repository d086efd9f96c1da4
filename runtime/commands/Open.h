//===- Open.h - How commands open a program --------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_OPEN_H
#define TESSERA_RUNTIME_COMMANDS_OPEN_H

#include "runtime/commands/Options.h"
#include "runtime/files/Output.h"
#include "runtime/program/Context.h"

namespace tessera::runtime {

/// The threads of a rank among \p ranksOnNode: those of the specification or
/// its share of the cores, at most as many as the plan has scratch memory for.
int runThreads(const Manifest &manifest, int ranksOnNode);

/// Returns once all \p world ranks are there; errors are then reported to the
/// peers. The communicator lives until the process exits.
Communicator &meetRanks(int world);

/// The threads of each rank of a run: as of runThreads, or where ranks of one
/// node may run on different cores, its share of those. Warns where there are
/// too few cores. All ranks call it.
int shareThreads(const Manifest &manifest, Communicator &communicator);

/// The ranks, threads, arena, file and GEMMs of the program "train". The arena
/// has \p bytes at least, for programs within it, as `arenaBytes` of the
/// context's program then says. The context and its communicator live until the
/// process exits.
tessera_context &openTraining(const Manifest &manifest, const Options &options,
                              int64_t bytes = 0);

/// Threads, arena and GEMMs of a program for one rank ("eval", "predict"), with
/// the weights of --init or random ones.
tessera_context &openLocal(const Manifest &manifest, const Options &options,
                           const char *program);

/// Gives \p context the weights of --init, or random ones of \p seed.
void startParameters(const tessera_context &context, const Options &options,
                     uint64_t seed);

/// Exits the process where the output \p path, which \p option names, is one of
/// \p used or this executable, under whatever name.
void requireApart(const char *option, const std::string &path,
                  const std::vector<UsedFile> &used);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_OPEN_H
