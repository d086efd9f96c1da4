// RUN: tessera-opt %s --plan-layout | FileCheck %s
// RUN: tessera-opt %s --plan-layout=heuristic=first-use | FileCheck %s --check-prefix=FIRST
// RUN: not tessera-opt %s --plan-layout=heuristic=luck 2>&1 | FileCheck %s --check-prefix=LUCK

// LUCK: error: no heuristic is named 'luck': use one of size, area, lifetime, first-use, last-use

// Three buffers of a chain need only the room of two. The biggest is placed
// first, at the bottom; placed by first use, the small one takes the bottom and
// leaves a gap that is too small for the last one.

// CHECK: plan.program @chain {{.*}} arena 512 memory {activations = 384 : i64
// FIRST: plan.program @chain {{.*}} arena 576 memory
plan.program @chain world 1 stage 0 accumulation 1 arena 576
    memory {activations = 448 : i64, parameters = 128 : i64} flops 0 {
  // CHECK: plan.buffer "p" parameters at 0 persistent
  %p = plan.buffer "p" parameters at 0 persistent : memref<128xi8>
  // CHECK: plan.buffer "a" activations at 384 live [0, 1] : memref<64xi8>
  // FIRST: plan.buffer "a" activations at 128 live [0, 1] : memref<64xi8>
  %a = plan.buffer "a" activations at 128 live [0, 3] : memref<64xi8>
  // CHECK: plan.buffer "b" activations at 128 live [1, 2] : memref<256xi8>
  // FIRST: plan.buffer "b" activations at 192 live [1, 2] : memref<256xi8>
  %b = plan.buffer "b" activations at 192 live [0, 3] : memref<256xi8>
  // CHECK: plan.buffer "c" activations at 384 live [2, 3] : memref<128xi8>
  // FIRST: plan.buffer "c" activations at 448 live [2, 3] : memref<128xi8>
  %c = plan.buffer "c" activations at 448 live [0, 3] : memref<128xi8>
  %av = plan.view %a at 0 : memref<64xi8> -> memref<16xf32>
  %bv = plan.view %b at 0 : memref<256xi8> -> memref<64xf32>
  %b0 = plan.view %b at 0 : memref<256xi8> -> memref<16xf32>
  %b1 = plan.view %b at 128 : memref<256xi8> -> memref<32xf32>
  %cv = plan.view %c at 0 : memref<128xi8> -> memref<32xf32>
  plan.section "run"
  plan.clear %av : memref<16xf32>
  plan.copy %av to %b0 : memref<16xf32>
  plan.copy %b1 to %cv : memref<32xf32>
  plan.clear %cv : memref<32xf32>
}

// The fence of a collective stands before the first step that writes where
// peers may still read: "late" takes the memory of "source".

// CHECK: plan.program @fence
// CHECK: plan.buffer "source" communication at 128 live [0, 4] : memref<64xi8>
// CHECK: plan.buffer "late" communication at 128 live [5, 5] : memref<64xi8>
plan.program @fence world 2 stage 0 accumulation 1 arena 256
    memory {communication = 128 : i64, workspace = 128 : i64} flops 0 {
  %w = plan.buffer "w" workspace at 0 persistent : memref<128xi8>
  %s = plan.buffer "source" communication at 128 live [0, 5] : memref<64xi8>
  %l = plan.buffer "late" communication at 192 live [0, 5] : memref<64xi8>
  %sv = plan.view %s at 0 : memref<64xi8> -> memref<f64>
  %wv = plan.view %w at 0 : memref<128xi8> -> memref<f64>
  %xv = plan.view %w at 64 : memref<128xi8> -> memref<f64>
  %lv = plan.view %l at 0 : memref<64xi8> -> memref<f64>
  plan.section "run"
  plan.clear %sv : memref<f64>
  // CHECK: %[[T:.*]] = plan.start all_reduce
  %t = plan.start all_reduce from %sv to %wv : memref<f64>, memref<f64>
  // CHECK-NEXT: plan.wait %[[T]]
  plan.wait %t
  plan.fence %t
  // CHECK-NEXT: plan.clear
  plan.clear %xv : memref<f64>
  // CHECK-NEXT: plan.fence %[[T]]
  // CHECK-NEXT: plan.clear
  plan.clear %lv : memref<f64>
}

