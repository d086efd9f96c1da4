// RUN: tessera-opt %s --split-input-file --verify-diagnostics

// Parameters.

// expected-error @below {{type must be a floating-point tensor of static shape, but is 'tensor<?xf32>'}}
nn.parameter @w : tensor<?xf32> init constant(0.0) group "g"

// -----

// expected-error @below {{type must be a floating-point tensor of static shape, but is 'tensor<4xi32>'}}
nn.parameter @w : tensor<4xi32> init constant(0.0) group "g"

// -----

func.func @f() {
  // expected-error @below {{no nn.parameter is named @w}}
  %w = nn.get_parameter @w : tensor<4xf32>
  return
}

// -----

nn.parameter @w : tensor<4xf32> init constant(0.0) group "g"
func.func @f() {
  // expected-error @below {{parameter @w is 'tensor<4xf32>', not 'tensor<8xf32>'}}
  %w = nn.get_parameter @w : tensor<8xf32>
  return
}

// -----

nn.parameter @w : tensor<4xf32> init constant(0.0) group "g"
func.func @f(%d: tensor<8xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>) {
  // expected-error @below {{parameter @w is 'tensor<4xf32>', not 'tensor<8xf32>'}}
  nn.update @w by %d, %clip, %hyper : tensor<8xf32>, tensor<f32>, tensor<4xf32>
  return
}

// -----

// The general core.

func.func @f(%x: tensor<4xf32>) {
  // expected-error @below {{element types of operand and result differ}}
  %0 = nn.broadcast %x dims [0] : tensor<4xf32> -> tensor<4x8xf64>
  return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @below {{dims must name one dimension of the result for each dimension of the operand}}
  %0 = nn.broadcast %x dims [] : tensor<4xf32> -> tensor<4x8xf32>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>) {
  // expected-error @below {{dims must ascend, but 0 follows 1}}
  %0 = nn.broadcast %x dims [1, 0] : tensor<4x8xf32> -> tensor<8x4x2xf32>
  return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @below {{dim 2 is out of range for a tensor of rank 2}}
  %0 = nn.broadcast %x dims [2] : tensor<4xf32> -> tensor<4x8xf32>
  return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @below {{dim -1 is out of range for a tensor of rank 2}}
  %0 = nn.broadcast %x dims [-1] : tensor<4xf32> -> tensor<4x8xf32>
  return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @below {{dimension 0 of the operand has size 4, but dimension 1 of the result has size 8}}
  %0 = nn.broadcast %x dims [1] : tensor<4xf32> -> tensor<4x8xf32>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>) {
  // expected-error @below {{dims must ascend, but 0 follows 0}}
  %0 = nn.reduce sum %x dims [0, 0] : tensor<4x8xf32> -> tensor<8xf32>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>) {
  // expected-error @below {{result must be 'tensor<4xf32>', but is 'tensor<8xf32>'}}
  %0 = nn.reduce sum %x dims [1] : tensor<4x8xf32> -> tensor<8xf32>
  return
}

// -----

func.func @f(%x: tensor<4xf32>, %y: tensor<4x4xf32>) {
  // expected-error @below {{operands must be matrices}}
  %0 = nn.matmul %x, %y : tensor<4xf32>, tensor<4x4xf32> -> tensor<4x4xf32>
  return
}

// -----

func.func @f(%x: tensor<4x4xf32>, %y: tensor<4x4xf64>) {
  // expected-error @below {{element types of the operands differ}}
  %0 = nn.matmul %x, %y : tensor<4x4xf32>, tensor<4x4xf64> -> tensor<4x4xf32>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %y: tensor<4x8xf32>) {
  // expected-error @below {{inner sizes differ: 8 and 4}}
  %0 = nn.matmul %x, %y : tensor<4x8xf32>, tensor<4x8xf32> -> tensor<4x8xf32>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %y: tensor<4x8xf32>) {
  // expected-error @below {{result must be 'tensor<4x4xf32>', but is 'tensor<8x8xf32>'}}
  %0 = nn.matmul %x, %y transpose_b : tensor<4x8xf32>, tensor<4x8xf32> -> tensor<8x8xf32>
  return
}

