//===- Audit.cpp - The models of an audit ---------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/Audit.h"
#include "frontends/Fields.h"
#include "frontends/OptimizerSettings.h"
#include "runtime/program/SlotNames.h"

using namespace mlir;
using namespace tessera;
namespace slots = runtime::slotNames;

void tessera::resolveAudit(spec::Specification &message) {
  if (!message.has_gnn())
    return;
  spec::Audit &audit = *message.mutable_audit();
  const spec::Gnn &model = message.gnn();
  if (audit.has_test_nodes_per_class())
    audit.set_test_nodes(audit.test_nodes_per_class() * model.classes());
  if (audit.edge_capacity() == 0)
    audit.set_edge_capacity(model.edges());
  spec::Attack &attack = *audit.mutable_attack();
  if (attack.hidden_size() == 0) {
    // Those of the paper's code.
    attack.add_hidden(100);
    attack.add_hidden(50);
  }
  if (attack.kind() == spec::Attack::LIRA && !attack.has_shadows())
    attack.set_shadows(16);
  if (!attack.has_top_k())
    attack.set_top_k(std::min<int64_t>(3, model.classes()));
}

/// The model that is audited, for the subgraph that it trains on.
static Specification getTarget(const Specification &whole) {
  Specification target = whole;
  spec::Specification &message = target.message;
  const spec::Audit &audit = whole.message.audit();
  const spec::Gnn &graph = whole.message.gnn();
  message.clear_audit();
  spec::Gnn &model = *message.mutable_gnn();
  model.clear_graph();
  model.set_nodes(audit.train_nodes_per_class() * graph.classes());
  model.set_edges(audit.edge_capacity());
  if (audit.setting() == spec::Audit::TSTF)
    target.queries.push_back(
        {slots::predictWhole, graph.nodes(), graph.edges()});
  else
    target.queries.push_back(
        {slots::predictTest, audit.test_nodes(), audit.edge_capacity()});
  return target;
}

/// The model that tells members apart: two classes, non-members and members.
static Specification getAttack(const Specification &whole) {
  const spec::Audit &audit = whole.message.audit();
  const spec::Attack &attack = audit.attack();
  int64_t classes = whole.message.gnn().classes();
  int64_t samples =
      audit.train_nodes_per_class() * classes + audit.test_nodes();

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
                     ((samples + attack.batch() - 1) / attack.batch()));
  training.set_seed(whole.message.training().seed());
  spec::Optimizer &optimizer = *training.mutable_optimizer();
  optimizer.set_kind(spec::Optimizer::ADAM);
  optimizer.set_lr(attack.lr());
  resolveOptimizer(optimizer);
  training.mutable_schedule()->set_decay_steps(training.steps());
  *message.mutable_target() = whole.message.target();
  result.hasBatchesOfRows = true;
  result.queries.push_back({slots::predictAll, samples, 0});
  return result;
}

std::vector<AuditModel>
tessera::getAuditModels(const Specification &specification) {
  std::vector<AuditModel> models;
  models.push_back({"target", getTarget(specification)});
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

spec::AuditAttr tessera::getAuditAttr(const Specification &specification,
                                      MLIRContext &context) {
  const spec::Audit &audit = specification.message.audit();
  const spec::Gnn &graph = specification.message.gnn();
  const spec::Attack &attack = audit.attack();
  if (specification.message.has_transformer())
    return spec::AuditAttr::get(&context, spec::AuditSetting::Documents,
                                spec::AuditQuery::Matched, {}, {}, {}, {}, {},
                                spec::AttackAttr::get(&context),
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
      ArrayAttr::get(&context, defenses), withoutEdges);
}
