// RUN: tessera-opt %s --split-input-file | tessera-opt --split-input-file | FileCheck %s

// All that a specification can say.

// CHECK:      spec.recomputed = #spec.recomputed<segments = 3, whole = 1, cheap = 2>
// CHECK-SAME: spec.specification = #spec.specification<name = "whole",
// CHECK-SAME: model = #spec.transformer<names = "gpt2", vocabulary = 256, hidden = 64, heads = 4, sequence_length = 32>,
// CHECK-SAME: training = <global_batch = 16, micro_batch = 2, steps = 100, seed = 7, clip = 1.000000e+00,
// CHECK-SAME: optimizer = {beta1 = 9.000000e-01 : f64, {{.*}}lr = 1.000000e-03 : f64, weight_decay = 1.000000e-01 : f64},
// CHECK-SAME: schedule = <kind = cosine, decay_steps = 90, min_lr = 1.000000e-04, warmup_samples = 8, decay_samples = 900>,
// CHECK-SAME: recompute = auto, memory_limit = 24000000000, batch_ramp = <start = 4, increment = 4, samples = 1000>,
// CHECK-SAME: non_finite = skip, max_skips = 3,
// CHECK-SAME: precision = <compute = fp16, gradients = fp16, loss_scale = <initial = 1.024000e+03, minimum = 5.000000e+00>>>,
// CHECK-SAME: parallel = <world = 4, zero_stage = 3, prefetch = 2, bucket_bytes = 1000, persistence_threshold = 10, gather_bytes = 500, prefetch_bytes = 2000, shard_ranks = 2, secondary_ranks = 2, quantized_gathers = true, offload = optimizer>,
// CHECK-SAME: target = #spec.cuda<arch = "sm_80", gelu_epilogue = true>,
// CHECK-SAME: tied = {lm_head.weight = "wte.weight"}, fingerprint = {transformer.heads = "4"},
// CHECK-SAME: config = [{decides = true, names = ["n_head", "num_attention_heads"], value = 4 : i64}],
// CHECK-SAME: tokenizer = "tokenizer.json">
module attributes {
  spec.specification = #spec.specification<
    name = "whole",
    model = #spec.transformer<names = "gpt2", vocabulary = 256, hidden = 64, heads = 4, sequence_length = 32>,
    training = <global_batch = 16, micro_batch = 2, steps = 100, seed = 7, clip = 1.0,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1},
      schedule = <kind = cosine, decay_steps = 90, min_lr = 1.0e-4, warmup_samples = 8, decay_samples = 900>,
      recompute = auto, memory_limit = 24000000000,
      batch_ramp = <start = 4, increment = 4, samples = 1000>, non_finite = skip, max_skips = 3,
      precision = <compute = fp16, gradients = fp16, loss_scale = <initial = 1024.0, minimum = 5.0>>>,
    parallel = <world = 4, zero_stage = 3, prefetch = 2, bucket_bytes = 1000, persistence_threshold = 10,
      gather_bytes = 500, prefetch_bytes = 2000, shard_ranks = 2, secondary_ranks = 2,
      quantized_gathers = true, offload = optimizer>,
    target = #spec.cuda<arch = "sm_80", gelu_epilogue = true>,
    tied = {lm_head.weight = "wte.weight"}, fingerprint = {transformer.heads = "4"},
    config = [{names = ["n_head", "num_attention_heads"], value = 4, decides = true}],
    tokenizer = "tokenizer.json">,
  spec.recomputed = #spec.recomputed<segments = 3, whole = 1, cheap = 2>} {
}

// -----

// A graph's neighbourhoods are sampled.

// CHECK: training = <global_batch = 128, micro_batch = 64,
// CHECK-SAME: sampling = <fan_out = [25, -1], batch = 64, replace = true>>
module attributes {
  spec.specification = #spec.specification<
    name = "sampled",
    model = #spec.gnn<layer = "sage", nodes = 800, edges = 900, features = 4, classes = 2>,
    training = <global_batch = 128, micro_batch = 64, steps = 100,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1},
      sampling = <fan_out = [25, -1], batch = 64, replace = true>>> } {
}

// -----

// What is left out has its default, and is left out again.