// Two buckets are enough: the wait for the first one moves before the first
// write to the third one, which takes its memory.

// CHECK: plan.program @buckets {{.*}} memory {activations = 0 : i64, communication = 256 : i64
// CHECK: plan.buffer "b0" communication at [[PLACE:[0-9]+]] live
// CHECK: plan.buffer "b1" communication at {{[0-9]+}} live
// CHECK: plan.buffer "b2" communication at [[PLACE]] live
plan.program @buckets world 2 stage 2 accumulation 1 arena 576
    memory {communication = 384 : i64, gradients = 192 : i64} flops 0 {
  %g = plan.buffer "g" gradients at 0 persistent : memref<192xi8>
  %b0 = plan.buffer "b0" communication at 192 live [0, 11] : memref<128xi8>
  %b1 = plan.buffer "b1" communication at 320 live [0, 11] : memref<128xi8>
  %b2 = plan.buffer "b2" communication at 448 live [0, 11] : memref<128xi8>
  %g0 = plan.view %g at 0 : memref<192xi8> -> memref<16xf32>
  %g1 = plan.view %g at 64 : memref<192xi8> -> memref<16xf32>
  %g2 = plan.view %g at 128 : memref<192xi8> -> memref<16xf32>
  %v0 = plan.view %b0 at 0 : memref<128xi8> -> memref<32xf32>
  %v1 = plan.view %b1 at 0 : memref<128xi8> -> memref<32xf32>
  %v2 = plan.view %b2 at 0 : memref<128xi8> -> memref<32xf32>
  plan.section "micro"
  plan.clear %v0 : memref<32xf32>
  // CHECK: %[[T0:.*]] = plan.start reduce_scatter @g0
  %t0 = plan.start reduce_scatter @g0 from %v0 to %g0 : memref<32xf32>, memref<16xf32>
  // CHECK-NEXT: plan.clear
  plan.clear %v1 : memref<32xf32>
  // CHECK-NEXT: %[[T1:.*]] = plan.start reduce_scatter @g1
  %t1 = plan.start reduce_scatter @g1 from %v1 to %g1 : memref<32xf32>, memref<16xf32>
  // CHECK-NEXT: plan.wait %[[T0]]
  // CHECK-NEXT: plan.fence %[[T0]]
  // CHECK-NEXT: plan.clear
  plan.clear %v2 : memref<32xf32>
  // CHECK-NEXT: %[[T2:.*]] = plan.start reduce_scatter @g2
  %t2 = plan.start reduce_scatter @g2 from %v2 to %g2 : memref<32xf32>, memref<16xf32>
  // CHECK-NEXT: plan.wait %[[T1]]
  // CHECK-NEXT: plan.wait %[[T2]]
  plan.wait %t0
  plan.fence %t0
  plan.wait %t1
  plan.fence %t1
  plan.wait %t2
  plan.fence %t2
}

// A bucket takes the place of activations that are dead when it is filled. The
// categories count what lives when most does: at steps 0 and 1 the activation.

