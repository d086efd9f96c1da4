//===- Version.cpp - What --version prints ----------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Version.h"
#include "runtime/core/Version.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"

llvm::StringRef tessera::getVersion() { return runtime::version.tessera; }

void tessera::setVersionPrinter(llvm::StringLiteral tool) {
  llvm::cl::SetVersionPrinter([tool](llvm::raw_ostream &out) {
    out << tool << " " << runtime::versionText();
  });
}
