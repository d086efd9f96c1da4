// RUN: tessera-opt %s --nn-differentiate="accumulation=1 max-norm=0" --canonicalize --cse --nn-recompute="whole=9" --canonicalize --cse | FileCheck %s
// RUN: tessera-opt %s --nn-differentiate="accumulation=1 max-norm=0" --canonicalize --cse --nn-recompute="whole=0 cheap=9" --canonicalize --cse | FileCheck %s --check-prefix=CHEAP
// RUN: tessera-opt %s --nn-differentiate="accumulation=1 max-norm=0" --canonicalize --cse --nn-recompute="whole=1 cheap=2" | FileCheck %s --check-prefix=BOTH
// RUN: tessera-opt %s --nn-differentiate="accumulation=1 max-norm=0" --canonicalize --cse --nn-recompute | FileCheck %s --check-prefix=NONE
// RUN: tessera-opt %s --nn-differentiate="accumulation=4 max-norm=0" --canonicalize --cse --nn-recompute="whole=9" | FileCheck %s --check-prefix=ACCUMULATE

// Three layers of a matmul and an activation. Each one's input is read by the
// next one's matmul, so it is kept; what lies between is recomputed. The
// last layer ends in the loss: its backward pass follows at once.
nn.parameter @"h.0.up" : tensor<8x32xf32> init normal(0.02) decay group "h.0"
nn.parameter @"h.0.down" : tensor<32x8xf32> init normal(0.02) decay group "h.0"
nn.parameter @"h.1.up" : tensor<8x32xf32> init normal(0.02) decay group "h.1"
nn.parameter @"h.1.down" : tensor<32x8xf32> init normal(0.02) decay group "h.1"
nn.parameter @"h.2.up" : tensor<8x32xf32> init normal(0.02) decay group "h.2"

func.func @objective(%x0: tensor<16x8xf32> {nn.input = "x"})
    -> (tensor<f32> {nn.output = "loss"}) {
  %up0 = nn.get_parameter @"h.0.up" : tensor<8x32xf32>
  %down0 = nn.get_parameter @"h.0.down" : tensor<32x8xf32>
  %up1 = nn.get_parameter @"h.1.up" : tensor<8x32xf32>
  %down1 = nn.get_parameter @"h.1.down" : tensor<32x8xf32>
  %up2 = nn.get_parameter @"h.2.up" : tensor<8x32xf32>
  %a0 = nn.matmul %x0, %up0 : tensor<16x8xf32>, tensor<8x32xf32> -> tensor<16x32xf32>
  %y0 = nn.gelu %a0 : tensor<16x32xf32>
  %x1 = nn.matmul %y0, %down0 : tensor<16x32xf32>, tensor<32x8xf32> -> tensor<16x8xf32>
  %a1 = nn.matmul %x1, %up1 : tensor<16x8xf32>, tensor<8x32xf32> -> tensor<16x32xf32>
  %y1 = nn.gelu %a1 : tensor<16x32xf32>
  %x2 = nn.matmul %y1, %down1 : tensor<16x32xf32>, tensor<32x8xf32> -> tensor<16x8xf32>
  %a2 = nn.matmul %x2, %up2 : tensor<16x8xf32>, tensor<8x32xf32> -> tensor<16x32xf32>
  %y2 = nn.gelu %a2 : tensor<16x32xf32>
  %loss = nn.reduce sum %y2 dims [0, 1] : tensor<16x32xf32> -> tensor<f32>
  return %loss : tensor<f32>
}

func.func @eval(%x0: tensor<16x8xf32> {nn.input = "x"})
    -> (tensor<16x8xf32> {nn.output = "y"}) {
  %up0 = nn.get_parameter @"h.0.up" : tensor<8x32xf32>
  %down0 = nn.get_parameter @"h.0.down" : tensor<32x8xf32>
  %a0 = nn.matmul %x0, %up0 : tensor<16x8xf32>, tensor<8x32xf32> -> tensor<16x32xf32>
  %y0 = nn.gelu %a0 : tensor<16x32xf32>
  %x1 = nn.matmul %y0, %down0 : tensor<16x32xf32>, tensor<32x8xf32> -> tensor<16x8xf32>
  return %x1 : tensor<16x8xf32>
}

