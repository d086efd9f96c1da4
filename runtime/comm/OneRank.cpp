//===- OneRank.cpp - The communicator of executables of one rank ----------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/Single.h"

tessera::runtime::Communicator *tessera_create_communicator(int) {
  return new tessera::runtime::SingleCommunicator;
}