// -----

func.func @f(%x: tensor<4x4xf32>) {
  // expected-error @below {{result must be 'tensor<4x4xf32>', but is 'tensor<4x4xf64>'}}
  %0 = nn.matmul %x, %x : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf64>
  return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @below {{element types of operand and result differ}}
  %0 = nn.reshape %x : tensor<4xf32> -> tensor<4xi32>
  return
}

// -----

func.func @f(%x: tensor<4xf32>) {
  // expected-error @below {{operand has 4 elements, result has 8}}
  %0 = nn.reshape %x : tensor<4xf32> -> tensor<2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>) {
  // expected-error @below {{permutation must name each dimension once}}
  %0 = nn.transpose %x by [1, 1] : tensor<4x8xf32> -> tensor<8x4xf32>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>) {
  // expected-error @below {{permutation must name each dimension once}}
  %0 = nn.transpose %x by [0] : tensor<4x8xf32> -> tensor<4x8xf32>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>) {
  // expected-error @below {{result must be 'tensor<8x4xf32>'}}
  %0 = nn.transpose %x by [1, 0] : tensor<4x8xf32> -> tensor<4x8xf32>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>) {
  // expected-error @below {{operand and result may differ in dimension 0 alone}}
  %0 = nn.slice %x from 0 : tensor<4x8xf32> -> tensor<4x4xf32>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>) {
  // expected-error @below {{rows 3 to 5 are out of range: the operand has 4}}
  %0 = nn.slice %x from 3 : tensor<4x8xf32> -> tensor<2x8xf32>
  return
}

// -----

func.func @f() {
  // expected-error @below {{needs at least one operand}}
  %0 = "nn.concat"() : () -> tensor<4xf32>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>) {
  // expected-error @below {{operands and result may differ in dimension 0 alone}}
  %0 = nn.concat %x, %x : tensor<4x8xf32>, tensor<4x8xf32> -> tensor<8x4xf32>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>) {
  // expected-error @below {{operands have 8 rows together, the result has 9}}
  %0 = nn.concat %x, %x : tensor<4x8xf32>, tensor<4x8xf32> -> tensor<9x8xf32>
  return
}

// -----

func.func @f(%t: tensor<16xf32>, %i: tensor<4xi32>) {
  // expected-error @below {{the table must be a matrix}}
  %0 = nn.gather %t, %i : tensor<16xf32>, tensor<4xi32> -> tensor<4xf32>
  return
}

// -----

func.func @f(%t: tensor<16x8xf32>, %i: tensor<4xi32>) {
  // expected-error @below {{rows must be 'tensor<4x8xf32>'}}
  %0 = nn.gather %t, %i : tensor<16x8xf32>, tensor<4xi32> -> tensor<8x4xf32>
  return
}

// -----

func.func @f(%t: tensor<16x8xf32>, %i: tensor<4xi32>, %r: tensor<5x8xf32>) {
  // expected-error @below {{rows must be 'tensor<4x8xf32>'}}
  %0 = nn.scatter_add %r, %i into %t : tensor<5x8xf32>, tensor<4xi32>, tensor<16x8xf32>
  return
}

// -----

func.func @f(%t: tensor<2147483648x8xf32>, %i: tensor<4xi32>) {
  // expected-error @below {{has 2147483648 rows of the table; 32-bit indices count 2147483647 at most}}
  %0 = nn.gather %t, %i : tensor<2147483648x8xf32>, tensor<4xi32> -> tensor<4x8xf32>
  return
}

// -----

