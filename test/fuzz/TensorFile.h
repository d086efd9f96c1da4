//===- TensorFile.h - safetensors files that mutate -------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_FUZZ_TENSORFILE_H
#define TESSERA_TEST_FUZZ_TENSORFILE_H

#include "test/fuzz/JsonMutator.h"
#include <span>

namespace tessera::fuzz {

/// A safetensors file: its header as a tree, and its data.
struct TensorFile {
  Json header = Json::object();
  std::string data;

  /// None where \p bytes do not have that form.
  static std::optional<TensorFile> read(const std::string &bytes);
  std::string write() const;

  /// Lays the tensors' data one after the other, with the bytes of their types
  /// and shapes as far as these are sensible: what makes a changed header one
  /// of the format again.
  void tile();

  /// Changes the header, a tensor's type or shape, or elements of the data.
  /// Names that the reader looks for are in \p names.
  void mutate(const Json &other, std::span<const char *const> names,
              Dice &dice);
};

/// The names that the target's reader looks for, for the mutators of libFuzzer
/// (TensorFileMutator.cpp). The target defines it.
extern const std::span<const char *const> tensorNames;

} // namespace tessera::fuzz

#endif // TESSERA_TEST_FUZZ_TENSORFILE_H
