//===- LastResorts.h - How the compiler ends before its time ----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DRIVER_LASTRESORTS_H
#define TESSERA_DRIVER_LASTRESORTS_H

namespace tessera {

/// Where memory or threads are at their end, or LLVM cannot go on, the process
/// says so in one line and exits with code 1; where it is asked to end by HUP,
/// INT or TERM it does. Either way unfinished outputs are removed.
void installLastResorts();

} // namespace tessera

#endif // TESSERA_DRIVER_LASTRESORTS_H
