//===- Team.h - Threads that wait for the next loop -------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CORE_TEAM_H
#define TESSERA_RUNTIME_CORE_TEAM_H

namespace tessera::runtime {

/// Calls \p body(data) while the rank's other threads wait for its loops: a
/// parallelFor of \p body hands itself to them through memory, and no team of
/// libgomp's is started for each. A decoded token is some hundred short loops.
/// \p body must call no library that has a team of its own, which would be one
/// thread here.
void withTeam(void (*body)(void *), void *data);

template <typename Body> void withTeam(Body body) {
  withTeam([](void *data) { (*static_cast<Body *>(data))(); }, &body);
}

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_CORE_TEAM_H
