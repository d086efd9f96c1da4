//===- CpuFeatures.h - What generated code asks of a CPU -------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The compiler writes the extensions of x86-64 that it may have used into the
// object, under LLVM's names; the executable compares them with CPUID before
// it runs any of the code. Both read one table.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CORE_CPUFEATURES_H
#define TESSERA_RUNTIME_CORE_CPUFEATURES_H

#include <string>
#include <vector>

namespace tessera::runtime {

/// The features that LLVM's code generator uses by itself. Those that take an
/// intrinsic of their own, such as AMX, AES or TSX, are in no code of ours and
/// often hidden by virtual machines: lacking them is no harm.
std::vector<std::string> checkedCpuFeatures();

/// Those of \p needed, names with commas between them, that this CPU or its
/// operating system lacks, and those that are not in the table.
std::vector<std::string> missingCpuFeatures(const std::string &needed);

/// The highest of x86-64, x86-64-v2, -v3 and -v4 that this CPU has all of.
const char *cpuLevel();

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_CORE_CPUFEATURES_H
