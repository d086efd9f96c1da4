// RUN: tessera-opt %s --split-input-file --verify-diagnostics

// What must be given.

// expected-error @below {{struct is missing required parameter: name}}
module attributes {test.a = #spec.specification<model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>, training = <global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>>} {}

// -----

// expected-error @below {{struct is missing required parameter: model}}
module attributes {test.a = #spec.specification<name = "x", training = <global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>>} {}

// -----

// expected-error @below {{struct is missing required parameter: training}}
module attributes {test.a = #spec.specification<name = "x", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>>} {}

// -----

// expected-error @below {{`training.global_batch` is missing; give a whole number from 1 to 16777216}}
module attributes {test.a = #spec.training<micro_batch = 1, steps = 1, optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>} {}

// -----

// expected-error @below {{`training.micro_batch` is missing; give a whole number from 1 to 16777216}}
module attributes {test.a = #spec.training<global_batch = 1, steps = 1, optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>} {}

// -----

// expected-error @below {{`training.steps` is missing; give a whole number from 1 to 1000000000000}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>} {}

// -----

// expected-error @below {{struct is missing required parameter: optimizer}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, steps = 1>} {}

// -----

// expected-error @below {{`gnn.nodes` is missing; give a whole number from 1 to 2147483647}}
module attributes {test.a = #spec.gnn<edges = 8, features = 8, classes = 8>} {}

// -----

// expected-error @below {{`gnn.edges` is missing; give a whole number from 0 to 2147483647}}
module attributes {test.a = #spec.gnn<nodes = 8, features = 8, classes = 8>} {}

// -----

// expected-error @below {{`gnn.features` is missing; give a whole number from 1 to 131072}}
module attributes {test.a = #spec.gnn<nodes = 8, edges = 8, classes = 8>} {}

// -----

// expected-error @below {{`gnn.classes` is missing; give a whole number from 1 to 131072}}
module attributes {test.a = #spec.gnn<nodes = 8, edges = 8, features = 8>} {}

// -----

// expected-error @below {{struct is missing required parameter: names}}
module attributes {test.a = #spec.transformer<vocabulary = 8, hidden = 8, heads = 8, sequence_length = 8>} {}

// -----

// expected-error @below {{`transformer.vocabulary` is missing; give a whole number from 1 to 16777216}}
module attributes {test.a = #spec.transformer<names = "bloom", hidden = 8, heads = 8, sequence_length = 8>} {}

// -----

// expected-error @below {{`transformer.hidden` is missing; give a whole number from 1 to 131072}}
module attributes {test.a = #spec.transformer<names = "bloom", vocabulary = 8, heads = 8, sequence_length = 8>} {}

// -----

// expected-error @below {{`transformer.heads` is missing; give a whole number from 1 to 131072}}
module attributes {test.a = #spec.transformer<names = "bloom", vocabulary = 8, hidden = 8, sequence_length = 8>} {}

// -----

// expected-error @below {{`frequencies` has -1.000000e+00; give finite numbers above 0}}
module attributes {test.a = #spec.transformer<names = "llama", vocabulary = 8, hidden = 8, heads = 2, sequence_length = 8, frequencies = [1.0, -1.0]>} {}

// -----

// expected-error @below {{`transformer.head_dim` cannot be 0; give a whole number from 1 to 131072}}
module attributes {test.a = #spec.transformer<names = "llama", vocabulary = 8, hidden = 8, heads = 2, head_dim = 0, sequence_length = 8>} {}

// -----

// expected-error @below {{`transformer.sequence_length` is missing; give a whole number from 1 to 16777216}}
module attributes {test.a = #spec.transformer<names = "bloom", vocabulary = 8, hidden = 8, heads = 8>} {}

// -----

// expected-error @below {{`training.batch_ramp.start` is missing; give a whole number from 1 to 16777216}}
module attributes {test.a = #spec.batch_ramp<increment = 8, samples = 8>} {}

// -----

// expected-error @below {{`training.batch_ramp.increment` is missing; give a whole number from 1 to 16777216}}
module attributes {test.a = #spec.batch_ramp<start = 8, samples = 8>} {}

// -----

// expected-error @below {{`training.batch_ramp.samples` is missing; give a whole number from 1 to 1e+15}}
module attributes {test.a = #spec.batch_ramp<start = 8, increment = 8>} {}

// -----

// expected-error @below {{expected attribute value}}
// expected-error @below {{failed to parse Spec_PlainTargetAttr parameter 'name'}}
module attributes {test.a = #spec.target<>} {}

// -----

// Fields that there are not, and values of other kinds.

// expected-error @below {{duplicate or unknown struct parameter name: stage}}
module attributes {test.a = #spec.parallel<stage = 3>} {}

// -----

// expected-error @below {{duplicate or unknown struct parameter name: world}}
module attributes {test.a = #spec.parallel<world = 2, world = 2>} {}

// -----

// expected-error @below {{expected integer value}}
// expected-error @below {{failed to parse Spec_ParallelAttr parameter 'world'}}
module attributes {test.a = #spec.parallel<world = "two">} {}

// -----

// expected-error @below {{floating point}}
// expected-error @below {{failed to parse Spec_ScheduleAttr parameter 'min_lr'}}
module attributes {test.a = #spec.schedule<min_lr = "low">} {}

// -----

// expected-error @below {{recompute}}
module attributes {test.a = #spec.training<recompute = sometimes>} {}

// -----

// expected-error @below {{the model is a #spec.transformer or a #spec.gnn, not "gcn"}}
module attributes {test.a = #spec.specification<name = "x", model = "gcn", training = <global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>>} {}

// -----

// The whole.

// expected-error @below {{`training.global_batch` (6) is not divisible by `training.micro_batch` * `parallel.world` (2 * 2)}}
module attributes {test.a = #spec.specification<name = "x", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>, training = <global_batch = 6, micro_batch = 2, steps = 1, optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>, parallel = <world = 2>>} {}

// -----

// expected-error @below {{`tied` has no text for "a"}}
module attributes {test.a = #spec.specification<name = "x", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>, training = <global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>, tied = {a = 1}>} {}

// -----

// expected-error @below {{`config` has an entry without names, value and decides}}
module attributes {test.a = #spec.specification<name = "x", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>, training = <global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>, config = [{names = [], value = 1, decides = true}]>} {}

// -----

// expected-error @below {{`fingerprint` has no text for "a"}}
module attributes {test.a = #spec.specification<name = "x", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>, training = <global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>, fingerprint = {a = 1}>} {}

// -----

// expected-error @below {{of 2 segments 1 whole and 2 cheap ones cannot be recomputed}}
module attributes {test.a = #spec.recomputed<segments = 2, whole = 1, cheap = 2>} {}

// -----

// expected-error @below {{of 2 segments -1 whole and 2 cheap ones cannot be recomputed}}
module attributes {test.a = #spec.recomputed<segments = 2, whole = -1, cheap = 2>} {}

// -----

// expected-error @below {{a defense of kind lbp needs `beta`}}
module attributes {test.a = #spec.defense<kind = lbp, bins = 2>} {}

// -----

// expected-error @below {{a defense of kind label_only has no `digits`}}
module attributes {test.a = #spec.defense<kind = label_only, digits = 2>} {}

// -----

// expected-error @below {{`audit.attack.shadows` cannot be 1; give 0, or 2 to 10000}}
module attributes {test.a = #spec.attack<lira_shadows = 1>} {}

// -----

// expected-error @below {{the audit's defenses are #spec.defense, not 3}}
module attributes {test.a = #spec.audit<nodes = 9, edges = 9, train_nodes_per_class = 1, test_nodes = 1, defenses = [3 : i64]>} {}

// -----

// expected-error @below {{`training.sampling.fan_out` cannot be 0; give whole numbers from 1 to 2147483647, or -1 for all edges}}
module attributes {test.a = #spec.sampling<fan_out = [25, 0], batch = 64>} {}

// -----

// expected-error @below {{`training.sampling.fan_out` is missing; give a number for each layer}}
module attributes {test.a = #spec.sampling<fan_out = [], batch = 64>} {}

// -----

// expected-error @below {{`training.sampling.batch` is missing; give a whole number from 1 to 16777216}}
module attributes {test.a = #spec.sampling<fan_out = [25]>} {}

// -----

// expected-error @below {{`training.sampling.batch` (64) is not `training.micro_batch` (32)}}
module attributes {test.a = #spec.specification<name = "x",
    model = #spec.gnn<nodes = 99, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 64, micro_batch = 32, steps = 1, optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1},
      sampling = <fan_out = [25], batch = 64>>>} {}

// -----

// expected-error @below {{`training.sampling` is for graph neural networks}}
module attributes {test.a = #spec.specification<name = "x",
    model = #spec.transformer<names = "gpt2", vocabulary = 256, hidden = 64, heads = 4, sequence_length = 32>,
    training = <global_batch = 64, micro_batch = 64, steps = 1, optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1},
      sampling = <fan_out = [25], batch = 64>>>} {}

// -----

// expected-error @below {{`audit.shadow.test_nodes` cannot be 0; give a whole number from 1 to 2147483647}}
module attributes {test.a = #spec.shadow<nodes = 7, edges = 0, train_nodes_per_class = 1, test_nodes = 0>} {}

// -----

// Where they stand.

// expected-error @below {{spec.specification must be a #spec.specification}}
module attributes {spec.specification = {name = "x"}} {
}

// -----

// expected-error @below {{spec.recomputed must be a #spec.recomputed}}
module attributes {spec.recomputed = 3} {
}

// -----

// expected-error @below {{spec.machine must be a #spec.machine}}
module attributes {spec.machine = {cores = 2}} {
}

// -----

// expected-error @below {{spec.audit must be a #spec.audit}}
module attributes {spec.audit = 3} {
}

// -----

// expected-error @below {{spec.generation must be a #spec.generation}}
module attributes {spec.generation = 3} {
}

// -----

// expected-error @below {{generation cannot have 0 slots}}
module attributes {spec.generation = #spec.generation<slots = 0, length = 4, chunk = 2>} {
}

// -----

// expected-error @below {{no attribute is named spec.training: a module has spec.specification, spec.machine, spec.audit, spec.generation and spec.recomputed}}
module attributes {spec.training = 3} {
}

// -----

// expected-error @below {{"spec.recomputed" is a module's attribute}}
func.func private @f() attributes {spec.recomputed = #spec.recomputed<segments = 0, whole = 0, cheap = 0>}
