//===- Optimizer.h - The optimizer dialect ----------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_OPTIMIZER_OPTIMIZER_H
#define TESSERA_DIALECTS_OPTIMIZER_OPTIMIZER_H

#include "dialects/optimizer/Formula.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Dialect.h"

#include "dialects/optimizer/OptimizerDialect.h.inc"
#include "dialects/optimizer/OptimizerInterface.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/optimizer/OptimizerAttrs.h.inc"

namespace tessera::optimizer {

/// A hyperparameter of an optimizer, as specifications name it.
struct Hyperparameter {
  llvm::StringRef name;
  /// Its value where the specification does not give one; a truth is 0 or 1.
  double missing;
};

/// An optimizer that specifications name.
struct Kind {
  llvm::StringRef name; ///< in lower case
  llvm::SmallVector<Hyperparameter> hyperparameters;
  /// The optimizer with \p values, one for each hyperparameter in order;
  /// reports values that it may not have and returns null.
  OptimizerAttrInterface (*make)(
      llvm::function_ref<mlir::InFlightDiagnostic()> emitError,
      mlir::MLIRContext *context, llvm::ArrayRef<double> values);
};

/// All of them: the row of a new one is all that the rest needs.
llvm::ArrayRef<Kind> getKinds();

/// Null where there is none of that name.
const Kind *findKind(llvm::StringRef name);

/// Parameters that a specification singles out: those in whose name the regular
/// expression `match` is found.
struct ParameterGroup {
  std::string match;
  double lrScale = 1;
  /// The parameter's own where it is not given: the optimizer's if it decays,
  /// else 0.
  std::optional<double> weightDecay;
};

/// What the specification says of the optimizer.
struct Settings {
  OptimizerAttrInterface optimizer;
  double weightDecay = 0;
  /// The first one that matches a parameter is its own.
  llvm::SmallVector<ParameterGroup> groups;
};

/// Reads them from the dictionary `training.optimizer` of a specification. Its
/// entry `kind` names one of getKinds, whose hyperparameters are entries of
/// their own; or it is an optimizer itself, which may be defined anywhere.
/// Reports what is missing, unknown or out of range.
mlir::FailureOr<Settings>
readSettings(llvm::function_ref<mlir::InFlightDiagnostic()> emitError,
             mlir::Attribute attribute);

/// Floating-point operations of the step of one element, the clipping of its
/// gradient included. A fused multiply-add is two.
int64_t countFlops(OptimizerAttrInterface optimizer);

} // namespace tessera::optimizer

#endif // TESSERA_DIALECTS_OPTIMIZER_OPTIMIZER_H
