// RUN: tessera-opt %s --split-input-file --verify-diagnostics

// Numbers beyond their limits, and what does not go together within a group.

// Ranges.

// expected-error @below {{`transformer.vocabulary` cannot be 0; give a whole number from 1 to 16777216}}
module attributes {test.a = #spec.transformer<names = "bloom", vocabulary = 0, hidden = 8, heads = 2, sequence_length = 8>} {}

// -----

// expected-error @below {{`transformer.hidden` cannot be -8; give a whole number from 1 to 131072}}
module attributes {test.a = #spec.transformer<names = "bloom", vocabulary = 8, hidden = -8, heads = 2, sequence_length = 8>} {}

// -----

// expected-error @below {{`transformer.heads` cannot be 0; give a whole number from 1 to 131072}}
module attributes {test.a = #spec.transformer<names = "bloom", vocabulary = 8, hidden = 8, heads = 0, sequence_length = 8>} {}

// -----

// expected-error @below {{`transformer.sequence_length` cannot be 16777217; give a whole number from 1 to 16777216}}
module attributes {test.a = #spec.transformer<names = "bloom", vocabulary = 8, hidden = 8, heads = 2, sequence_length = 16777217>} {}

// -----

// expected-error @below {{`gnn.nodes` cannot be -12; give a whole number from 1 to 2147483647}}
module attributes {test.a = #spec.gnn<nodes = -12, edges = 8, features = 8, classes = 8>} {}

// -----

// expected-error @below {{`gnn.edges` cannot be -1; give a whole number from 0 to 2147483647}}
module attributes {test.a = #spec.gnn<nodes = 8, edges = -1, features = 8, classes = 8>} {}

// -----

// expected-error @below {{`gnn.features` cannot be 0; give a whole number from 1 to 131072}}
module attributes {test.a = #spec.gnn<nodes = 8, edges = 8, features = 0, classes = 8>} {}

// -----

// expected-error @below {{`gnn.classes` cannot be 131073; give a whole number from 1 to 131072}}
module attributes {test.a = #spec.gnn<nodes = 8, edges = 8, features = 8, classes = 131073>} {}

// -----

// expected-error @below {{`training.global_batch` cannot be 0; give a whole number from 1 to 16777216}}
module attributes {test.a = #spec.training<global_batch = 0, micro_batch = 1, steps = 1, optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>} {}

// -----

// expected-error @below {{`training.micro_batch` cannot be 0; give a whole number from 1 to 16777216}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 0, steps = 1, optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>} {}

// -----

// expected-error @below {{`training.steps` cannot be 0; give a whole number from 1 to 1000000000000}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, steps = 0, optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>} {}

// -----

// expected-error @below {{`training.seed` cannot be -1; give a whole number from 0 to 9.0072e+15}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}, seed = -1>} {}

// -----

// expected-error @below {{`training.clip` cannot be -1; give a number not below 0}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}, clip = -1.0>} {}

// -----

// expected-error @below {{`training.clip` cannot be nan; give a number not below 0}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}, clip = 0x7FF8000000000000>} {}

// -----

// expected-error @below {{`training.clip` cannot be inf; give a number not below 0}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}, clip = 0x7FF0000000000000>} {}

// -----

// expected-error @below {{`training.max_skips` cannot be 0; give a whole number from 1 to 1000000000000}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}, max_skips = 0>} {}

// -----

// expected-error @below {{`training.memory_limit` cannot be -1; give a number of bytes}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}, memory_limit = -1>} {}

// -----

// The optimizer.

// expected-error @below {{`training.optimizer` is no dictionary: "adamw"}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, steps = 1, optimizer = "adamw">} {}

// -----

// expected-error @below {{`training.optimizer.kind` must be "adamw", "adam", "sgd", "lion" or an optimizer}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "lamb", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>} {}

// -----

// expected-error @below {{`training.optimizer.kind` must be "adamw", "adam", "sgd", "lion" or an optimizer}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, steps = 1, optimizer = {lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>} {}

// -----

// expected-error @below {{`training.optimizer.lr` must be an f64}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "adamw", beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>} {}

// -----

// expected-error @below {{`training.optimizer.beta1` must be an f64}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "adamw", lr = 1.0e-3, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>} {}

// -----

// expected-error @below {{`training.optimizer.beta2` must be an f64}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, eps = 1.0e-8, weight_decay = 0.1}>} {}

// -----

// expected-error @below {{`training.optimizer.eps` must be an f64}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, weight_decay = 0.1}>} {}

// -----

// expected-error @below {{`training.optimizer.weight_decay` must be an f64}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8}>} {}

// -----

// expected-error @below {{`training.optimizer.lr` must be an f64}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "adamw", lr = 1, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>} {}

// -----

// expected-error @below {{`training.optimizer` has no field "momentum"}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1, momentum = 0.9}>} {}

// -----

// expected-error @below {{`training.optimizer.lr` cannot be nan; give a number from 0 to 1000000}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "adamw", lr = 0x7FF8000000000000 : f64, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>} {}

// -----

// expected-error @below {{`training.optimizer.lr` cannot be inf; give a number from 0 to 1000000}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "adamw", lr = 0x7FF0000000000000 : f64, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>} {}

// -----

// expected-error @below {{`training.optimizer.beta1` cannot be 1; give a number from 0 to 0.999999}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 1.0, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>} {}

// -----

// expected-error @below {{`training.optimizer.beta2` cannot be -0.5; give a number from 0 to 0.999999}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = -0.5, eps = 1.0e-8, weight_decay = 0.1}>} {}

// -----

// expected-error @below {{`training.optimizer.eps` cannot be 0; give a number above 0 and up to 1}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 0.0, weight_decay = 0.1}>} {}

// -----

// expected-error @below {{`training.optimizer.weight_decay` cannot be -1; give a number from 0 to 1000000}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = -1.0}>} {}

// -----

// Parts of training.

// expected-error @below {{`training.schedule.warmup_steps` cannot be -1; give a whole number from 0 to 1000000000000}}
module attributes {test.a = #spec.schedule<warmup_steps = -1>} {}

// -----

// expected-error @below {{`training.schedule.decay_steps` cannot be 0; give a whole number from 1 to 1000000000000}}
module attributes {test.a = #spec.schedule<decay_steps = 0>} {}

// -----

// expected-error @below {{`training.schedule.min_lr` cannot be nan; give a number from 0 to 1000000}}
module attributes {test.a = #spec.schedule<min_lr = 0x7FF8000000000000>} {}

// -----

// expected-error @below {{`training.schedule.warmup_samples` cannot be -1; give a whole number from 0 to 1e+15}}
module attributes {test.a = #spec.schedule<warmup_samples = -1>} {}

// -----

// expected-error @below {{`training.schedule.decay_samples` cannot be 0; give a whole number from 1 to 1e+15}}
module attributes {test.a = #spec.schedule<decay_samples = 0>} {}

// -----

// expected-error @below {{`training.batch_ramp.start` cannot be 0; give a whole number from 1 to 16777216}}
module attributes {test.a = #spec.batch_ramp<start = 0, increment = 1, samples = 1>} {}

// -----

// expected-error @below {{`training.batch_ramp.increment` cannot be 0; give a whole number from 1 to 16777216}}
module attributes {test.a = #spec.batch_ramp<start = 1, increment = 0, samples = 1>} {}

// -----

// expected-error @below {{`training.batch_ramp.samples` cannot be 0; give a whole number from 1 to 1e+15}}
module attributes {test.a = #spec.batch_ramp<start = 1, increment = 1, samples = 0>} {}

// -----

// expected-error @below {{`training.precision.loss_scale.initial` cannot be 0.5; give a number from 1 to 1.7e+38}}
module attributes {test.a = #spec.loss_scale<initial = 0.5>} {}

// -----

// expected-error @below {{`training.precision.loss_scale.window` cannot be 0; give a whole number from 1 to 1000000000000}}
module attributes {test.a = #spec.loss_scale<window = 0>} {}

// -----

// expected-error @below {{`training.precision.loss_scale.hysteresis` cannot be 0; give a whole number from 1 to 1000000}}
module attributes {test.a = #spec.loss_scale<hysteresis = 0>} {}

// -----

// expected-error @below {{`training.precision.loss_scale.minimum` cannot be nan; give a number from 1 to 1.7e+38}}
module attributes {test.a = #spec.loss_scale<minimum = 0x7FF8000000000000>} {}

// -----

// expected-error @below {{`training.precision.loss_scale` goes with fp16, and `training.precision.compute` is fp32}}
module attributes {test.a = #spec.precision<loss_scale = <window = 3>>} {}

// -----

// expected-error @below {{`training.precision.loss_scale` goes with fp16, and `training.precision.compute` is fp16}}
module attributes {test.a = #spec.precision<compute = fp16>} {}

// -----

// expected-error @below {{`training.precision.gradients` cannot be bf16 where `training.precision.compute` is fp32}}
module attributes {test.a = #spec.precision<gradients = bf16>} {}

// -----

// Ranks and targets.

// expected-error @below {{`parallel.world` cannot be 0; give a whole number from 1 to 65536}}
module attributes {test.a = #spec.parallel<world = 0>} {}

// -----

// expected-error @below {{`parallel.zero_stage` cannot be 4; give a whole number from 0 to 3}}
module attributes {test.a = #spec.parallel<zero_stage = 4>} {}

// -----

// expected-error @below {{`parallel.prefetch` cannot be -1; give a whole number from 0 to 1000}}
module attributes {test.a = #spec.parallel<prefetch = -1>} {}

// -----

// expected-error @below {{`parallel.bucket_bytes` cannot be -1; give a whole number from 0 to 1000000000000}}
module attributes {test.a = #spec.parallel<bucket_bytes = -1>} {}

// -----

// expected-error @below {{`parallel.persistence_threshold` cannot be -1; give a whole number from 0 to 1000000000000}}
module attributes {test.a = #spec.parallel<persistence_threshold = -1>} {}

// -----

// expected-error @below {{`parallel.gather_bytes` cannot be -1; give a whole number from 0 to 1000000000000}}
module attributes {test.a = #spec.parallel<gather_bytes = -1>} {}

// -----

// expected-error @below {{`parallel.prefetch_bytes` cannot be -1; give a whole number from 0 to 1000000000000}}
module attributes {test.a = #spec.parallel<prefetch_bytes = -1>} {}

// -----

// expected-error @below {{`parallel.shard_ranks` cannot be 1; give a whole number from 2 to 65536}}
module attributes {test.a = #spec.parallel<shard_ranks = 1>} {}

// -----

// expected-error @below {{`parallel.secondary_ranks` cannot be 1; give a whole number from 2 to 65536}}
module attributes {test.a = #spec.parallel<secondary_ranks = 1>} {}

// -----

// expected-error @below {{`target.cpu.threads` cannot be -1; give a whole number from 0 to 4096}}
module attributes {test.a = #spec.cpu<threads = -1>} {}

// -----

// The machine.

// expected-error @below {{`machine.cores` cannot be -12; give a whole number from 1 to 4096}}
module attributes {test.a = #spec.machine<cores = -12>} {}

// -----

// expected-error @below {{`machine.ranks_per_node` cannot be 0; give a whole number from 1 to 65536}}
module attributes {test.a = #spec.machine<ranks_per_node = 0>} {}

// -----

// expected-error @below {{`machine.fp32_gflops` cannot be nan; give a number above 0 and up to 1000000000}}
module attributes {test.a = #spec.machine<fp32_gflops = 0x7FF8000000000000>} {}

// -----

// expected-error @below {{`machine.bf16_gflops` cannot be nan; give a number above 0 and up to 1000000000}}
module attributes {test.a = #spec.machine<bf16_gflops = 0x7FF8000000000000>} {}

// -----

// expected-error @below {{`machine.fp32_gemm_gflops` cannot be nan; give a number above 0 and up to 1000000000}}
module attributes {test.a = #spec.machine<fp32_gemm_gflops = 0x7FF8000000000000>} {}

// -----

// expected-error @below {{`machine.bf16_gemm_gflops` cannot be nan; give a number above 0 and up to 1000000000}}
module attributes {test.a = #spec.machine<bf16_gemm_gflops = 0x7FF8000000000000>} {}

// -----

// expected-error @below {{`machine.memory_gbytes` cannot be nan; give a number above 0 and up to 1000000000}}
module attributes {test.a = #spec.machine<memory_gbytes = 0x7FF8000000000000>} {}

// -----

// expected-error @below {{`machine.cache_gbytes` cannot be nan; give a number above 0 and up to 1000000000}}
module attributes {test.a = #spec.machine<cache_gbytes = 0x7FF8000000000000>} {}

// -----

// expected-error @below {{`machine.cache_mib` cannot be -1; give a number from 0 to 1000000000}}
module attributes {test.a = #spec.machine<cache_mib = -1.0>} {}

// -----

// expected-error @below {{`machine.launch_us` cannot be -1; give a number from 0 to 1000000}}
module attributes {test.a = #spec.machine<launch_us = -1.0>} {}

// -----

// expected-error @below {{`machine.inter_node.latency_us` cannot be inf; give a number from 0 to 1000000}}
module attributes {test.a = #spec.machine<inter_node = <latency_us = 0x7FF0000000000000>>} {}

// -----

// expected-error @below {{`machine.intra_node.gbytes` cannot be 0; give a number above 0 and up to 1000000000}}
module attributes {test.a = #spec.machine<intra_node = <gbytes = 0.0>>} {}

// -----

// expected-error @below {{`machine.intra_node.latency_us` cannot be -1; give a number from 0 to 1000000}}
module attributes {test.a = #spec.machine<intra_node = <latency_us = -1.0>>} {}

// -----

// expected-error @below {{`machine.inter_node.gbytes` cannot be nan; give a number above 0 and up to 1000000000}}
module attributes {test.a = #spec.machine<inter_node = <gbytes = 0x7FF8000000000000>>} {}

// -----

// expected-error @below {{`training.optimizer.momentum` cannot be 1; give a number from 0 to 0.999999}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "sgd", lr = 1.0e-3, momentum = 1.0, nesterov = false, weight_decay = 0.1}>} {}

// -----

// expected-error @below {{nesterov needs a momentum above 0}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "sgd", lr = 1.0e-3, momentum = 0.0, nesterov = true, weight_decay = 0.1}>} {}

// -----

// expected-error @below {{`training.optimizer.groups` is no list: "w"}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "sgd", lr = 1.0e-3, momentum = 0.9, nesterov = false, weight_decay = 0.1, groups = "w"}>} {}

// -----

// expected-error @below {{`training.optimizer.groups[0].match` must be a text}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "sgd", lr = 1.0e-3, momentum = 0.9, nesterov = false, weight_decay = 0.1, groups = [{lr_scale = 1.0}]}>} {}

// -----

// expected-error @below {{`training.optimizer.groups[1].match` is "(", which is no regular expression: parentheses not balanced}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "sgd", lr = 1.0e-3, momentum = 0.9, nesterov = false, weight_decay = 0.1, groups = [{match = "w"}, {match = "("}]}>} {}

// -----

// expected-error @below {{`training.optimizer.groups[0].lr_scale` must be an f64}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "sgd", lr = 1.0e-3, momentum = 0.9, nesterov = false, weight_decay = 0.1, groups = [{match = "w", lr_scale = 1}]}>} {}

// -----

// expected-error @below {{`training.optimizer.groups[0].weight_decay` is 0x7FF8000000000000 : f64: it must be finite and not below 0}}
module attributes {test.a = #spec.training<global_batch = 1, micro_batch = 1, steps = 1, optimizer = {kind = "sgd", lr = 1.0e-3, momentum = 0.9, nesterov = false, weight_decay = 0.1, groups = [{match = "w", weight_decay = 0x7FF8000000000000 : f64}]}>} {}