// CHECK:      #spec.specification<name = "least",
// CHECK-SAME: model = #spec.gnn<nodes = 8, edges = 0, features = 4, classes = 2>,
// CHECK-SAME: training = <global_batch = 1, micro_batch = 1, steps = 1,
// CHECK-SAME: optimizer = {{.*}} : f64}>>} {
module attributes {spec.specification = #spec.specification<
    training = <steps = 1, micro_batch = 1, global_batch = 1, clip = 0.0, seed = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1},
      precision = <compute = fp32>, schedule = <warmup_steps = 0>>,
    name = "least", parallel = <world = 1>, target = #spec.cpu<name = "native">,
    model = #spec.gnn<nodes = 8, edges = 0, features = 4, classes = 2, layer = "gcn", self_loops = true,
      normalization = symmetric>>} {
}

// -----

// A target without fields, and one that nobody has registered.

// CHECK: target = #spec.target<"abacus">
module attributes {spec.specification = #spec.specification<
    name = "counts", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>,
    target = #spec.target<"abacus">>} {
}

// -----

// What is known of a machine, and nothing.

// CHECK: module attributes {spec.machine = #spec.machine<name = "m", cores = 2, memory_gbytes = 1.050000e+01, intra_node = <latency_us = 1.000000e+00, overlaps_compute = true>, inter_node = <gbytes = 3.000000e+00>>}
module attributes {spec.machine = #spec.machine<
    name = "m", cores = 2, memory_gbytes = 10.5, inter_node = <gbytes = 3.0>,
    intra_node = <latency_us = 1.0, overlaps_compute = true>>} {
}

// -----

// CHECK: module attributes {spec.machine = #spec.machine}
module attributes {spec.machine = #spec.machine} {
}

// An audit, with what has a default left out.

// CHECK: module attributes {spec.audit = #spec.audit<setting = tsts, nodes = 9, edges = 20, train_nodes_per_class = 2, test_nodes = 3, attack = <epochs = 5>, defenses = [#spec.defense<kind = lbp, bins = 2, beta = 5.000000e-01>]>}
module attributes {spec.audit = #spec.audit<
    setting = tsts, query = matched, nodes = 9, edges = 20,
    train_nodes_per_class = 2, test_nodes = 3, attack = <epochs = 5, batch = 32>,
    defenses = [#spec.defense<kind = lbp, bins = 2, beta = 0.5>]>} {}

// The shadow's own graph.

// CHECK: module attributes {spec.audit = #spec.audit<nodes = 9, edges = 20, train_nodes_per_class = 2, test_nodes = 3, shadow = <nodes = 7, edges = 0, train_nodes_per_class = 1, test_nodes = 2>>}
module attributes {spec.audit = #spec.audit<
    nodes = 9, edges = 20, train_nodes_per_class = 2, test_nodes = 3,
    shadow = <nodes = 7, edges = 0, train_nodes_per_class = 1, test_nodes = 2>>} {}

// CHECK: #spec.transformer<names = "llama", vocabulary = 256, hidden = 64, heads = 4, head_dim = 32, sequence_length = 32, frequencies = [1.000000e+00, 1.000000e-02], rotary_factor = 1.250000e+00>
module @rotary attributes {
  test.model = #spec.transformer<names = "llama", vocabulary = 256, hidden = 64, heads = 4, head_dim = 32,
                                 sequence_length = 32, frequencies = [1.0, 0.01], rotary_factor = 1.25>} {
}

// A model that generates.

// CHECK: module attributes {spec.generation = #spec.generation<slots = 8, length = 1024, chunk = 128>}
// example: generation
#generation = #spec.generation<slots = 8, length = 1024, chunk = 128>
// example end
module attributes {spec.generation = #generation} {}

// -----

// A Transformer's training on two ranks.

// CHECK: spec.specification = #spec.specification<name = "tiny", model = #spec.transformer<{{.*}}>, training = <{{.*}}>, parallel = <world = 2, zero_stage = 3>, target = #spec.cpu<threads = 4>>
// example: specification
module attributes {spec.specification = #spec.specification<
    name = "tiny",
    model = #spec.transformer<names = "bloom", vocabulary = 256, hidden = 64,
                              heads = 4, sequence_length = 32>,
    training = <global_batch = 8, micro_batch = 4, steps = 10,
                optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9,
                             beta2 = 0.999, eps = 1.0e-8,
                             weight_decay = 0.0}>,
    parallel = <world = 2, zero_stage = 3>,
    target = #spec.cpu<threads = 4>>} {
}
// example end
