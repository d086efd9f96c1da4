//===- Adagrad.h - An optimizer from outside --------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_EXTENSION_ADAGRAD_H
#define TESSERA_TEST_EXTENSION_ADAGRAD_H

#include "dialects/optimizer/Optimizer.h"

#include "test/extension/AdagradDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "test/extension/AdagradAttrs.h.inc"

#endif // TESSERA_TEST_EXTENSION_ADAGRAD_H