// CHECK: plan.program @shared {{.*}} arena 320 memory {activations = 256 : i64, communication = 0 : i64, gradients = 64 : i64
// CHECK: plan.buffer "a" activations at 64 live [0, 1] : memref<256xi8>
// CHECK: plan.buffer "b" communication at 64 live [2, 5] : memref<128xi8>
plan.program @shared world 2 stage 2 accumulation 1 arena 448
    memory {activations = 256 : i64, communication = 128 : i64, gradients = 64 : i64} flops 0 {
  %g = plan.buffer "g" gradients at 0 persistent : memref<64xi8>
  %a = plan.buffer "a" activations at 64 live [0, 5] : memref<256xi8>
  %b = plan.buffer "b" communication at 320 live [0, 5] : memref<128xi8>
  %gv = plan.view %g at 0 : memref<64xi8> -> memref<16xf32>
  %av = plan.view %a at 0 : memref<256xi8> -> memref<64xf32>
  %bv = plan.view %b at 0 : memref<128xi8> -> memref<32xf32>
  plan.section "micro"
  plan.clear %av : memref<64xf32>
  plan.clear %av : memref<64xf32>
  plan.clear %bv : memref<32xf32>
  %t = plan.start reduce_scatter @g from %bv to %gv : memref<32xf32>, memref<16xf32>
  plan.wait %t
  plan.fence %t
}

// A program within another has its parameters, and inputs that are filled once, where
// the other has them, and what it uses for a while behind what the other keeps. What it
// keeps itself lies where the other writes nothing; an input that it does not read takes
// the place of the other's.

// CHECK: plan.program @train {{.*}} arena 512 memory {activations = 64 : i64
// FIRST: plan.program @train
plan.program @train world 1 stage 0 accumulation 1 arena 512
    memory {activations = 64 : i64, optimizer = 256 : i64, parameters = 128 : i64, workspace = 64 : i64} flops 0 {
  // CHECK: plan.buffer "p" parameters at 0 persistent
  %p = plan.buffer "p" parameters at 0 persistent : memref<128xi8>
  // CHECK: plan.buffer "m" optimizer at 128 persistent
  %m = plan.buffer "m" optimizer at 128 persistent : memref<256xi8>
  // CHECK: plan.buffer "x" workspace at 384 persistent
  %x = plan.buffer "x" workspace at 448 persistent : memref<64xi8>
  // CHECK: plan.buffer "a" activations at 448 live [0, 0] : memref<64xi8>
  %a = plan.buffer "a" activations at 384 live [0, 0] : memref<64xi8>
  plan.state parameter @g %p : memref<128xi8>
  %xv = plan.view %x at 0 : memref<64xi8> -> memref<16xf32>
  plan.input "x" %xv when "load" : memref<16xf32>
  %av = plan.view %a at 0 : memref<64xi8> -> memref<16xf32>
  plan.section "run"
  plan.clear %av : memref<16xf32>
}

// CHECK: plan.program @validate {{.*}} arena 704 memory {activations = 192 : i64{{.*}}workspace = 128 : i64} flops 0 attributes {plan.within = @train}
plan.program @validate world 1 stage 0 accumulation 1 arena 448
    memory {activations = 192 : i64, parameters = 128 : i64, workspace = 128 : i64} flops 0
    attributes {plan.within = @train} {
  // CHECK: plan.buffer "p" parameters at 0 persistent
  %p = plan.buffer "p" parameters at 0 persistent : memref<128xi8>
  // CHECK: plan.buffer "a" activations at 448 live [0, 0] : memref<192xi8>
  %a = plan.buffer "a" activations at 128 live [0, 0] : memref<192xi8>
  // CHECK: plan.buffer "x" workspace at 384 persistent
  %x = plan.buffer "x" workspace at 320 live [0, 0] : memref<64xi8>
  // CHECK: plan.buffer "y" workspace at 640 persistent
  %y = plan.buffer "y" workspace at 384 persistent : memref<64xi8>
  plan.state parameter @g %p : memref<128xi8>
  %xv = plan.view %x at 0 : memref<64xi8> -> memref<16xf32>
  plan.input "x" %xv when "load" : memref<16xf32>
  %yv = plan.view %y at 0 : memref<64xi8> -> memref<16xf32>
  plan.input "y" %yv when "load" : memref<16xf32>
  %av = plan.view %a at 0 : memref<192xi8> -> memref<48xf32>
  plan.section "run"
  plan.clear %av : memref<48xf32>
}
