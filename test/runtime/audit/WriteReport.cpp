//===- WriteReport.cpp - Writes a report of invented scores ---------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/runtime/audit/SampleReport.h"
#include <cstdio>

int main(int argc, char **argv) {
  std::string error = "usage: write-report FOLDER";
  tessera::runtime::ReportFiles files;
  if (argc == 2 && files.open(argv[1], error) &&
      files.write(sampleReport(), error)) {
    fputs(tessera::runtime::reportTable(sampleReport()).c_str(), stdout);
    return 0;
  }
  fprintf(stderr, "write-report: error: %s\n", error.c_str());
  return 1;
}
