//===- NearestName.h - What a misspelt name may mean ------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_SPEC_NEARESTNAME_H
#define TESSERA_DIALECTS_SPEC_NEARESTNAME_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <string>

namespace tessera::spec {

/// The one of \p names that \p name is most likely a misspelling of, or "".
std::string getNearestName(llvm::StringRef name,
                           llvm::ArrayRef<std::string> names);

} // namespace tessera::spec

#endif // TESSERA_DIALECTS_SPEC_NEARESTNAME_H
