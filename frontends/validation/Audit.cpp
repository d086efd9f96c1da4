//===- Audit.cpp - What an audit may be -----------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/spec/Limits.h"
#include "dialects/spec/Spec.h"
#include "frontends/Shadow.h"
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
  if (audit.has_shadow())
    checkShadow();
}

void Validator::checkShadow() {
  const spec::Audit &audit = message.audit();
  bool isOwn = hasOwnGraph(audit);
  for (const char *path :
       {"audit.shadow.train_nodes_per_class", "audit.shadow.test_nodes",
        "audit.shadow.test_nodes_per_class"})
    if (given(path) && !isOwn)
      diagnostics.error(path,
                        "`" + llvm::Twine(path) +
                            "` is for a shadow on a graph of its own",
                        "remove it: on one graph target and shadow have as "
                        "many nodes each; or give `audit.shadow.gnn.graph`");
  if (given("audit.shadow.test_nodes") &&
      given("audit.shadow.test_nodes_per_class"))
    diagnostics.error("audit.shadow.test_nodes",
                      "`audit.shadow.test_nodes` and "
                      "`audit.shadow.test_nodes_per_class` both say how many "
                      "nodes are not trained on",
                      "remove one of them");
  if (given("audit.shadow.training.seed"))
    diagnostics.error("audit.shadow.training.seed",
                      "a shadow's seed is that of its trial", "remove it");
  if (isOwn && audit.attack().kind() == spec::Attack::LIRA)
    diagnostics.error("audit.attack.kind",
                      "LIRA's shadows are trained on nodes that the target is "
                      "asked about, and the shadow is on another graph",
                      "give kind: SHADOW_MLP, or no graph of the shadow's");
}

namespace {

/// The nodes of a model's sets.
struct SetSizes {
  double train, test;

  double all() const { return train + test; }
};

} // namespace

/// Of a message that has train_nodes_per_class and the numbers of test nodes.
template <typename Message>
static SetSizes sizesOf(const Message &message, int64_t classes) {
  auto count = static_cast<double>(classes);
  auto train = static_cast<double>(message.train_nodes_per_class()) * count;
  double test =
      message.has_test_nodes_per_class()
          ? static_cast<double>(message.test_nodes_per_class()) * count
          : static_cast<double>(message.test_nodes());
  return {train, test};
}

/// Refuses a shadow on a graph of its own that is too small, or has other
/// classes than the attack can read.
static void checkShadowGraph(const spec::Specification &message, SetSizes sizes,
                             Diagnostics &diagnostics) {
  const spec::Audit &audit = message.audit();
  const spec::Gnn &other = audit.shadow().gnn();
  if (sizes.all() > static_cast<double>(other.nodes()))
    diagnostics.error("audit.shadow",
                      "the shadow takes " + spec::getNumberText(sizes.train) +
                          " training and " + spec::getNumberText(sizes.test) +
                          " test nodes, but its graph has " +
                          llvm::Twine(other.nodes()) + " nodes",
                      "give fewer of them");
  spec::Attack::Input input = audit.attack().input();
  if (other.classes() != message.gnn().classes() &&
      (input == spec::Attack::POSTERIORS || input == spec::Attack::LABEL_ONLY))
    diagnostics.error("audit.shadow.gnn",
                      "the attack reads the answers of each class, and the "
                      "shadow's graph has " +
                          llvm::Twine(other.classes()) +
                          " classes, the target's " +
                          llvm::Twine(message.gnn().classes()),
                      "give attack.input: SORTED or TOP_K");
}

void tessera::checkAuditSizes(const spec::Specification &message,
                              bool hasShadowGraph, Diagnostics &diagnostics) {
  const spec::Audit &audit = message.audit();
  const spec::Gnn &model = message.gnn();
  SetSizes target = sizesOf(audit, model.classes()), shadow = target;
  if (hasShadowGraph) {
    shadow = sizesOf(audit.shadow(), audit.shadow().gnn().classes());
    checkShadowGraph(message, shadow, diagnostics);
    if (target.all() > static_cast<double>(model.nodes()))
      diagnostics.error(
          "audit",
          "the target takes " + spec::getNumberText(target.train) +
              " training and " + spec::getNumberText(target.test) +
              " test nodes, but the graph has " + llvm::Twine(model.nodes()) +
              " nodes",
          "give fewer of them");
  } else if (2 * target.all() > static_cast<double>(model.nodes())) {
    diagnostics.error("audit",
                      "target and shadow take " +
                          spec::getNumberText(target.train) + " training and " +
                          spec::getNumberText(target.test) +
                          " test nodes each, but the graph has " +
                          llvm::Twine(model.nodes()) + " nodes",
                      "give fewer of them");
  }
  const spec::Attack &attack = audit.attack();
  double steps = static_cast<double>(attack.epochs()) *
                 std::ceil(shadow.all() / static_cast<double>(attack.batch()));
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
  int64_t classes = model.classes();
  if (hasShadowGraph)
    classes = std::min(classes, audit.shadow().gnn().classes());
  if (attack.input() == spec::Attack::TOP_K && attack.top_k() > classes)
    diagnostics.error("audit.attack.top_k",
                      "`audit.attack.top_k` (" + llvm::Twine(attack.top_k()) +
                          ") is above the " + llvm::Twine(classes) + " classes",
                      "give at most as many");
}
