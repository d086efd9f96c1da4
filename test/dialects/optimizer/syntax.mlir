// RUN: tessera-opt %s | tessera-opt | FileCheck %s

// CHECK: test.adam = #optimizer.adam<beta1 = 9.000000e-01 : f64, beta2 = 7.500000e-01 : f64, eps = 1.000000e-08 : f64>
// CHECK-SAME: test.adamw = #optimizer.adamw<beta1 = 9.000000e-01 : f64, beta2 = 7.500000e-01 : f64, eps = 1.000000e-08 : f64>
// CHECK-SAME: test.lion = #optimizer.lion<beta1 = 9.000000e-01 : f64, beta2 = 7.500000e-01 : f64>
// CHECK-SAME: test.nesterov = #optimizer.sgd<momentum = 9.000000e-01 : f64, nesterov = true>
// CHECK-SAME: test.plain = #optimizer.sgd<momentum = 0.000000e+00 : f64, nesterov = false>
// example: adamw
#adamw = #optimizer.adamw<beta1 = 0.9, beta2 = 0.75, eps = 1.0e-8>
// example end
// example: adam
#adam = #optimizer.adam<beta1 = 0.9, beta2 = 0.75, eps = 1.0e-8>
// example end
// example: sgd
#nesterov = #optimizer.sgd<momentum = 0.9, nesterov = true>
// example end
// example: lion
#lion = #optimizer.lion<beta1 = 0.9, beta2 = 0.75>
// example end
module attributes {
  test.adamw = #adamw,
  test.adam = #adam,
  test.plain = #optimizer.sgd<momentum = 0.0, nesterov = false>,
  test.nesterov = #nesterov,
  test.lion = #lion
} {
}