func.func @f(%t: tensor<16x8xf32>, %i: tensor<2147483648xi32>, %r: tensor<2147483648x8xf32>) {
  // expected-error @below {{has 2147483648 indices; 32-bit indices count 2147483647 at most}}
  %0 = nn.scatter_add %r, %i into %t : tensor<2147483648x8xf32>, tensor<2147483648xi32>, tensor<16x8xf32>
  return
}

// -----

func.func @f() {
  // expected-error @below {{has 2147483648 elements along its dimension; 32-bit indices count 2147483647 at most}}
  %0 = nn.iota 1 : tensor<4x2147483648xi32>
  return
}

// -----

func.func @f() {
  // expected-error @below {{dim 2 is out of range for a tensor of rank 2}}
  %0 = nn.iota 2 : tensor<4x8xi32>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>) {
  // expected-error @below {{8 columns cannot be dealt to 3 parts of one width}}
  %0:3 = nn.split_columns %x : tensor<4x8xf32> -> tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x2xf32>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>) {
  // expected-error @below {{each part must be 'tensor<4x4xf32>'}}
  %0:2 = nn.split_columns %x : tensor<4x8xf32> -> tensor<4x4xf32>, tensor<4x2xf32>
  return
}

// -----

func.func @f(%x: tensor<f32>) {
  // expected-error @below {{needs a last dimension and at least one part}}
  %0 = nn.concat_columns %x : tensor<f32> -> tensor<f32>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>) {
  // expected-error @below {{operand and result may differ in the last dimension alone}}
  %0 = nn.slice_columns %x from 0 : tensor<4x8xf32> -> tensor<2x8xf32>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>) {
  // expected-error @below {{8 columns and offset 2 must be multiples of the result's width, 4}}
  %0 = nn.slice_columns %x from 2 : tensor<4x8xf32> -> tensor<4x4xf32>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>) {
  // expected-error @below {{columns 8 to 12 are out of range: the operand has 8}}
  %0 = nn.slice_columns %x from 8 : tensor<4x8xf32> -> tensor<4x4xf32>
  return
}

// -----

// Composites.

func.func @f(%x: tensor<4x8xf32>, %w: tensor<4xf32>) {
  // expected-error @below {{weight must have the size of the last dimension}}
  %y, %r = nn.rms_norm %x, %w epsilon 1.0e-5 : tensor<4x8xf32>, tensor<4xf32> -> tensor<4xf32>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %w: tensor<8xf32>) {
  // expected-error @below {{rstd must have one element per row}}
  %y, %r = nn.rms_norm %x, %w epsilon 1.0e-5 : tensor<4x8xf32>, tensor<8xf32> -> tensor<8xf32>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %t: tensor<2x4x1xf32>) {
  // expected-error @below {{needs a matrix, at least one head of queries and one of keys}}
  %y = nn.rotary %x, %t heads 2 kv_heads 0 : tensor<4x8xf32>, tensor<2x4x1xf32>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %t: tensor<2x4x1xf32>) {
  // expected-error @below {{8 columns are no multiple of 3 heads of queries and 2 x 1 of keys and values}}
  %y = nn.rotary %x, %t heads 3 kv_heads 1 : tensor<4x8xf32>, tensor<2x4x1xf32>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %t: tensor<2x4x2xf32>) {
  // expected-error @below {{table must be 2 x positions x half of a head's 2 columns}}
  %y = nn.rotary %x, %t heads 2 kv_heads 1 : tensor<4x8xf32>, tensor<2x4x2xf32>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %t: tensor<2x3x1xf32>) {
  // expected-error @below {{4 rows are no multiple of the table's 3 positions}}
  %y = nn.rotary %x, %t heads 2 kv_heads 1 : tensor<4x8xf32>, tensor<2x3x1xf32>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %w: tensor<4xf32>) {
  // expected-error @below {{weights must have a head's 2 columns}}
  %y, %r = nn.head_norm %x, %w, %w heads 2 kv_heads 1 epsilon 1.0e-5 : tensor<4x8xf32>, tensor<4xf32> -> tensor<4x4xf32>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %w: tensor<2xf32>) {
  // expected-error @below {{rstd must have one element per row and head}}
  %y, %r = nn.head_norm %x, %w, %w heads 2 kv_heads 1 epsilon 1.0e-5 : tensor<4x8xf32>, tensor<2xf32> -> tensor<4x3xf32>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %w: tensor<4xf32>) {
  // expected-error @below {{weight and bias must have the size of the last dimension}}
  %y, %m, %r = nn.layer_norm %x, %w, %w epsilon 1.0e-5 : tensor<4x8xf32>, tensor<4xf32> -> tensor<4xf32>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %w: tensor<8xf32>) {
  // expected-error @below {{mean and rstd must have one element per row}}
  %y, %m, %r = nn.layer_norm %x, %w, %w epsilon 1.0e-5 : tensor<4x8xf32>, tensor<8xf32> -> tensor<8xf32>
  return
}

