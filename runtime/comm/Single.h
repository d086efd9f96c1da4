//===- Single.h - One rank alone --------------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMM_SINGLE_H
#define TESSERA_RUNTIME_COMM_SINGLE_H

#include "runtime/program/Communicator.h"

namespace tessera::runtime {

/// One rank alone: collectives are copies of its source.
class SingleCommunicator : public Communicator {
public:
  char *allocateArena(const Program &wanted, OffloadFile *offload) override;

  void start(int) override {}
  void wait(int id) override;
  void fence(int) override {}

  void copyToRoot(int, int64_t offset, int64_t bytes,
                  char *destination) override;

  bool markFailed() override { return true; }
  void finish() override {}
  const char *form() const override { return "none"; }

protected:
  void exchangeBytes(const void *mine, void *all, size_t bytes) override;

private:
  const Program *program = nullptr;
  char *arena = nullptr;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMM_SINGLE_H
