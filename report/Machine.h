//===- Machine.h - The machine that times are predicted for -----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_REPORT_MACHINE_H
#define TESSERA_REPORT_MACHINE_H

#include "target/Target.h"
#include <string>

namespace tessera {

/// What a machine can do, as the specification's `machine` says it
/// (docs/specification.md) with the defaults filled in. Rates are those of a
/// node, which its ranks share alike: operations, bytes and seconds.
struct Machine {
  struct Link {
    double latency = 0; ///< seconds per message
    double rate = 0; ///< bytes per second that a node's ranks receive together
    bool overlapsCompute = false;
  };

  std::string name;
  bool assumed = true;     ///< nothing was given: the rates are mere defaults
  bool hasDevices = false; ///< its ranks compute on a device each
  /// The specification's machine has no devices, and the target wants some: it
  /// is not used.
  bool isForeign = false;
  int64_t cores = 1, ranksPerNode = 1;
  double fp32 = 0, bf16 = 0;         ///< multiply-adds count as two
  double fp32Gemm = 0, bf16Gemm = 0; ///< of the library's GEMMs
  double memory = 0, cache = 0;      ///< bytes per second
  double cacheBytes = 0;
  double launch = 0; ///< seconds of a launch or GEMM beside its work
  Link intraNode, interNode;

  /// What a rank has of a rate of its node.
  double perRank(double rate) const {
    return rate / static_cast<double>(ranksPerNode);
  }

  /// "znver4: 2 cores, 1 rank per node; of a rank 213 Gflop/s in fp32, 1.2
  /// Tflop/s in bf16, memory 84.1 GB/s".
  std::string describe() const;

  /// The machine of \p module's attribute `spec.machine` for \p world ranks
  /// of \p target.
  static Machine get(mlir::ModuleOp module, const Target &target,
                     int64_t world);
};

} // namespace tessera

#endif // TESSERA_REPORT_MACHINE_H
