//===- Audit.cpp - The models of an audit ---------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/Audit.h"
#include "frontends/Fields.h"
#include "frontends/OptimizerSettings.h"
#include "frontends/Resolution.h"
#include "runtime/core/Text.h"
#include "runtime/program/SlotNames.h"

using namespace mlir;
using namespace tessera;
namespace slots = runtime::slotNames;

void tessera::resolveAudit(spec::Specification &message) {
  if (!message.has_gnn())
    return;
  spec::Audit &audit = *message.mutable_audit();
  const spec::Gnn &model = message.gnn();
  if (audit.has_shadow()) {
    spec::Shadow &shadow = *audit.mutable_shadow();
    if (shadow.has_test_nodes_per_class())
      shadow.set_test_nodes(shadow.test_nodes_per_class() *
                            shadow.gnn().classes());
    spec::Training &training = *shadow.mutable_training();
    resolveGraphBatches(training, /*world=*/1);
    resolveTraining(training);
  }
  if (audit.has_test_nodes_per_class())
    audit.set_test_nodes(audit.test_nodes_per_class() * model.classes());
  spec::Attack &attack = *audit.mutable_attack();
  if (attack.hidden_size() == 0) {
    // Those of the paper's code.
    attack.add_hidden(100);
    attack.add_hidden(50);
  }
  if (attack.kind() == spec::Attack::LIRA && !attack.has_shadows())
    attack.set_shadows(16);
  int64_t classes = model.classes();
  if (audit.has_shadow())
    classes = std::min(classes, audit.shadow().gnn().classes());
  if (!attack.has_top_k())
    attack.set_top_k(std::min<int64_t>(3, classes));
}

/// Makes of \p specification, of a model on a whole graph, that of a model that
/// \p audit trains on a subgraph and asks about others. \p sets has the sizes
/// of its sets of nodes.
template <typename Sets>
static void trainOnSubgraph(const spec::Audit &audit, const Sets &sets,
                            Specification &specification) {
  spec::Gnn &model = *specification.message.mutable_gnn();
  int64_t nodes = model.nodes(), edges = model.edges();
  int64_t room = edges;
  if (audit.edge_capacity() > 0)
    room = std::min(room, audit.edge_capacity());
  model.clear_graph();
  // All nodes of a subgraph are learned from.
  model.clear_train_nodes();
  model.clear_train_edges();
  model.set_nodes(sets.train_nodes_per_class() * model.classes());
  model.set_edges(room);
  if (audit.setting() == spec::Audit::TSTF)
    specification.queries.push_back({slots::predictWhole, nodes, edges});
  else
    specification.queries.push_back(
        {slots::predictTest, sets.test_nodes(), room});
}

static Specification getTarget(const Specification &whole) {
  Specification target = whole;
  target.message.clear_audit();
  const spec::Audit &audit = whole.message.audit();
  trainOnSubgraph(audit, audit, target);
  return target;
}

static Specification getShadow(const Specification &whole) {
  Specification result = whole;
  const spec::Audit &audit = whole.message.audit();
  const spec::Shadow &shadow = audit.shadow();
  spec::Specification &message = result.message;
  message.clear_audit();
  message.set_name(whole.message.name() + ": shadow");
  *message.mutable_gnn() = shadow.gnn();
  *message.mutable_training() = shadow.training();
  result.accumulation =
      message.training().global_batch() / message.training().micro_batch();
  result.groupPlaces = whole.shadowGroupPlaces;
  result.memoryLimit.reset();
  if (message.training().has_memory_limit())
    result.memoryLimit =
        runtime::parseByteSize(message.training().memory_limit());
  trainOnSubgraph(audit, shadow, result);
  return result;
}