// -----

func.func @f(%x: tensor<f32>) {
  // expected-error @below {{operand must have a last dimension}}
  %0 = nn.softmax %x : tensor<f32>
  return
}

// -----

func.func @f(%q: tensor<8x24xf32>) {
  // expected-error @below {{needs a matrix of at least one batch row and head}}
  %o, %l = nn.attention %q batch 0 heads 2 layout blocked scale 1.0
      : tensor<8x24xf32> -> tensor<8x8xf32>, tensor<4x4xf32>
  return
}

// -----

func.func @f(%q: tensor<8x24xf32>) {
  // expected-error @below {{8 rows are no multiple of batch 3}}
  %o, %l = nn.attention %q batch 3 heads 2 layout blocked scale 1.0
      : tensor<8x24xf32> -> tensor<8x8xf32>, tensor<4x4xf32>
  return
}

// -----

func.func @f(%q: tensor<8x20xf32>) {
  // expected-error @below {{20 columns are no multiple of 2 + 2 x 2 heads}}
  %o, %l = nn.attention %q batch 2 heads 2 layout blocked scale 1.0
      : tensor<8x20xf32> -> tensor<8x8xf32>, tensor<4x4xf32>
  return
}

// -----

func.func @f(%q: tensor<8x24xf32>) {
  // expected-error @below {{output must have shape 8x8}}
  %o, %l = nn.attention %q batch 2 heads 2 layout blocked scale 1.0
      : tensor<8x24xf32> -> tensor<8x24xf32>, tensor<4x4xf32>
  return
}

// -----

func.func @f(%q: tensor<8x24xf32>) {
  // expected-error @below {{lse must have shape 4x4}}
  %o, %l = nn.attention %q batch 2 heads 2 layout blocked scale 1.0
      : tensor<8x24xf32> -> tensor<8x8xf32>, tensor<4x8xf32>
  return
}

// -----

func.func @f(%q: tensor<8x24xf32>) {
  // expected-error @below {{4 heads are no multiple of 3 kv_heads}}
  %o, %l = nn.attention %q batch 2 heads 4 kv_heads 3 layout blocked scale 1.0
      : tensor<8x24xf32> -> tensor<8x8xf32>, tensor<8x4xf32>
  return
}

// -----

func.func @f(%q: tensor<8x24xf32>) {
  // expected-error @below {{4 heads are no multiple of 0 kv_heads}}
  %o, %l = nn.attention %q batch 2 heads 4 kv_heads 0 layout blocked scale 1.0
      : tensor<8x24xf32> -> tensor<8x8xf32>, tensor<8x4xf32>
  return
}

// -----

func.func @f(%q: tensor<8x24xf32>) {
  // expected-error @below {{kv_heads other than heads take layout blocked}}
  %o, %l = nn.attention %q batch 2 heads 4 kv_heads 1 layout interleaved scale 1.0
      : tensor<8x24xf32> -> tensor<8x16xf32>, tensor<8x4xf32>
  return
}

// -----

