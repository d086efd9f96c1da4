//===- Library.h - Shared libraries opened at run time ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An executable for GPUs links none of NVIDIA's libraries: it opens them when
// it needs them, wherever they lie.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CUDA_LIBRARY_H
#define TESSERA_RUNTIME_CUDA_LIBRARY_H

#include <string>
#include <vector>

namespace tessera::runtime::cuda {

class Library {
public:
  /// Opens \p name ("libcublasLt.so.13"): where the loader looks, then in the
  /// folders of searchFolders. Exits the process where it is in none of them:
  /// "this executable trains on an NVIDIA GPU: \p remedy".
  Library(const char *name, const char *remedy);
  Library(const Library &) = delete;
  Library &operator=(const Library &) = delete;

  /// Exits the process where the library has no such function.
  void *find(const char *function) const;

  /// Where it lies.
  const std::string &path() const { return where; }

  /// What the library says of its error number; set by who knows.
  const char *(*describeError)(int number) = nullptr;

  /// Exits the process: \p function has answered \p error.
  [[noreturn]] void fail(const char *function, int error) const;

private:
  const char *name;
  std::string where;
  void *handle = nullptr;
};

/// A function of a library that answers 0 or the number of an error.
template <typename... Arguments> class Function {
public:
  Function(const Library &library, const char *name)
      : library(library), name(name),
        address(reinterpret_cast<int (*)(Arguments...)>(library.find(name))) {}

  /// Exits the process on an error.
  void operator()(Arguments... arguments) const {
    if (int error = address(arguments...))
      library.fail(name, error);
  }
  /// Returns the error.
  int attempt(Arguments... arguments) const { return address(arguments...); }

private:
  const Library &library;
  const char *name;
  int (*address)(Arguments...);
};

/// Where NVIDIA's libraries may lie besides where the loader looks: CUDA_HOME,
/// CUDA_PATH, /usr/local/cuda* (the newest first), and the packages of pip in
/// VIRTUAL_ENV, CONDA_PREFIX, the user's and the system's Python. Only folders
/// that there are.
std::vector<std::string> searchFolders();

} // namespace tessera::runtime::cuda

#endif // TESSERA_RUNTIME_CUDA_LIBRARY_H
