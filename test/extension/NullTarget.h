//===- NullTarget.h - A target that only counts -----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A target that lies outside the compiler's folders. It writes no code: its
// object is a text that says how many launches, GEMMs and collectives each
// program has.
//
// In the tree it would be a folder below codegen/, and three lines: its folder
// in codegen/CMakeLists.txt, its registration in codegen/AllTargets.cpp, and
// its field `null` in the oneof of frontends/spec.proto's `Target`. That
// field's name finds it in the registry. As it has no fields of its own, the
// dialect `spec` has an attribute for it, `#spec.target`.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_EXTENSION_NULLTARGET_H
#define TESSERA_TEST_EXTENSION_NULLTARGET_H

#include "target/Target.h"

namespace tessera::extension {

std::unique_ptr<Target> createNullTarget();

} // namespace tessera::extension

#endif // TESSERA_TEST_EXTENSION_NULLTARGET_H
