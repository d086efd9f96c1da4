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

#ifndef TESSERA_RUNTIME_CHECKPOINT_PARAMETERS_H
#define TESSERA_RUNTIME_CHECKPOINT_PARAMETERS_H

#include "runtime/files/Safetensors.h"
#include "runtime/program/Context.h"
#include <string>

namespace tessera::runtime {

/// Draws this rank's parameters by the initialisers of the manifest.
void initializeParameters(const tessera_context &context, uint64_t seed);

/// Loads this rank's parameters from a safetensors file or, where \p path is a
/// folder, from a checkpoint. Besides the parameters (with or without
/// "transformer." before the name) a file may hold tied weights equal to theirs
/// and the constant buffers that transformers saves. Exits the process, naming
/// the tensor, where one is missing, of another shape or type, or of another
/// model. Every rank reads the file by itself. Settings of the model that
/// differ from a checkpoint's must be \p allowed.
void loadParameters(const tessera_context &context, const std::string &path,
                    const std::vector<std::string> &allowed);

/// Declares all parameters under their names.
void declareParameters(SafetensorsWriter &writer, const Manifest &manifest);

/// Declares all parameters under the names that transformers 4 and 5 load. A
/// model whose head is a parameter of its own has "transformer." before all
/// others: transformers 4 takes the head beside bare names for a damaged file.
void declareWeights(SafetensorsWriter &writer, const Manifest &manifest);

/// The metadata of a file of weights; transformers reads only files that have
/// it.
std::map<std::string, std::string> weightsMetadata();

/// Appends \p kind of all parameters to \p writer (null but on rank 0), one
/// after the other through a buffer of 16 MB. All ranks call it; the state
/// must not change on any until they meet again. Numbers are multiplied by
/// \p factor.
void writeState(const tessera_context &context, const std::string &name,
                SafetensorsWriter *writer, double factor = 1);

/// Opens a file of weights with room for them, so that saveParameters can write
/// it later.
std::unique_ptr<SafetensorsWriter> openWeights(const Manifest &manifest,
                                               const std::string &path);

/// Writes it; \p writer is null but on rank 0. All ranks call it, and it
/// returns once the file is on the disk.
void saveParameters(const tessera_context &context, SafetensorsWriter *writer);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_CHECKPOINT_PARAMETERS_H
