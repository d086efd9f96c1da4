//===- ApproximateGelu.h - A pass from outside ------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_EXTENSION_APPROXIMATEGELU_H
#define TESSERA_TEST_EXTENSION_APPROXIMATEGELU_H

#include "mlir/Pass/Pass.h"
#include "test/extension/Extension.h"

namespace tessera::extension {

#define GEN_PASS_DECL
#include "test/extension/ApproximateGelu.h.inc"

#define GEN_PASS_REGISTRATION
#include "test/extension/ApproximateGelu.h.inc"

} // namespace tessera::extension

#endif // TESSERA_TEST_EXTENSION_APPROXIMATEGELU_H
