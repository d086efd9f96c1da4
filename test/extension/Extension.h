//===- Extension.h - The dialect of what is added from outside --*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_EXTENSION_EXTENSION_H
#define TESSERA_TEST_EXTENSION_EXTENSION_H

#include "dialects/nn/NN.h"

#include "test/extension/ExtensionDialect.h.inc"

#define GET_OP_CLASSES
#include "test/extension/ExtensionOps.h.inc"

#endif // TESSERA_TEST_EXTENSION_EXTENSION_H