func.func @f(%q: tensor<8x20xf32>) {
  // expected-error @below {{20 columns are no multiple of 4 + 2 x 2 heads}}
  %o, %l = nn.attention %q batch 2 heads 4 kv_heads 2 layout blocked scale 1.0
      : tensor<8x20xf32> -> tensor<8x8xf32>, tensor<8x4xf32>
  return
}

// -----

func.func @f(%q: tensor<8x24xf32>) {
  // expected-error @below {{output must have shape 8x12}}
  %o, %l = nn.attention %q batch 2 heads 4 kv_heads 2 layout blocked scale 1.0
      : tensor<8x24xf32> -> tensor<8x8xf32>, tensor<8x4xf32>
  return
}

// -----

func.func @f(%q: tensor<8x24xf32>) {
  // expected-error @below {{window must hold at least one key}}
  %o, %l = nn.attention %q batch 2 heads 2 layout blocked causal window 0 scale 1.0
      : tensor<8x24xf32> -> tensor<8x8xf32>, tensor<4x4xf32>
  return
}

// -----

func.func @f(%q: tensor<8x24xf32>) {
  // expected-error @below {{a window takes causal}}
  %o, %l = nn.attention %q batch 2 heads 2 layout blocked window 2 scale 1.0
      : tensor<8x24xf32> -> tensor<8x8xf32>, tensor<4x4xf32>
  return
}

// -----

func.func @f(%q: tensor<8x24xf32>, %o: tensor<8x12xf32>, %l: tensor<8x4xf32>) {
  // expected-error @below {{window must hold at least one key}}
  %d = nn.attention_grad %q, %o, %l, %o batch 2 heads 4 kv_heads 2 layout blocked causal window -1 scale 1.0
      : tensor<8x24xf32>, tensor<8x12xf32>, tensor<8x4xf32>
  return
}

// -----

func.func @f(%q: tensor<8x24xf32>, %o: tensor<8x8xf32>, %l: tensor<8x4xf32>) {
  // expected-error @below {{lse must have shape 4x4}}
  %d = nn.attention_grad %q, %o, %l, %o batch 2 heads 2 layout blocked scale 1.0
      : tensor<8x24xf32>, tensor<8x8xf32>, tensor<8x4xf32>
  return
}

// -----

func.func @f(%x: tensor<8xf32>, %t: tensor<8xi32>, %s: tensor<f32>) {
  // expected-error @below {{logits must be a matrix}}
  %l = nn.cross_entropy %x, %t, %s : tensor<8xf32>, tensor<8xi32>, tensor<f32>
  return
}

// -----

func.func @f(%x: tensor<8x4xf32>, %t: tensor<4xi32>, %s: tensor<f32>) {
  // expected-error @below {{needs one target per row: 8}}
  %l = nn.cross_entropy %x, %t, %s : tensor<8x4xf32>, tensor<4xi32>, tensor<f32>
  return
}

// -----

func.func @f(%x: tensor<8x4xf32>, %t: tensor<8xi32>, %s: tensor<1xf32>) {
  // expected-error @below {{scale and loss must be scalars}}
  %l = nn.cross_entropy %x, %t, %s : tensor<8x4xf32>, tensor<8xi32>, tensor<1xf32>
  return
}

// -----

func.func @f(%x: tensor<8x4xf32>, %w: tensor<16x8xf32>, %t: tensor<8xi32>, %s: tensor<f32>) {
  // expected-error @below {{input and weight must be matrices with equally many columns}}
  %l, %dx, %dw = nn.linear_cross_entropy %x, %w, %t, %s
      : tensor<8x4xf32>, tensor<16x8xf32>, tensor<8xi32>, tensor<f32> -> tensor<16x8xf32>
  return
}

// -----

func.func @f(%x: tensor<65537xf32>) {
  // expected-error @below {{result must have one element for each 65536 of the operand: 2}}
  %0 = nn.partial_sum_squares %x : tensor<65537xf32> -> tensor<1xf64>
  return
}

