//===- Commands.h - The executable's commands -------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_COMMANDS_H
#define TESSERA_RUNTIME_COMMANDS_COMMANDS_H

#include "runtime/commands/CommandLine.h"
#include "runtime/core/Text.h"
#include "runtime/files/Output.h"
#include "runtime/program/Context.h"

namespace tessera::runtime {

// Each runs to the end and returns the exit code; errors end the process.
int runTrain(const Manifest &manifest, const Options &options);
int runGrads(const Manifest &manifest, const Options &options);
int runEval(const Manifest &manifest, const Options &options);
int runGenerate(const Manifest &manifest, const Options &options);
int runExport(const Manifest &manifest, const Options &options);
int runInfo(const Manifest &manifest, const Options &options);

/// The threads of a rank among \p ranksOnNode: those of the specification or
/// its share of the cores, at most as many as the plan has scratch memory for.
int runThreads(const Manifest &manifest, int ranksOnNode);

/// The ranks, threads, arena, file and GEMMs of the program "train". The
/// context and its communicator live until the process ends.
tessera_context &openTraining(const Manifest &manifest, const Options &options);

/// Threads, arena and GEMMs of a program for one rank ("eval", "predict"), with
/// the weights of --init or random ones.
tessera_context &openLocal(const Manifest &manifest, const Options &options,
                           const char *program);

/// Gives \p context the weights of --init, or random ones of \p seed.
void startParameters(const tessera_context &context, const Options &options,
                     uint64_t seed);

/// Ends the process where the output \p path, which \p option names, is one of
/// \p used or this executable, under whatever name.
void requireApart(const char *option, const std::string &path,
                  const std::vector<UsedFile> &used);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_COMMANDS_H
