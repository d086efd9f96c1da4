//===- ByteSize.h - Sizes as people write them ----------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_BYTESIZE_H
#define TESSERA_FRONTENDS_BYTESIZE_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <optional>

namespace tessera {

/// The bytes of "24GB", "1.5 GiB" or "512MiB": a number and one of the units B,
/// kB, MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB (of 1024), in any case.
/// Nothing for another text, for less than one byte and for 2^63 and more.
std::optional<int64_t> parseByteSize(llvm::StringRef text);

} // namespace tessera

#endif // TESSERA_FRONTENDS_BYTESIZE_H
