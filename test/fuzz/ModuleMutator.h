//===- ModuleMutator.h - Changes of IR --------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_FUZZ_MODULEMUTATOR_H
#define TESSERA_TEST_FUZZ_MODULEMUTATOR_H

#include "mlir/IR/BuiltinOps.h"
#include "test/fuzz/Dice.h"

namespace tessera::fuzz {

/// Changes one to three places of \p module so that it still is a module, valid
/// or not: operands become others of their type, operations go, come twice or
/// move, functions lose their bodies, attributes go, change or come from
/// elsewhere, also those within the module's own, such as the numbers of
/// its specification.
void mutateModule(mlir::ModuleOp module, Dice &dice);

} // namespace tessera::fuzz

#endif // TESSERA_TEST_FUZZ_MODULEMUTATOR_H
