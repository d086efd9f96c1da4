//===- Sanitizers.h - Tests under sanitizers --------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_RUNTIME_SANITIZERS_H
#define TESSERA_TEST_RUNTIME_SANITIZERS_H

/// Whether a sanitizer takes terabytes of address space, so that no limit of it
/// can be set, and has operators new of its own.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool sanitizerHasMemory = true;
#else
constexpr bool sanitizerHasMemory = false;
#endif

/// Whether a sanitizer holds signals back until a call that it knows returns:
/// they do not end one of open then.
#if __has_feature(thread_sanitizer)
constexpr bool sanitizerHoldsSignals = true;
#else
constexpr bool sanitizerHoldsSignals = false;
#endif

#endif // TESSERA_TEST_RUNTIME_SANITIZERS_H