// CHECK-LABEL: func.func @train
// CHECK-SAME:    (%[[X0:.*]]: tensor<16x8xf32> {nn.input = "x"}
// CHECK-DAG:     %[[UP0:.*]] = nn.get_parameter @h.0.up
// CHECK-DAG:     %[[UP1:.*]] = nn.get_parameter @h.1.up
// CHECK:         %[[A0:.*]] = nn.matmul %[[X0]], %[[UP0]] :
// CHECK-NEXT:    %[[Y0:.*]] = nn.gelu %[[A0]]
// CHECK-NEXT:    %[[X1:.*]] = nn.matmul %[[Y0]]
// CHECK-NEXT:    %[[A1:.*]] = nn.matmul %[[X1]], %[[UP1]] :
// CHECK-NEXT:    %[[Y1:.*]] = nn.gelu %[[A1]]
// CHECK-NEXT:    %[[X2:.*]] = nn.matmul %[[Y1]]
// The backward pass of h.2, which nothing is recomputed for.
// CHECK-NOT:     nn.checkpoint %{{.*}} of "h.2"
// CHECK-NOT:     %[[Y1]]
// CHECK:         %[[KEPT1:.*]] = nn.checkpoint %[[X1]] of "h.1"
// CHECK-NEXT:    %[[A1B:.*]] = nn.matmul %[[KEPT1]], %[[UP1]] :
// CHECK-NEXT:    %[[Y1B:.*]] = nn.gelu %[[A1B]]
// CHECK-NEXT:    nn.matmul %[[Y1B]], %{{.*}} transpose_a
// CHECK-NOT:     %[[A1]]{{[ ,]}}
// The input's own gradient needs the kept value itself.
// CHECK:         nn.matmul %[[X1]], %{{.*}} transpose_a
// CHECK:         %[[KEPT0:.*]] = nn.checkpoint %[[X0]] of "h.0"
// CHECK-NEXT:    %[[A0B:.*]] = nn.matmul %[[KEPT0]], %[[UP0]] :
// CHECK-NEXT:    %[[Y0B:.*]] = nn.gelu %[[A0B]]
// CHECK-NEXT:    nn.matmul %[[Y0B]], %{{.*}} transpose_a
// CHECK:         nn.section "reduce"

// Nothing is recomputed where nothing is trained.
// CHECK-LABEL: func.func @eval
// CHECK-NOT:     nn.checkpoint

// The matmuls' results are kept, what an activation makes of them is not.
// CHEAP-LABEL: func.func @train
// CHEAP:         %[[A0:.*]] = nn.matmul
// CHEAP-NEXT:    %[[Y0:.*]] = nn.gelu %[[A0]]
// CHEAP-NEXT:    nn.matmul %[[Y0]]
// CHEAP-NEXT:    %[[A1:.*]] = nn.matmul
// CHEAP-NEXT:    %[[Y1:.*]] = nn.gelu %[[A1]]
// CHEAP-NEXT:    nn.matmul %[[Y1]]
// CHEAP:         %[[KEPT1:.*]] = nn.checkpoint %[[A1]] of "h.1"
// CHEAP-NEXT:    %[[Y1B:.*]] = nn.gelu %[[KEPT1]]
// CHEAP-NEXT:    nn.matmul %[[Y1B]], %{{.*}} transpose_a
// CHEAP:         %[[KEPT0:.*]] = nn.checkpoint %[[A0]] of "h.0"
// CHEAP-NEXT:    %[[Y0B:.*]] = nn.gelu %[[KEPT0]]
// CHEAP-NEXT:    nn.matmul %[[Y0B]], %{{.*}} transpose_a

// BOTH-LABEL: func.func @train
// BOTH:         %[[KEPT1:.*]] = nn.checkpoint %{{.*}} of "h.1" : tensor<16x32xf32>
// BOTH-NEXT:    nn.gelu %[[KEPT1]]
// BOTH:         %[[KEPT0:.*]] = nn.checkpoint %{{.*}} of "h.0" : tensor<16x8xf32>
// BOTH-NEXT:    nn.matmul %[[KEPT0]]

// NONE-NOT: nn.checkpoint

// ACCUMULATE-LABEL: func.func @train
// ACCUMULATE:         nn.checkpoint %{{.*}} of "h.1"
// ACCUMULATE:         nn.checkpoint %{{.*}} of "h.0"
