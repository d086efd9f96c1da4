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

#include "runtime/checkpoint/WeightsOutput.h"
#include "runtime/files/Safetensors.h"
#include "runtime/program/Context.h"
#include <functional>
#include <string>

namespace tessera::runtime {

/// Draws this rank's parameters by the initialisers of the manifest.
void initializeParameters(const tessera_context &context, uint64_t seed);

/// Loads this rank's parameters from a safetensors file or, where \p path is a
/// folder, from a published model (PublishedFolder.h) or a checkpoint. Besides
/// the parameters' parts (with or without "transformer." or "model." before the
/// name) a file may hold tied weights equal to theirs and the constant buffers
/// that transformers saves. Exits the process, naming the tensor, where one is
/// missing, of another shape or type, or of another model. Every rank reads the
/// file by itself. Settings of the model that differ from a checkpoint's must
/// be \p allowed.
void loadParameters(const tessera_context &context, const std::string &path,
                    const std::vector<std::string> &allowed);

/// Declares the parts of all parameters.
void declareParameters(SafetensorsWriter &writer, const Manifest &manifest);

/// What takes the numbers of parameters, in pieces.
using TakeNumbers = std::function<void(const float *numbers, int64_t elements)>;

/// Gives the state \p name of all parameters to \p take (empty but on rank 0),
/// one part after the other through a buffer of 16 MB. All ranks call it; the
/// state must not change on any until they meet again. Numbers are multiplied
/// by
/// \p factor.
void writeState(const tessera_context &context, const std::string &name,
                const TakeNumbers &take, double factor = 1);

/// Writes the weights; \p output is null but on rank 0. All ranks call it, and
/// it returns once they are on the disk.
void saveParameters(const tessera_context &context, WeightsOutput *output);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_CHECKPOINT_PARAMETERS_H
