// RUN: tessera-opt %s --cuda-lower-math | FileCheck %s

// The example of the pass: a square root.

func.func @root(%x: f32) -> f32 {
  // example: sqrt
  %y = math.sqrt %x : f32
  // example end
  return %y : f32
}

// CHECK-LABEL: func.func @root(
// CHECK-SAME: %[[X:[^ :,]+]]: f32

// example: sqrt
// CHECK: %[[Y:[^ :,]+]] = llvm.call_intrinsic "llvm.sqrt"(%[[X]]) : (f32) -> f32
// example end
