//===- Audit.h - The models of an audit -------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An audit trains several models, each planned like any other. A specification
// with `audit` stands for one specification a model.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_AUDIT_H
#define TESSERA_FRONTENDS_AUDIT_H

#include "dialects/spec/Spec.h"
#include "frontends/Specification.h"

#include <string>
#include <vector>

namespace tessera {

/// One of the models that an audit trains.
struct AuditModel {
  std::string name; ///< Of its module: "target", "shadow" or "attack".
  Specification specification;
};

/// Fills in what of the audit of \p message follows from its other fields.
void resolveAudit(spec::Specification &message);

/// The models of the audit that \p specification has: the target, whose
/// training is on a subgraph of the training nodes, the shadow where it is
/// another model, and the attack.
std::vector<AuditModel> getAuditModels(const Specification &specification);

/// What the executable must know of the audit that \p specification has.
spec::AuditAttr getAuditAttr(const Specification &specification,
                             mlir::MLIRContext &context);

} // namespace tessera

#endif // TESSERA_FRONTENDS_AUDIT_H