// -----

// Parts are all rows, each once, under names.

// expected-error @below {{part "q" has 3 rows, where 2 of 2 are left}}
nn.parameter @w : tensor<2x4xf32> init constant(0.0) group "g" parts ["q" 3]

// -----

// expected-error @below {{part "k" has 0 rows, where 1 of 2 are left}}
nn.parameter @w : tensor<2x4xf32> init constant(0.0) group "g" parts ["q" 1, "k" 0]

// -----

// expected-error @below {{parts have 2 of 3 rows}}
nn.parameter @w : tensor<3xf32> init constant(0.0) group "g" parts ["q" 1, "k" 1]

// -----

// expected-error @below {{has two parts named "q"}}
nn.parameter @w : tensor<3xf32> init constant(0.0) group "g" parts ["q" 1, "q" 2]

// -----

// expected-error @below {{has a part without a name}}
nn.parameter @w : tensor<3xf32> init constant(0.0) group "g" parts ["" 3]

// -----

// expected-error @below {{has parts, but no dimension that they are rows of}}
nn.parameter @w : tensor<f32> init constant(0.0) group "g" parts ["q" 1]

// -----

// expected-error @below {{parts need a name and a number of rows each}}
nn.parameter @w : tensor<3xf32> init constant(0.0) group "g" parts []

// -----

// expected-error @below {{parts need a name and a number of rows each}}
nn.parameter @w : tensor<3xf32> init constant(0.0) group "g" {part_names = ["q"]}

// -----

// Types of fewer bits.

// expected-error @below {{computes as 'f32', which must be a floating-point type of fewer bits than 'f32'}}
nn.parameter @w : tensor<4xf32> init constant(0.0) group "g" as f32

// -----

nn.parameter @w : tensor<4xf32> init constant(0.0) group "g" as bf16
func.func @f() {
  // expected-error @below {{parameter @w is 'tensor<4xbf16>', not 'tensor<4xf32>'}}
  %w = nn.get_parameter @w : tensor<4xf32>
  return
}

// -----

func.func @f(%a: tensor<4x8xbf16>) {
  // expected-error @below {{result must be 'tensor<4x4xbf16>', but is 'tensor<4x4xf64>'}}
  %0 = nn.matmul %a, %a transpose_b : tensor<4x8xbf16>, tensor<4x8xbf16> -> tensor<4x4xf64>
  return
}

// -----

func.func @f(%table: tensor<4x8xbf16>, %i: tensor<2xi32>, %rows: tensor<2x8xf32>) {
  // expected-error @below {{rows must be 'tensor<2x8xbf16>'}}
  %0 = nn.scatter_add %rows, %i into %table : tensor<2x8xf32>, tensor<2xi32>, tensor<4x8xbf16>
  return
}

// -----

func.func @f(%x: tensor<8x4xf32>, %w: tensor<16x4xf32>, %t: tensor<8xi32>, %s: tensor<f32>) {
  // expected-error @below {{the weight's gradient must be 'tensor<16x4xf32>'}}
  %l, %dx, %dw = nn.linear_cross_entropy %x, %w, %t, %s
      : tensor<8x4xf32>, tensor<16x4xf32>, tensor<8xi32>, tensor<f32> -> tensor<16x4xbf16>
  return
}

// -----

func.func @f(%x: tensor<8x4xf32>, %s: tensor<1x4xi32>) {
  // expected-error @below {{rate must be from 0 to below 1, but is 1}}
  %0 = nn.dropout %x from %s rate 1.0 : tensor<8x4xf32>, tensor<1x4xi32>
  return
}

// -----

func.func @f(%x: tensor<8x4xf32>, %s: tensor<4xi32>) {
  // expected-error @below {{stream must be 1x4: step, draw and the key's two words}}
  %0 = nn.dropout %x from %s rate 0.5 : tensor<8x4xf32>, tensor<4xi32>
  return
}

