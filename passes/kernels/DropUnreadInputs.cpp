//===- DropUnreadInputs.cpp - Inputs that a program can do without --------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/AttributeNames.h"
#include "passes/kernels/Passes.h"
#include "llvm/ADT/BitVector.h"

namespace tessera::kernels {
#define GEN_PASS_DEF_DROPUNREADINPUTS
#include "passes/kernels/Passes.h.inc"
} // namespace tessera::kernels

using namespace mlir;
using namespace tessera;

namespace {
struct DropUnreadInputs
    : kernels::impl::DropUnreadInputsBase<DropUnreadInputs> {
  void runOnOperation() override {
    for (auto program : getOperation().getOps<func::FuncOp>()) {
      llvm::BitVector unread(program.getNumArguments());
      for (BlockArgument argument : program.getArguments())
        if (argument.use_empty() &&
            program.getArgAttr(argument.getArgNumber(), onlyIfReadAttrName))
          unread.set(argument.getArgNumber());
      numDropped += unread.count();
      (void)program.eraseArguments(unread);
    }
  }
};
} // namespace
