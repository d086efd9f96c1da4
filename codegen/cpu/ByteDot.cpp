//===- ByteDot.cpp - Dot products of bytes ----------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/ByteDot.h"
#include "dialects/spec/Spec.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"
#include "llvm/TargetParser/X86TargetParser.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::codegen;
using namespace tessera::cpu;

/// Whether the CPU \p name, "native" or one of LLVM's, has \p feature.
static bool hasFeature(StringRef name, StringRef feature) {
  if (!llvm::Triple(llvm::sys::getDefaultTargetTriple()).isX86())
    return false;
  if (name == "native")
    return llvm::sys::getHostCPUFeatures().lookup(feature);
  SmallVector<StringRef> features;
  llvm::X86::getFeaturesForCPU(name, features);
  return llvm::is_contained(features, feature);
}

ByteDot::ByteDot(Operation *op) {
  auto module = op->getParentOfType<ModuleOp>();
  spec::SpecificationAttr specification =
      module ? spec::getSpecification(module) : spec::SpecificationAttr();
  if (!specification)
    return;
  StringRef cpu = specification.getTarget().getHostCpu();
  if (hasFeature(cpu, "avx512vnni"))
    lanes = 16;
  else if (hasFeature(cpu, "avxvnni"))
    lanes = 8;
}

Value ByteDot::emitInstruction(VectorBuilder &vb, Value sum, Value weights,
                               Value x, int64_t lanes) {
  auto bytes = VectorType::get({4 * lanes}, vb.builder.getI8Type());
  std::string name = "llvm.x86.avx512.vpdpbusd." + std::to_string(32 * lanes);
  return LLVM::CallIntrinsicOp::create(
             vb.builder, vb.loc, sum.getType(), vb.builder.getStringAttr(name),
             ValueRange{
                 sum, weights,
                 vector::BitCastOp::create(vb.builder, vb.loc, bytes, x)})
      .getResult(0);
}

Value ByteDot::emit(VectorBuilder &vb, Value sum, Value weights,
                    Value x) const {
  OpBuilder &b = vb.builder;
  Location loc = vb.loc;
  Value all = vb.splat(x);
  if (lanes == vectorLanes)
    return emitInstruction(vb, sum, weights, all, lanes);
  if (lanes) {
    auto take = [&](Value vector, int64_t from, int64_t count) -> Value {
      return vector::ExtractStridedSliceOp::create(
          b, loc, vector, ArrayRef<int64_t>{from}, ArrayRef<int64_t>{count},
          ArrayRef<int64_t>{1});
    };
    for (int64_t lane = 0; lane < vectorLanes; lane += lanes) {
      Value part = emitInstruction(vb, take(sum, lane, lanes),
                                   take(weights, 4 * lane, 4 * lanes),
                                   take(all, lane, lanes), lanes);
      sum = vector::InsertStridedSliceOp::create(
          b, loc, part, sum, ArrayRef<int64_t>{lane}, ArrayRef<int64_t>{1});
    }
    return sum;
  }
  // A byte of each lane after the other. Its factors have few bits, which LLVM
  // sees: it multiplies halves of lanes.
  auto type = vb.vectorType(b.getI32Type());
  auto constant = [&](int32_t number) -> Value {
    return arith::ConstantOp::create(
        b, loc, DenseElementsAttr::get(type, b.getI32IntegerAttr(number)));
  };
  Value words = vector::BitCastOp::create(b, loc, type, weights);
  for (int32_t byte = 0; byte < 4; ++byte) {
    Value w = arith::ShRUIOp::create(b, loc, words, constant(8 * byte));
    w = arith::AndIOp::create(b, loc, w, constant(0xff));
    Value high = arith::ShLIOp::create(b, loc, all, constant(24 - 8 * byte));
    Value number = arith::ShRSIOp::create(b, loc, high, constant(24));
    sum = arith::AddIOp::create(b, loc, sum,
                                arith::MulIOp::create(b, loc, w, number));
  }
  return sum;
}
