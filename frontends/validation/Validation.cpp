//===- Validation.cpp - The checks of a specification ---------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/validation/Validation.h"
#include "dialects/spec/Limits.h"
#include "frontends/OptimizerSettings.h"
#include "frontends/validation/Validator.h"

using namespace tessera;

void Validator::require(llvm::StringRef path, const llvm::Twine &remedy) {
  if (complete && !given(path))
    diagnostics.error(path, "`" + path + "` is missing", remedy);
}

void Validator::checkLimits(llvm::ArrayRef<llvm::StringRef> groups) {
  for (const spec::Limit &limit : spec::getLimits()) {
    if (!llvm::is_contained(groups, limit.path.split('.').first))
      continue;
    FieldRef ref = fieldAt(message, limit.path);
    if (!ref.given()) {
      if (limit.need == spec::Limit::Need::Required)
        require(limit.path, expectedValue(ref.field));
      continue;
    }
    double value = ref.number();
    if (limit.allows(value))
      continue;
    refused.push_back(limit.path.str());
    bool isWhole = ref.field->cpp_type() !=
                   google::protobuf::FieldDescriptor::CPPTYPE_DOUBLE;
    diagnostics.error(limit.path,
                      "`" + llvm::Twine(limit.path) + "` cannot be " +
                          spec::getNumberText(value),
                      limit.getRemedy(isWhole));
  }
}

std::string tessera::getNearestDivisors(int64_t whole, int64_t near) {
  int64_t below = 0, above = 0;
  for (int64_t candidate = std::min(near, whole); candidate >= 1 && !below;
       --candidate)
    if (whole % candidate == 0)
      below = candidate;
  for (int64_t candidate = near; candidate <= whole && !above; ++candidate)
    if (whole % candidate == 0)
      above = candidate;
  return above ? std::to_string(below) + " or " + std::to_string(above)
               : std::to_string(below);
}

void Validator::run() {
  if (complete && !message.has_transformer() && !message.has_gnn())
    diagnostics.error("", "the specification has no model",
                      "add `transformer { ... }` or `gnn { ... }`");
  if (message.has_transformer())
    checkTransformer();
  if (message.has_gnn())
    checkGnn();
  if (message.has_audit())
    checkAudit();
  if (message.has_generation())
    checkGeneration();
  checkLimits({"training", "parallel", "target", "machine"});
  checkBatches();
  checkSampling();
  checkMemory();
  checkOptimizer(message.training().optimizer(), diagnostics);
  checkSchedule();
  checkPrecision();
  checkParallel();
}

void tessera::validate(const spec::Specification &message, bool complete,
                       Diagnostics &diagnostics) {
  Validator(message, complete, diagnostics).run();
}
