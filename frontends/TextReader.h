//===- TextReader.h - Text format to message, with all its errors ---------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_TEXTREADER_H
#define TESSERA_FRONTENDS_TEXTREADER_H

#include "frontends/Diagnostics.h"
#include "frontends/spec.pb.h"

#include <string>

namespace tessera {

/// Parses \p text, the content of \p file, into \p message, reports every
/// unknown field, wrong value and repetition, and records where each field was
/// given. Returns false where the text could not be read to its end.
bool readText(const std::string &text, llvm::StringRef file,
              google::protobuf::Message &message, Diagnostics &diagnostics);

/// Applies \p option, `path=value`, to \p message.
void applyOverride(const std::string &option,
                   google::protobuf::Message &message,
                   Diagnostics &diagnostics);

} // namespace tessera

#endif // TESSERA_FRONTENDS_TEXTREADER_H
