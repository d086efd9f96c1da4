//===- SourceText.h - Texts that are read once ----------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A specification, a module or a machine's description may come through a pipe,
// as the shell's <(...) makes one, which gives its bytes once. So a command
// reads each of its texts one time and hands it on.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_SOURCETEXT_H
#define TESSERA_FRONTENDS_SOURCETEXT_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <string>

namespace tessera {

/// A text and what diagnostics call it, the path that it was read from.
struct SourceText {
  std::string path;
  std::string text;
  /// Relative paths in it are taken from here: the file's folder; for what is
  /// no file, such as a pipe, the folder that the command runs in.
  std::string folder;
};

/// No specification is longer, in bytes, and no module.
inline constexpr int64_t maxSpecificationBytes = 16 << 20;
inline constexpr int64_t maxModuleBytes = int64_t(1) << 30;

/// Reads the file, pipe or device \p path to its end; "-" is the standard
/// input. A byte order mark of UTF-8 is left out. Fails, with a reason that
/// fits behind "PATH: error: ", on what cannot be read, to which \p remedy is
/// added, on what is longer than \p maxBytes, and on what is no text: UTF-16,
/// UTF-32, bytes of zero.
llvm::Expected<SourceText> readSource(llvm::StringRef path, int64_t maxBytes,
                                      llvm::StringRef remedy);

/// No module has brackets and aliases so deep within one another, nor an alias
/// that stands for more others: written out, each may double the one before.
inline constexpr unsigned maxModuleNesting = 256, maxAliasParts = 1 << 16;

/// Where brackets stand \p depth deep for the first time in \p text, an offset;
/// npos where they never do. Brackets are ( [ { and <, but in texts between
/// quotes, in comments from \p comment to the end of the line, and in -> and
/// >=. In IR, whose comments are //, an alias stands one deeper than what it is
/// an alias of, and is too deep with more than maxAliasParts. What calls itself
/// is kept off what would use up its stack.
size_t findNesting(llvm::StringRef text, unsigned depth,
                   llvm::StringRef comment);

} // namespace tessera

#endif // TESSERA_FRONTENDS_SOURCETEXT_H