/// The model that tells members apart: two classes, non-members and members.
static Specification getAttack(const Specification &whole) {
  const spec::Audit &audit = whole.message.audit();
  const spec::Attack &attack = audit.attack();
  // It learns from the shadow's answers and reads the target's; sorted, those
  // over fewer classes have zeros behind.
  int64_t classes = whole.message.gnn().classes();
  int64_t asked = audit.train_nodes_per_class() * classes + audit.test_nodes();
  int64_t learnt = asked;
  if (whole.hasShadowGraph) {
    const spec::Shadow &shadow = audit.shadow();
    learnt = shadow.train_nodes_per_class() * shadow.gnn().classes() +
             shadow.test_nodes();
    classes = std::max(classes, shadow.gnn().classes());
  }

  Specification result;
  spec::Specification &message = result.message;
  message.set_name(whole.message.name() + ": attack");
  spec::Gnn &model = *message.mutable_gnn();
  model.set_layer(spec::Gnn::MLP);
  model.set_layers(attack.hidden_size() + 1);
  for (int64_t width : attack.hidden())
    model.add_widths(width);
  model.set_self_loops(false);
  model.set_normalization(spec::Gnn::NONE);
  model.set_nodes(attack.batch());
  model.set_edges(0);
  model.set_features(attack.input() == spec::Attack::TOP_K ? attack.top_k()
                                                           : classes);
  model.set_classes(2);
  spec::Training &training = *message.mutable_training();
  training.set_global_batch(1);
  training.set_micro_batch(1);
  training.set_steps(attack.epochs() *
                     ((learnt + attack.batch() - 1) / attack.batch()));
  training.set_seed(whole.message.training().seed());
  spec::Optimizer &optimizer = *training.mutable_optimizer();
  optimizer.set_kind(spec::Optimizer::ADAM);
  optimizer.set_lr(attack.lr());
  resolveOptimizer(optimizer);
  training.mutable_schedule()->set_decay_steps(training.steps());
  *message.mutable_target() = whole.message.target();
  result.hasBatchesOfRows = true;
  result.queries.push_back({slots::predictAll, asked, 0});
  return result;
}

std::vector<AuditModel>
tessera::getAuditModels(const Specification &specification) {
  std::vector<AuditModel> models;
  models.push_back({"target", getTarget(specification)});
  if (specification.message.audit().has_shadow())
    models.push_back({"shadow", getShadow(specification)});
  models.push_back({"attack", getAttack(specification)});
  return models;
}

static spec::DefenseAttr defenseAttr(const spec::Defense &given,
                                     MLIRContext &context) {
  auto whole = [](bool has, int64_t value) {
    return has ? std::optional(value) : std::nullopt;
  };
  auto real = [](bool has, double value) {
    return has ? std::optional(spec::Real(value)) : std::nullopt;
  };
  return spec::DefenseAttr::get(
      &context,
      *spec::symbolizeDefenseKind(
          StringRef(spec::Defense::Kind_Name(given.kind())).lower()),
      whole(given.has_neighbors(), given.neighbors()),
      whole(given.has_bins(), given.bins()),
      real(given.has_beta(), given.beta()),
      whole(given.has_digits(), given.digits()),
      real(given.has_temperature(), given.temperature()));
}

/// Null where the shadow is on the target's graph.
static spec::ShadowAttr shadowAttr(const Specification &specification,
                                   MLIRContext &context) {
  if (!specification.hasShadowGraph)
    return {};
  const spec::Shadow &shadow = specification.message.audit().shadow();
  std::optional<int64_t> perClass;
  if (shadow.has_test_nodes_per_class())
    perClass = shadow.test_nodes_per_class();
  return spec::ShadowAttr::get(
      &context, shadow.gnn().nodes(), shadow.gnn().edges(),
      shadow.train_nodes_per_class(), shadow.test_nodes(), perClass);
}

spec::AuditAttr tessera::getAuditAttr(const Specification &specification,
                                      MLIRContext &context) {
  const spec::Audit &audit = specification.message.audit();
  const spec::Gnn &graph = specification.message.gnn();
  const spec::Attack &attack = audit.attack();
  if (specification.message.has_transformer())
    return spec::AuditAttr::get(&context, spec::AuditSetting::Documents,
                                spec::AuditQuery::Matched, {}, {}, {}, {}, {},
                                spec::AttackAttr::get(&context), {},
                                ArrayAttr::get(&context, {}), false);
  SmallVector<Attribute> defenses;
  for (const spec::Defense &defense : audit.defense())
    defenses.push_back(defenseAttr(defense, context));
  bool withoutEdges =
      llvm::is_contained(audit.ablation(), spec::Audit::NO_EDGES);
  std::optional<int64_t> perClass;
  if (audit.has_test_nodes_per_class())
    perClass = audit.test_nodes_per_class();
  return spec::AuditAttr::get(
      &context,
      *spec::symbolizeAuditSetting(
          StringRef(spec::Audit::Setting_Name(audit.setting())).lower()),
      *spec::symbolizeAuditQuery(
          StringRef(spec::Audit::Query_Name(audit.query())).lower()),
      graph.nodes(), graph.edges(), audit.train_nodes_per_class(),
      audit.test_nodes(), perClass,
      spec::AttackAttr::get(
          &context, attack.epochs(), attack.batch(),
          *spec::symbolizeAttackInput(
              StringRef(spec::Attack::Input_Name(attack.input())).lower()),
          attack.top_k(), attack.standardize(), attack.shadows()),
      shadowAttr(specification, context), ArrayAttr::get(&context, defenses),
      withoutEdges);
}
