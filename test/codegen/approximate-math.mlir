// RUN: tessera-opt %s --math-approximate | FileCheck %s

// An exponential becomes a polynomial, lane by lane.
// CHECK-LABEL: func.func @exp
// CHECK-NOT:     math.exp
// CHECK:         math.fma {{.*}} : vector<16xf32>
// CHECK:         return
func.func @exp(%x: vector<16xf32>) -> vector<16xf32> {
  %y = math.exp %x : vector<16xf32>
  return %y : vector<16xf32>
}

// In double precision it stays a call of the C library.
// CHECK-LABEL: func.func @wide
// CHECK:         math.exp {{.*}} : f64
func.func @wide(%x: f64) -> f64 {
  %y = math.exp %x : f64
  return %y : f64
}
