//===- ManualMain.cpp - Writes the manual page of executables -------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runs while Tessera is built: an executable without a model, which prints the
// page tessera-executable(1). That of a model's executable, with its name,
// prints `EXE describe`.
//
//===----------------------------------------------------------------------===//

#include "runtime/abi.h"
#include "runtime/commands/CommandLine.h"
#include <cstdio>

extern const char tessera_manifest[] = "{}";
extern const tessera_entry tessera_entries[] = {{nullptr, nullptr}};

using namespace tessera::runtime;

int main() {
  setErrorContext("tessera-executable", 0, 1);
  std::string page = writeTable(commandTable(), TableForm::Man);
  bool isWritten = fputs(page.c_str(), stdout) >= 0 && fflush(stdout) == 0;
  return isWritten ? 0 : 1;
}
