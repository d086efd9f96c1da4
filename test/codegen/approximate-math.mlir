// RUN: tessera-opt %s --math-approximate | FileCheck %s

// An exponential becomes a polynomial, lane by lane.
// CHECK-LABEL: func.func @exp
// CHECK-NOT: math.exp
func.func @exp(%x: vector<16xf32>) -> vector<16xf32> {
  // example: polynomial
  // CHECK: %[[K:[^ ]+]] = math.floor %[[SCALED:[^ ]+]] : vector<16xf32>
  // ...
  // CHECK: %[[P:[^ ]+]] = math.fma %[[R:[^ ]+]], %[[C5:[^ ]+]], %[[C4:[^ ]+]] : vector<16xf32>
  // ...
  // example end
  // CHECK-NOT: math.exp
  // CHECK: return
  // example: exp
  %y = math.exp %x : vector<16xf32>
  // example end
  return %y : vector<16xf32>
}

// In double precision it stays a call of the C library.
// CHECK-LABEL: func.func @wide
// CHECK:         math.exp {{.*}} : f64
func.func @wide(%x: f64) -> f64 {
  %y = math.exp %x : f64
  return %y : f64
}
