//===- SpecificationAttr.h - A specification in IR --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_SPECIFICATIONATTR_H
#define TESSERA_FRONTENDS_SPECIFICATIONATTR_H

#include "dialects/spec/Spec.h"
#include "frontends/Diagnostics.h"
#include "frontends/Specification.h"

namespace tessera {

/// \p specification, whose target is registered, as the attribute that the
/// module carries. The dialect `spec` must be loaded.
spec::SpecificationAttr getSpecificationAttr(const Specification &specification,
                                             mlir::MLIRContext &context);

/// What of a specification determines the mathematics of its run and not only
/// where or how fast it is made: texts by the fields' paths.
mlir::DictionaryAttr fingerprintAttr(const spec::Specification &message,
                                     mlir::MLIRContext &context);

/// Reports what the target of \p specification cannot do, or that there is no
/// such target.
void validateTarget(const Specification &specification,
                    Diagnostics &diagnostics);

/// Checks the specification of a module that was read: it is there, and its
/// target can do what it says.
mlir::LogicalResult verifySpecificationAttr(mlir::ModuleOp module);

} // namespace tessera

#endif // TESSERA_FRONTENDS_SPECIFICATIONATTR_H
