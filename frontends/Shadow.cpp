//===- Shadow.cpp - The attacker's model of an audit ----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/Shadow.h"
#include "frontends/GraphSettings.h"

#include <vector>

using namespace tessera;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

bool tessera::hasOwnGraph(const spec::Audit &audit) {
  const spec::Gnn &given = audit.shadow().gnn();
  return given.has_graph() || given.has_nodes() || given.has_edges() ||
         given.has_features() || given.has_classes();
}

/// Clears the lists of \p to that \p from gives.
static void clearLists(const Message &from, Message &to) {
  const Reflection *reflection = from.GetReflection();
  std::vector<const FieldDescriptor *> fields;
  reflection->ListFields(from, &fields);
  for (const FieldDescriptor *field : fields)
    if (field->is_repeated())
      reflection->ClearField(&to, field);
    else if (field->message_type())
      clearLists(reflection->GetMessage(from, field),
                 *reflection->MutableMessage(&to, field));
}

/// Sets the fields that \p from gives in \p to; a list takes the place of the
/// one that was there.
static void lay(const Message &from, Message &to) {
  clearLists(from, to);
  to.MergeFrom(from);
}

/// Clears what \p model has from the target and would mean something else in
/// layers that \p given says.
static void dropForeign(const spec::Gnn &given, spec::Gnn &model) {
  if (given.has_hidden())
    model.clear_widths();
  if (given.widths_size())
    model.clear_hidden();
  if (!given.has_layer() || given.layer() == model.layer())
    return;
  model.set_layer(given.layer());
  // The defaults of self-loops differ between layers, as their own fields do.
  model.clear_self_loops();
  const Reflection *reflection = model.GetReflection();
  auto clear = [&](llvm::StringRef path) {
    reflection->ClearField(&model, model.GetDescriptor()->FindFieldByName(
                                       path.split('.').second.str()));
  };
  for (llvm::StringRef path : getFieldsOfLayers())
    if (!readsField(model, path))
      clear(path);
  if (given.layer() != spec::Gnn::GAT) {
    model.clear_heads();
    model.clear_attention_dropout();
  }
}

spec::Specification tessera::layShadow(const spec::Specification &given) {
  spec::Specification result = given;
  result.clear_audit();
  const spec::Shadow &shadow = given.audit().shadow();
  spec::Gnn &model = *result.mutable_gnn();
  dropForeign(shadow.gnn(), model);
  if (hasOwnGraph(given.audit())) {
    model.clear_graph();
    model.clear_nodes();
    model.clear_edges();
    model.clear_features();
    model.clear_classes();
    model.clear_feature_entries();
    model.clear_train_nodes();
    model.clear_train_edges();
  }
  lay(shadow.gnn(), model);
  spec::Training &training = *result.mutable_training();
  // Layers that do not sample learn from the whole of their graph.
  if (model.layer() == spec::Gnn::MLP || model.layer() == spec::Gnn::SGC) {
    training.clear_sampling();
    training.clear_global_batch();
  }
  const spec::Optimizer &optimizer = shadow.training().optimizer();
  if (optimizer.has_kind() && optimizer.kind() != training.optimizer().kind())
    training.clear_optimizer();
  lay(shadow.training(), training);
  return result;
}

void tessera::fillShadow(const spec::Specification &shadow,
                         spec::Audit &audit) {
  spec::Shadow &filled = *audit.mutable_shadow();
  *filled.mutable_gnn() = shadow.gnn();
  *filled.mutable_training() = shadow.training();
  if (!filled.has_train_nodes_per_class())
    filled.set_train_nodes_per_class(audit.train_nodes_per_class());
  if (filled.has_test_nodes() || filled.has_test_nodes_per_class())
    return;
  if (audit.has_test_nodes_per_class())
    filled.set_test_nodes_per_class(audit.test_nodes_per_class());
  else
    filled.set_test_nodes(audit.test_nodes());
}
