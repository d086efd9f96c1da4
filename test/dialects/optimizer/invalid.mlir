// RUN: tessera-opt %s --split-input-file --verify-diagnostics

// expected-error @below {{beta1 is 1.000000e+00 : f64: an f64 from 0 to below 1 is wanted}}
module attributes {test.a = #optimizer.adamw<beta1 = 1.0, beta2 = 0.9, eps = 1.0e-8>} {}

// -----

// expected-error @below {{beta2 is 0x7FF8000000000000 : f64: an f64 from 0 to below 1 is wanted}}
module attributes {test.a = #optimizer.adamw<beta1 = 0.9, beta2 = 0x7FF8000000000000 : f64, eps = 1.0e-8>} {}

// -----

// expected-error @below {{eps is 0.000000e+00 : f64: a finite f64 above 0 is wanted}}
module attributes {test.a = #optimizer.adam<beta1 = 0.9, beta2 = 0.9, eps = 0.0>} {}

// -----

// expected-error @below {{eps is 0x7FF0000000000000 : f64: a finite f64 above 0 is wanted}}
module attributes {test.a = #optimizer.adam<beta1 = 0.9, beta2 = 0.9, eps = 0x7FF0000000000000 : f64>} {}

// -----

// expected-error @below {{beta1 is 0.899999976 : f32: an f64 from 0 to below 1 is wanted}}
module attributes {test.a = #optimizer.lion<beta1 = 0.9 : f32, beta2 = 0.9>} {}

// -----

// expected-error @below {{momentum is -1.000000e-01 : f64: an f64 from 0 to below 1 is wanted}}
module attributes {test.a = #optimizer.sgd<momentum = -0.1, nesterov = false>} {}

// -----

// expected-error @below {{nesterov needs a momentum above 0}}
module attributes {test.a = #optimizer.sgd<momentum = 0.0, nesterov = true>} {}
