//===- Output.h - What a command writes -------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DRIVER_OUTPUT_H
#define TESSERA_DRIVER_OUTPUT_H

#include "runtime/files/Output.h"

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/LogicalResult.h"
#include "llvm/Support/raw_ostream.h"

namespace tessera {

/// Writes "tessera: error: MESSAGE" to the standard error.
llvm::LogicalResult failCommand(const llvm::Twine &message);

/// A file that a command writes, or the standard output. It is opened before
/// the work whose result it takes, and a file has all of the result or what was
/// there before; see runtime/files/Output.h for what becomes of links and
/// devices.
class Output {
public:
  /// Opens \p path; "" and "-" are the standard output. Fails where nothing can
  /// be written there, and where it is one of \p used, the files that the
  /// command reads.
  llvm::Error open(llvm::StringRef path,
                   std::vector<runtime::UsedFile> used = {});

  /// Writes what \p print prints, and ends.
  llvm::Error write(llvm::function_ref<void(llvm::raw_ostream &)> print);

  /// Writes the program in the file \p path, which may be run then, and ends.
  llvm::Error writeProgram(llvm::StringRef path);

private:
  llvm::Error finish(llvm::StringRef text);

  bool isFile = false;
  runtime::OutputFile file;
};

/// Writes what \p print prints, with its errors as failCommand writes them.
llvm::LogicalResult
writeOutput(Output &output,
            llvm::function_ref<void(llvm::raw_ostream &)> print);

} // namespace tessera

#endif // TESSERA_DRIVER_OUTPUT_H
