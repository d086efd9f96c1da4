//===- PhasePipelines.h - The pipelines of phases ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DRIVER_PHASEPIPELINES_H
#define TESSERA_DRIVER_PHASEPIPELINES_H

#include "driver/Phases.h"
#include "driver/Recomputation.h"
#include "target/Target.h"

namespace tessera {

/// Adds the passes of \p phase, for \p target, to \p manager; none for
/// Phase::Executable. \p recomputation is for the phase train.
void buildPhase(Phase phase, const Target &target,
                const Recomputation &recomputation,
                mlir::OpPassManager &manager);

/// The pass that checks what \p phase leaves; of Phase::Executable that of
/// Phase::Target.
std::unique_ptr<mlir::Pass> createPhaseVerifier(Phase phase);

/// Makes each phase known to pass drivers: `model-pipeline`, `train-pipeline`,
/// ..., `target-pipeline`, and all passes that are in them.
void registerPhasePipelines();

} // namespace tessera

#endif // TESSERA_DRIVER_PHASEPIPELINES_H