// -----

func.func @f(%x: tensor<8x4xf32>, %s: tensor<1x4xi32>, %ids: tensor<3xi32>) {
  // expected-error @below {{samples must be a vector among whose elements the 8 rows can be dealt evenly}}
  %0 = nn.dropout %x from %s, %ids rate 0.5 : tensor<8x4xf32>, tensor<1x4xi32>, tensor<3xi32>
  return
}

// -----

func.func @f(%s: tensor<1x4xi32>) {
  // expected-error @below {{result must have a last dimension}}
  %0 = nn.random_bits %s : tensor<1x4xi32> -> tensor<i32>
  return
}

// -----

func.func @f(%s: tensor<1x4xi32>, %ids: tensor<1xi32>) {
  // expected-error @below {{a sample takes more than 2^32 counters}}
  %0 = nn.random_bits %s, %ids : tensor<1x4xi32>, tensor<1xi32> -> tensor<131072x131076xi32>
  return
}

// -----

func.func @f(%qkv: tensor<8x12xf32>, %s: tensor<1x4xi32>) {
  // expected-error @below {{dropout takes a stream and samples}}
  %0, %1 = nn.attention %qkv batch 2 heads 2 layout blocked scale 0.5 dropout 0.5 from %s
      : tensor<8x12xf32>, tensor<1x4xi32> -> tensor<8x4xf32>, tensor<4x4xf32>
  return
}

// -----

func.func @f(%qkv: tensor<8x12xf32>, %s: tensor<1x4xi32>, %ids: tensor<4xi32>) {
  // expected-error @below {{samples must have one id per batch row}}
  %0, %1 = nn.attention %qkv batch 2 heads 2 layout blocked scale 0.5 dropout 0.5 from %s, %ids
      : tensor<8x12xf32>, tensor<1x4xi32>, tensor<4xi32> -> tensor<8x4xf32>, tensor<4x4xf32>
  return
}

// -----

func.func @f(%qkv: tensor<8x12xf32>, %out: tensor<8x4xf32>, %lse: tensor<4x4xf32>, %s: tensor<1x4xi32>, %ids: tensor<2xi32>) {
  // expected-error @below {{rate must be from 0 to below 1, but is 2}}
  %0 = nn.attention_grad %qkv, %out, %lse, %out batch 2 heads 2 layout blocked scale 0.5 dropout 2.0 from %s, %ids
      : tensor<8x12xf32>, tensor<8x4xf32>, tensor<4x4xf32>, tensor<1x4xi32>, tensor<2xi32>
  return
}

// -----

func.func @f(%x: tensor<8xf32>, %t: tensor<8xi32>) {
  // expected-error @below {{logits must be a matrix}}
  %l, %c = nn.target_scores %x, %t : tensor<8xf32>, tensor<8xi32> -> tensor<8xf32>
  return
}

// -----

func.func @f(%x: tensor<8x4xf32>, %t: tensor<4xi32>) {
  // expected-error @below {{needs one target per row: 8}}
  %l, %c = nn.target_scores %x, %t : tensor<8x4xf32>, tensor<4xi32> -> tensor<8xf32>
  return
}

// -----

func.func @f(%x: tensor<8x4xf32>, %t: tensor<8xi32>) {
  // expected-error @below {{results must have one number per row: 8}}
  %l, %c = nn.target_scores %x, %t : tensor<8x4xf32>, tensor<8xi32> -> tensor<4xf32>
  return
}

// -----

func.func @f(%x: tensor<8x4xf32>, %w: tensor<16x8xf32>, %t: tensor<8xi32>) {
  // expected-error @below {{input and weight must be matrices with equally many columns}}
  %l, %c = nn.linear_target_scores %x, %w, %t
      : tensor<8x4xf32>, tensor<16x8xf32>, tensor<8xi32> -> tensor<8xf32>
  return
}
