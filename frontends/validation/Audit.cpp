//===- Audit.cpp - What an audit may be -----------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/spec/Limits.h"
#include "dialects/spec/Spec.h"
#include "frontends/validation/Validation.h"
#include "frontends/validation/Validator.h"

#include <cmath>

using namespace tessera;
using google::protobuf::FieldDescriptor;

void Validator::checkDefense(int index) {
  const spec::Defense &defense = message.audit().defense(index);
  std::string path = "audit.defense[" + std::to_string(index) + "]";
  if (!defense.has_kind())
    return diagnostics.error(path, "the defense has no kind",
                             "give kind: and one of " +
                                 valueNames(spec::Defense::Kind_descriptor()));
  llvm::StringRef name = spec::Defense::Kind_Name(defense.kind());
  spec::DefenseKind kind = *spec::symbolizeDefenseKind(name.lower());
  for (int i = 0; i < spec::Defense::descriptor()->field_count(); ++i) {
    const FieldDescriptor *field = spec::Defense::descriptor()->field(i);
    if (field->name() == "kind")
      continue;
    FieldRef ref{&defense, field};
    if (ref.given() != spec::readsField(kind, field->name())) {
      diagnostics.error(path,
                        "a defense of kind " + name +
                            (ref.given() ? " has no `" : " needs `") +
                            field->name() + "`",
                        ref.given() ? "remove it" : expectedValue(field));
      continue;
    }
    const spec::Limit &limit = spec::getLimit("defense." + field->name());
    if (ref.given() && !limit.allows(ref.number()))
      diagnostics.error(path,
                        "`" + llvm::Twine(path) + "." + field->name() +
                            "` cannot be " + spec::getNumberText(ref.number()),
                        limit.getRemedy(field->cpp_type() !=
                                        FieldDescriptor::CPPTYPE_DOUBLE));
  }
}

/// A Transformer is asked about documents, which are named when it is.
void Validator::checkDocumentAudit() {
  const google::protobuf::Message &audit = message.audit();
  for (int i = 0; i < audit.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor *field = audit.GetDescriptor()->field(i);
    const google::protobuf::Reflection *reflection = audit.GetReflection();
    bool isGiven = field->is_repeated()
                       ? reflection->FieldSize(audit, field) > 0
                       : reflection->HasField(audit, field);
    if (isGiven)
      diagnostics.error(
          "audit." + field->name() + (field->is_repeated() ? "[0]" : ""),
          "`audit." + field->name() + "` is of a graph neural network's audit",
          "remove it: a Transformer's has no fields");
  }
}

void Validator::checkAudit() {
  if (message.has_transformer())
    return checkDocumentAudit();
  checkLimits({"audit"});
  const spec::Audit &audit = message.audit();
  require("audit.train_nodes_per_class", "give a whole number");
  if (given("audit.test_nodes") && given("audit.test_nodes_per_class"))
    diagnostics.error(
        "audit.test_nodes",
        "`audit.test_nodes` and `audit.test_nodes_per_class` both "
        "say how many nodes are not trained on",
        "remove one of them");
  else if (!given("audit.test_nodes_per_class"))
    require("audit.test_nodes", "give a whole number, or "
                                "`audit.test_nodes_per_class`");
  if (message.parallel().world() != 1)
    diagnostics.error("parallel.world", "an audit's models train on one rank",
                      "remove it: ranks that are started do whole audits each");
  if (message.target().has_cuda())
    diagnostics.error("target.cuda", "an audit runs on CPUs",
                      "remove it, or the audit");
  const spec::Attack &attack = audit.attack();
  const spec::Limit &width = spec::getLimit("gnn.hidden");
  for (int i = 0; i < attack.hidden_size(); ++i)
    if (!width.allows(static_cast<double>(attack.hidden(i)))) {
      diagnostics.error("audit.attack.hidden[0]",
                        "`audit.attack.hidden` cannot have " +
                            llvm::Twine(attack.hidden(i)),
                        width.getRemedy(/*isWhole=*/true));
      break;
    }
  if (attack.hidden_size() > 98)
    diagnostics.error("audit.attack.hidden[0]",
                      "`audit.attack.hidden` has more than 98 layers",
                      "give fewer");
  if (given("audit.attack.top_k") && attack.input() != spec::Attack::TOP_K)
    diagnostics.error("audit.attack.top_k",
                      "`audit.attack.top_k` is for input: TOP_K", "remove it");
  bool isLira = attack.kind() == spec::Attack::LIRA;
  if (given("audit.attack.shadows") && !isLira)
    diagnostics.error("audit.attack.shadows",
                      "`audit.attack.shadows` is for kind: LIRA", "remove it");
  if (isLira && audit.setting() == spec::Audit::TSTS)
    diagnostics.error("audit.attack.kind",
                      "LIRA asks about all nodes on the whole graph",
                      "give setting: TSTF, or kind: SHADOW_MLP");
  for (int i = 0; i < audit.defense_size(); ++i)
    checkDefense(i);
}

void tessera::checkAuditSizes(const spec::Specification &message,
                              Diagnostics &diagnostics) {
  const spec::Audit &audit = message.audit();
  const spec::Gnn &model = message.gnn();
  auto train = static_cast<double>(audit.train_nodes_per_class()) *
               static_cast<double>(model.classes());
  double test = audit.has_test_nodes_per_class()
                    ? static_cast<double>(audit.test_nodes_per_class()) *
                          static_cast<double>(model.classes())
                    : static_cast<double>(audit.test_nodes());
  if (2 * (train + test) > static_cast<double>(model.nodes()))
    diagnostics.error("audit",
                      "target and shadow take " + spec::getNumberText(train) +
                          " training and " + spec::getNumberText(test) +
                          " test nodes each, but the graph has " +
                          llvm::Twine(model.nodes()) + " nodes",
                      "give fewer of them");
  const spec::Attack &attack = audit.attack();
  double steps =
      static_cast<double>(attack.epochs()) *
      std::ceil((train + test) / static_cast<double>(attack.batch()));
  if (!spec::getLimit("training.steps").allows(steps))
    diagnostics.error("audit.attack.epochs",
                      "the attack would take " + spec::getNumberText(steps) +
                          " steps",
                      "give fewer epochs, or a larger batch");
  if (audit.edge_capacity() > model.edges())
    diagnostics.error(
        "audit.edge_capacity",
        "`audit.edge_capacity` (" + llvm::Twine(audit.edge_capacity()) +
            ") is above the graph's " + llvm::Twine(model.edges()) + " edges",
        "leave it out");
  if (audit.attack().input() == spec::Attack::TOP_K &&
      audit.attack().top_k() > model.classes())
    diagnostics.error(
        "audit.attack.top_k",
        "`audit.attack.top_k` (" + llvm::Twine(audit.attack().top_k()) +
            ") is above the " + llvm::Twine(model.classes()) + " classes",
        "give at most as many");
}
