//===- Parameters.h - Parameters and their states ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A rank holds a group's parameters, gradients or moments whole or as its
// shard (docs/manifest.md). Files hold whole tensors by name, so they go
// between any numbers of ranks and any stages.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_PARAMETERS_H
#define TESSERA_RUNTIME_PARAMETERS_H

#include "runtime/Context.h"
#include "runtime/Safetensors.h"
#include <string>

namespace tessera {

/// Draws this rank's parameters by the initialisers of the manifest.
void initializeParameters(const tsr_context &context, uint64_t seed);

/// Reads this rank's part of \p kind from tensors named \p prefix + parameter.
/// Ends the process, naming the tensor, where one is missing or has another
/// shape or type. Every rank reads the file by itself.
void loadState(const tsr_context &context, const SafetensorsFile &file,
               StateKind kind, const std::string &prefix = "");

/// Reads the parameters, and their master where they have 16 bits.
void loadWeights(const tsr_context &context, const SafetensorsFile &file);

/// Ends the process where \p file is not a file of weights of this model:
/// besides the parameters (with or without "transformer." before the name) it
/// may hold tied weights equal to theirs, the constant buffers that
/// transformers saves, and the optimizer's state of a checkpoint.
void requireWeights(const Manifest &manifest, const SafetensorsFile &file);

/// Opens \p path, checks it and loads the parameters.
void loadParameters(const tsr_context &context, const std::string &path);

/// Declares all parameters as \p prefix + name.
void declareParameters(SafetensorsWriter &writer, const Manifest &manifest,
                       const std::string &prefix = "");

/// Appends \p kind of all parameters to \p writer (null but on rank 0), one
/// after the other through a buffer of 16 MB. All ranks call it; the state
/// must not change on any until they meet again.
void writeState(const tsr_context &context, StateKind kind,
                SafetensorsWriter *writer);

/// Appends the parameters as the optimizer updates them: in fp32.
void writeWeights(const tsr_context &context, SafetensorsWriter *writer);

/// Writes a file of weights.
void saveParameters(const tsr_context &context, const std::string &path);

} // namespace tessera

#endif // TESSERA_RUNTIME_PARAMETERS_H
