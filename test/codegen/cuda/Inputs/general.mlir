// Kernels of rows, of columns and of elements.

func.func private @norm_9x7_f32(%x: tensor<9x7xf32>, %w: tensor<7xf32>, %b: tensor<7xf32>)
    -> (tensor<9x7xf32> {plan.inplace = [0]}, tensor<9xf32>, tensor<9xf32>) attributes {plan.kernel} {
  %one = arith.constant dense<1.0> : tensor<9xf32>
  %eps = arith.constant dense<1.0e-5> : tensor<9xf32>
  %part = arith.constant dense<1.428571429e-01> : tensor<9xf32>
  %sum = nn.reduce sum %x dims [1] : tensor<9x7xf32> -> tensor<9xf32>
  %mean = arith.mulf %sum, %part : tensor<9xf32>
  %means = nn.broadcast %mean dims [0] : tensor<9xf32> -> tensor<9x7xf32>
  %c = arith.subf %x, %means : tensor<9x7xf32>
  %c2 = arith.mulf %c, %c : tensor<9x7xf32>
  %sum2 = nn.reduce sum %c2 dims [1] : tensor<9x7xf32> -> tensor<9xf32>
  %var = arith.mulf %sum2, %part : tensor<9xf32>
  %shifted = arith.addf %var, %eps : tensor<9xf32>
  %root = math.sqrt %shifted : tensor<9xf32>
  %rstd = arith.divf %one, %root : tensor<9xf32>
  %rstds = nn.broadcast %rstd dims [0] : tensor<9xf32> -> tensor<9x7xf32>
  %n = arith.mulf %c, %rstds : tensor<9x7xf32>
  %ws = nn.broadcast %w dims [1] : tensor<7xf32> -> tensor<9x7xf32>
  %bs = nn.broadcast %b dims [1] : tensor<7xf32> -> tensor<9x7xf32>
  %nw = arith.mulf %n, %ws : tensor<9x7xf32>
  %y = arith.addf %nw, %bs : tensor<9x7xf32>
  return %y, %mean, %rstd : tensor<9x7xf32>, tensor<9xf32>, tensor<9xf32>
}

func.func private @norm_301x33_bf16(%x0: tensor<301x33xbf16>, %w0: tensor<33xbf16>, %b0: tensor<33xbf16>)
    -> (tensor<301x33xbf16> {plan.inplace = [0]}, tensor<301xf32>, tensor<301xf32>) attributes {plan.kernel} {
  %x = arith.extf %x0 : tensor<301x33xbf16> to tensor<301x33xf32>
  %w = arith.extf %w0 : tensor<33xbf16> to tensor<33xf32>
  %b = arith.extf %b0 : tensor<33xbf16> to tensor<33xf32>
  %one = arith.constant dense<1.0> : tensor<301xf32>
  %eps = arith.constant dense<1.0e-5> : tensor<301xf32>
  %part = arith.constant dense<3.030303030e-02> : tensor<301xf32>
  %sum = nn.reduce sum %x dims [1] : tensor<301x33xf32> -> tensor<301xf32>
  %mean = arith.mulf %sum, %part : tensor<301xf32>
  %means = nn.broadcast %mean dims [0] : tensor<301xf32> -> tensor<301x33xf32>
  %c = arith.subf %x, %means : tensor<301x33xf32>
  %c2 = arith.mulf %c, %c : tensor<301x33xf32>
  %sum2 = nn.reduce sum %c2 dims [1] : tensor<301x33xf32> -> tensor<301xf32>
  %var = arith.mulf %sum2, %part : tensor<301xf32>
  %shifted = arith.addf %var, %eps : tensor<301xf32>
  %root = math.sqrt %shifted : tensor<301xf32>
  %rstd = arith.divf %one, %root : tensor<301xf32>
  %rstds = nn.broadcast %rstd dims [0] : tensor<301xf32> -> tensor<301x33xf32>
  %n = arith.mulf %c, %rstds : tensor<301x33xf32>
  %ws = nn.broadcast %w dims [1] : tensor<33xf32> -> tensor<301x33xf32>
  %bs = nn.broadcast %b dims [1] : tensor<33xf32> -> tensor<301x33xf32>
  %nw = arith.mulf %n, %ws : tensor<301x33xf32>
  %y1 = arith.addf %nw, %bs : tensor<301x33xf32>
  %y = arith.truncf %y1 : tensor<301x33xf32> to tensor<301x33xbf16>
  return %y, %mean, %rstd : tensor<301x33xbf16>, tensor<301xf32>, tensor<301xf32>
}

func.func private @norm_5x130_f32(%x: tensor<5x130xf32>, %w: tensor<130xf32>, %b: tensor<130xf32>)
    -> (tensor<5x130xf32> {plan.inplace = [0]}, tensor<5xf32>, tensor<5xf32>) attributes {plan.kernel} {
  %one = arith.constant dense<1.0> : tensor<5xf32>
  %eps = arith.constant dense<1.0e-5> : tensor<5xf32>
  %part = arith.constant dense<7.692307692e-03> : tensor<5xf32>
  %sum = nn.reduce sum %x dims [1] : tensor<5x130xf32> -> tensor<5xf32>
  %mean = arith.mulf %sum, %part : tensor<5xf32>
  %means = nn.broadcast %mean dims [0] : tensor<5xf32> -> tensor<5x130xf32>
  %c = arith.subf %x, %means : tensor<5x130xf32>
  %c2 = arith.mulf %c, %c : tensor<5x130xf32>
  %sum2 = nn.reduce sum %c2 dims [1] : tensor<5x130xf32> -> tensor<5xf32>
  %var = arith.mulf %sum2, %part : tensor<5xf32>
  %shifted = arith.addf %var, %eps : tensor<5xf32>
  %root = math.sqrt %shifted : tensor<5xf32>
  %rstd = arith.divf %one, %root : tensor<5xf32>
  %rstds = nn.broadcast %rstd dims [0] : tensor<5xf32> -> tensor<5x130xf32>
  %n = arith.mulf %c, %rstds : tensor<5x130xf32>
  %ws = nn.broadcast %w dims [1] : tensor<130xf32> -> tensor<5x130xf32>
  %bs = nn.broadcast %b dims [1] : tensor<130xf32> -> tensor<5x130xf32>
  %nw = arith.mulf %n, %ws : tensor<5x130xf32>
  %y = arith.addf %nw, %bs : tensor<5x130xf32>
  return %y, %mean, %rstd : tensor<5x130xf32>, tensor<5xf32>, tensor<5xf32>
}

func.func private @norm_6x1000_bf16(%x0: tensor<6x1000xbf16>, %w0: tensor<1000xbf16>, %b0: tensor<1000xbf16>)
    -> (tensor<6x1000xbf16> {plan.inplace = [0]}, tensor<6xf32>, tensor<6xf32>) attributes {plan.kernel} {
  %x = arith.extf %x0 : tensor<6x1000xbf16> to tensor<6x1000xf32>
  %w = arith.extf %w0 : tensor<1000xbf16> to tensor<1000xf32>
  %b = arith.extf %b0 : tensor<1000xbf16> to tensor<1000xf32>
  %one = arith.constant dense<1.0> : tensor<6xf32>
  %eps = arith.constant dense<1.0e-5> : tensor<6xf32>
  %part = arith.constant dense<1.000000000e-03> : tensor<6xf32>
  %sum = nn.reduce sum %x dims [1] : tensor<6x1000xf32> -> tensor<6xf32>
  %mean = arith.mulf %sum, %part : tensor<6xf32>
  %means = nn.broadcast %mean dims [0] : tensor<6xf32> -> tensor<6x1000xf32>
  %c = arith.subf %x, %means : tensor<6x1000xf32>
  %c2 = arith.mulf %c, %c : tensor<6x1000xf32>
  %sum2 = nn.reduce sum %c2 dims [1] : tensor<6x1000xf32> -> tensor<6xf32>
  %var = arith.mulf %sum2, %part : tensor<6xf32>
  %shifted = arith.addf %var, %eps : tensor<6xf32>
  %root = math.sqrt %shifted : tensor<6xf32>
  %rstd = arith.divf %one, %root : tensor<6xf32>
  %rstds = nn.broadcast %rstd dims [0] : tensor<6xf32> -> tensor<6x1000xf32>
  %n = arith.mulf %c, %rstds : tensor<6x1000xf32>
  %ws = nn.broadcast %w dims [1] : tensor<1000xf32> -> tensor<6x1000xf32>
  %bs = nn.broadcast %b dims [1] : tensor<1000xf32> -> tensor<6x1000xf32>
  %nw = arith.mulf %n, %ws : tensor<6x1000xf32>
  %y1 = arith.addf %nw, %bs : tensor<6x1000xf32>
  %y = arith.truncf %y1 : tensor<6x1000xf32> to tensor<6x1000xbf16>
  return %y, %mean, %rstd : tensor<6x1000xbf16>, tensor<6xf32>, tensor<6xf32>
}

func.func private @norm_2x5001_f32(%x: tensor<2x5001xf32>, %w: tensor<5001xf32>, %b: tensor<5001xf32>)
    -> (tensor<2x5001xf32> {plan.inplace = [0]}, tensor<2xf32>, tensor<2xf32>) attributes {plan.kernel} {
  %one = arith.constant dense<1.0> : tensor<2xf32>
  %eps = arith.constant dense<1.0e-5> : tensor<2xf32>
  %part = arith.constant dense<1.999600080e-04> : tensor<2xf32>
  %sum = nn.reduce sum %x dims [1] : tensor<2x5001xf32> -> tensor<2xf32>
  %mean = arith.mulf %sum, %part : tensor<2xf32>
  %means = nn.broadcast %mean dims [0] : tensor<2xf32> -> tensor<2x5001xf32>
  %c = arith.subf %x, %means : tensor<2x5001xf32>
  %c2 = arith.mulf %c, %c : tensor<2x5001xf32>
  %sum2 = nn.reduce sum %c2 dims [1] : tensor<2x5001xf32> -> tensor<2xf32>
  %var = arith.mulf %sum2, %part : tensor<2xf32>
  %shifted = arith.addf %var, %eps : tensor<2xf32>
  %root = math.sqrt %shifted : tensor<2xf32>
  %rstd = arith.divf %one, %root : tensor<2xf32>
  %rstds = nn.broadcast %rstd dims [0] : tensor<2xf32> -> tensor<2x5001xf32>
  %n = arith.mulf %c, %rstds : tensor<2x5001xf32>
  %ws = nn.broadcast %w dims [1] : tensor<5001xf32> -> tensor<2x5001xf32>
  %bs = nn.broadcast %b dims [1] : tensor<5001xf32> -> tensor<2x5001xf32>
  %nw = arith.mulf %n, %ws : tensor<2x5001xf32>
  %y = arith.addf %nw, %bs : tensor<2x5001xf32>
  return %y, %mean, %rstd : tensor<2x5001xf32>, tensor<2xf32>, tensor<2xf32>
}

func.func private @cross_entropy_9x7_f32(%x: tensor<9x7xf32>, %t: tensor<9xi32>)
    -> (tensor<9x7xf32> {plan.inplace = [0]}, tensor<9xf32>) attributes {plan.kernel} {
  %zero = arith.constant dense<0.0> : tensor<9x7xf32>
  %m = nn.reduce max %x dims [1] : tensor<9x7xf32> -> tensor<9xf32>
  %ms = nn.broadcast %m dims [0] : tensor<9xf32> -> tensor<9x7xf32>
  %d = arith.subf %x, %ms : tensor<9x7xf32>
  %e = math.exp %d : tensor<9x7xf32>
  %s = nn.reduce sum %e dims [1] : tensor<9x7xf32> -> tensor<9xf32>
  %i = nn.iota 1 : tensor<9x7xi32>
  %ts = nn.broadcast %t dims [0] : tensor<9xi32> -> tensor<9x7xi32>
  %hit = arith.cmpi eq, %i, %ts : tensor<9x7xi32>
  %only = arith.select %hit, %x, %zero : tensor<9x7xi1>, tensor<9x7xf32>
  %picked = nn.reduce sum %only dims [1] : tensor<9x7xf32> -> tensor<9xf32>
  %log = math.log %s : tensor<9xf32>
  %all = arith.addf %log, %m : tensor<9xf32>
  %loss = arith.subf %all, %picked : tensor<9xf32>
  %ss = nn.broadcast %s dims [0] : tensor<9xf32> -> tensor<9x7xf32>
  %p = arith.divf %e, %ss : tensor<9x7xf32>
  return %p, %loss : tensor<9x7xf32>, tensor<9xf32>
}

func.func private @cross_entropy_3x50000_bf16(%x0: tensor<3x50000xbf16>, %t: tensor<3xi32>)
    -> (tensor<3x50000xbf16> {plan.inplace = [0]}, tensor<3xf32>) attributes {plan.kernel} {
  %x = arith.extf %x0 : tensor<3x50000xbf16> to tensor<3x50000xf32>
  %zero = arith.constant dense<0.0> : tensor<3x50000xf32>
  %m = nn.reduce max %x dims [1] : tensor<3x50000xf32> -> tensor<3xf32>
  %ms = nn.broadcast %m dims [0] : tensor<3xf32> -> tensor<3x50000xf32>
  %d = arith.subf %x, %ms : tensor<3x50000xf32>
  %e = math.exp %d : tensor<3x50000xf32>
  %s = nn.reduce sum %e dims [1] : tensor<3x50000xf32> -> tensor<3xf32>
  %i = nn.iota 1 : tensor<3x50000xi32>
  %ts = nn.broadcast %t dims [0] : tensor<3xi32> -> tensor<3x50000xi32>
  %hit = arith.cmpi eq, %i, %ts : tensor<3x50000xi32>
  %only = arith.select %hit, %x, %zero : tensor<3x50000xi1>, tensor<3x50000xf32>
  %picked = nn.reduce sum %only dims [1] : tensor<3x50000xf32> -> tensor<3xf32>
  %log = math.log %s : tensor<3xf32>
  %all = arith.addf %log, %m : tensor<3xf32>
  %loss = arith.subf %all, %picked : tensor<3xf32>
  %ss = nn.broadcast %s dims [0] : tensor<3xf32> -> tensor<3x50000xf32>
  %p1 = arith.divf %e, %ss : tensor<3x50000xf32>
  %p = arith.truncf %p1 : tensor<3x50000xf32> to tensor<3x50000xbf16>
  return %p, %loss : tensor<3x50000xbf16>, tensor<3xf32>
}

func.func private @cross_entropy_2x50001_f32(%x: tensor<2x50001xf32>, %t: tensor<2xi32>)
    -> (tensor<2x50001xf32> {plan.inplace = [0]}, tensor<2xf32>) attributes {plan.kernel} {
  %zero = arith.constant dense<0.0> : tensor<2x50001xf32>
  %m = nn.reduce max %x dims [1] : tensor<2x50001xf32> -> tensor<2xf32>
  %ms = nn.broadcast %m dims [0] : tensor<2xf32> -> tensor<2x50001xf32>
  %d = arith.subf %x, %ms : tensor<2x50001xf32>
  %e = math.exp %d : tensor<2x50001xf32>
  %s = nn.reduce sum %e dims [1] : tensor<2x50001xf32> -> tensor<2xf32>
  %i = nn.iota 1 : tensor<2x50001xi32>
  %ts = nn.broadcast %t dims [0] : tensor<2xi32> -> tensor<2x50001xi32>
  %hit = arith.cmpi eq, %i, %ts : tensor<2x50001xi32>
  %only = arith.select %hit, %x, %zero : tensor<2x50001xi1>, tensor<2x50001xf32>
  %picked = nn.reduce sum %only dims [1] : tensor<2x50001xf32> -> tensor<2xf32>
  %log = math.log %s : tensor<2xf32>
  %all = arith.addf %log, %m : tensor<2xf32>
  %loss = arith.subf %all, %picked : tensor<2xf32>
  %ss = nn.broadcast %s dims [0] : tensor<2xf32> -> tensor<2x50001xf32>
  %p = arith.divf %e, %ss : tensor<2x50001xf32>
  return %p, %loss : tensor<2x50001xf32>, tensor<2xf32>
}

func.func private @column_sums_5x1_f32(%x: tensor<5x1xf32>, %r: tensor<5xf32>)
    -> (tensor<1xf32>, tensor<1xf32> {plan.accumulate}) attributes {plan.kernel} {
  %rs = nn.broadcast %r dims [0] : tensor<5xf32> -> tensor<5x1xf32>
  %p = arith.mulf %x, %rs : tensor<5x1xf32>
  %a = nn.reduce sum %p dims [0] : tensor<5x1xf32> -> tensor<1xf32>
  %b = nn.reduce sum %x dims [0] : tensor<5x1xf32> -> tensor<1xf32>
  %c = nn.accumulate %b : tensor<1xf32>
  return %a, %c : tensor<1xf32>, tensor<1xf32>
}

func.func private @column_sums_7001x7_f32(%x: tensor<7001x7xf32>, %r: tensor<7001xf32>)
    -> (tensor<7xf32>, tensor<7xf32> {plan.accumulate}) attributes {plan.kernel} {
  %rs = nn.broadcast %r dims [0] : tensor<7001xf32> -> tensor<7001x7xf32>
  %p = arith.mulf %x, %rs : tensor<7001x7xf32>
  %a = nn.reduce sum %p dims [0] : tensor<7001x7xf32> -> tensor<7xf32>
  %b = nn.reduce sum %x dims [0] : tensor<7001x7xf32> -> tensor<7xf32>
  %c = nn.accumulate %b : tensor<7xf32>
  return %a, %c : tensor<7xf32>, tensor<7xf32>
}

func.func private @column_sums_1003x33_bf16(%x0: tensor<1003x33xbf16>, %r: tensor<1003xf32>)
    -> (tensor<33xf32>, tensor<33xf32> {plan.accumulate}) attributes {plan.kernel} {
  %x = arith.extf %x0 : tensor<1003x33xbf16> to tensor<1003x33xf32>
  %rs = nn.broadcast %r dims [0] : tensor<1003xf32> -> tensor<1003x33xf32>
  %p = arith.mulf %x, %rs : tensor<1003x33xf32>
  %a = nn.reduce sum %p dims [0] : tensor<1003x33xf32> -> tensor<33xf32>
  %b = nn.reduce sum %x dims [0] : tensor<1003x33xf32> -> tensor<33xf32>
  %c = nn.accumulate %b : tensor<33xf32>
  return %a, %c : tensor<33xf32>, tensor<33xf32>
}

func.func private @column_sums_2050x130_f32(%x: tensor<2050x130xf32>, %r: tensor<2050xf32>)
    -> (tensor<130xf32>, tensor<130xf32> {plan.accumulate}) attributes {plan.kernel} {
  %rs = nn.broadcast %r dims [0] : tensor<2050xf32> -> tensor<2050x130xf32>
  %p = arith.mulf %x, %rs : tensor<2050x130xf32>
  %a = nn.reduce sum %p dims [0] : tensor<2050x130xf32> -> tensor<130xf32>
  %b = nn.reduce sum %x dims [0] : tensor<2050x130xf32> -> tensor<130xf32>
  %c = nn.accumulate %b : tensor<130xf32>
  return %a, %c : tensor<130xf32>, tensor<130xf32>
}

func.func private @elements_1_f32(%x: tensor<1xf32>, %z: tensor<1xf32>, %s: tensor<f32>)
    -> (tensor<1xf32> {plan.inplace = [0, 1]}, tensor<1xf32> {plan.inplace = [0, 1]}) attributes {plan.kernel} {
  %half = arith.constant dense<0.5> : tensor<1xf32>
  %p = arith.mulf %x, %z : tensor<1xf32>
  %ss = nn.broadcast %s dims [] : tensor<f32> -> tensor<1xf32>
  %q = arith.addf %p, %ss : tensor<1xf32>
  %h = math.tanh %q : tensor<1xf32>
  %y = arith.mulf %h, %half : tensor<1xf32>
  return %y, %q : tensor<1xf32>, tensor<1xf32>
}

func.func private @elements_1001_f32(%x: tensor<1001xf32>, %z: tensor<1001xf32>, %s: tensor<f32>)
    -> (tensor<1001xf32> {plan.inplace = [0, 1]}, tensor<1001xf32> {plan.inplace = [0, 1]}) attributes {plan.kernel} {
  %half = arith.constant dense<0.5> : tensor<1001xf32>
  %p = arith.mulf %x, %z : tensor<1001xf32>
  %ss = nn.broadcast %s dims [] : tensor<f32> -> tensor<1001xf32>
  %q = arith.addf %p, %ss : tensor<1001xf32>
  %h = math.tanh %q : tensor<1001xf32>
  %y = arith.mulf %h, %half : tensor<1001xf32>
  return %y, %q : tensor<1001xf32>, tensor<1001xf32>
}

func.func private @elements_12345_bf16(%x: tensor<12345xbf16>, %z: tensor<12345xbf16>, %s: tensor<bf16>)
    -> (tensor<12345xbf16> {plan.inplace = [0, 1]}, tensor<12345xbf16> {plan.inplace = [0, 1]}) attributes {plan.kernel} {
  %half = arith.constant dense<0.5> : tensor<12345xbf16>
  %p = arith.mulf %x, %z : tensor<12345xbf16>
  %ss = nn.broadcast %s dims [] : tensor<bf16> -> tensor<12345xbf16>
  %q = arith.addf %p, %ss : tensor<12345xbf16>
  %h = math.tanh %q : tensor<12345xbf16>
  %y = arith.mulf %h, %half : tensor<12345xbf16>
  return %y, %q : tensor<12345xbf16>, tensor<12345xbf16>
}

func.func private @elements_8200_bf16(%x: tensor<8200xbf16>, %z: tensor<8200xbf16>, %s: tensor<bf16>)
    -> (tensor<8200xbf16> {plan.inplace = [0, 1]}, tensor<8200xbf16> {plan.inplace = [0, 1]}) attributes {plan.kernel} {
  %half = arith.constant dense<0.5> : tensor<8200xbf16>
  %p = arith.mulf %x, %z : tensor<8200xbf16>
  %ss = nn.broadcast %s dims [] : tensor<bf16> -> tensor<8200xbf16>
  %q = arith.addf %p, %ss : tensor<8200xbf16>
  %h = math.tanh %q : tensor<8200xbf16>
  %y = arith.mulf %h, %half : tensor<8200xbf16>
  return %y, %q : tensor<8200xbf16>, tensor<8200xbf16>
}

func.func private @gather_33_f32(%table: tensor<9x33xf32>, %ids: tensor<2x3xi32>, %p: tensor<3x33xf32>)
    -> tensor<6x33xf32> attributes {plan.kernel} {
  %flat = nn.reshape %ids : tensor<2x3xi32> -> tensor<6xi32>
  %x = nn.gather %table, %flat : tensor<9x33xf32>, tensor<6xi32> -> tensor<6x33xf32>
  %each = nn.broadcast %p dims [1, 2] : tensor<3x33xf32> -> tensor<2x3x33xf32>
  %ps = nn.reshape %each : tensor<2x3x33xf32> -> tensor<6x33xf32>
  %y = arith.addf %x, %ps : tensor<6x33xf32>
  return %y : tensor<6x33xf32>
}

// One result of a row takes the place of what another is computed from.
func.func private @rowsums_57x33_f32(%x: tensor<57x33xf32>, %r: tensor<57xf32>)
    -> (tensor<57xf32> {plan.inplace = [1]}, tensor<57xf32> {plan.inplace = [1]}) attributes {plan.kernel} {
  %s = nn.reduce sum %x dims [1] : tensor<57x33xf32> -> tensor<57xf32>
  %p = arith.mulf %s, %r : tensor<57xf32>
  return %s, %p : tensor<57xf32>, tensor<57xf32>
}

func.func private @halves_9x5_f32(%x: tensor<9x10xf32>, %y: tensor<9x5xf32>)
    -> (tensor<9x10xf32> {plan.inplace = [0]}, tensor<9x5xf32>) attributes {plan.kernel} {
  %a = nn.slice_columns %x from 0 : tensor<9x10xf32> -> tensor<9x5xf32>
  %b = nn.slice_columns %x from 5 : tensor<9x10xf32> -> tensor<9x5xf32>
  %p = arith.mulf %a, %y : tensor<9x5xf32>
  %q = arith.addf %b, %p : tensor<9x5xf32>
  %r = arith.subf %a, %b : tensor<9x5xf32>
  %s = nn.concat_columns %q, %r : tensor<9x5xf32>, tensor<9x5xf32> -> tensor<9x10xf32>
  return %s, %p : tensor<9x10xf32>, tensor<9x5xf32>
}

func.func private @halves_33x128_f32(%x: tensor<33x256xf32>, %y: tensor<33x128xf32>)
    -> (tensor<33x256xf32> {plan.inplace = [0]}, tensor<33x128xf32>) attributes {plan.kernel} {
  %a = nn.slice_columns %x from 0 : tensor<33x256xf32> -> tensor<33x128xf32>
  %b = nn.slice_columns %x from 128 : tensor<33x256xf32> -> tensor<33x128xf32>
  %p = arith.mulf %a, %y : tensor<33x128xf32>
  %q = arith.addf %b, %p : tensor<33x128xf32>
  %r = arith.subf %a, %b : tensor<33x128xf32>
  %s = nn.concat_columns %q, %r : tensor<33x128xf32>, tensor<33x128xf32> -> tensor<33x256xf32>
  return %s, %p : tensor<33x256xf32>, tensor<33x128xf32>
}

func.func private @halves_7x1000_f32(%x: tensor<7x2000xf32>, %y: tensor<7x1000xf32>)
    -> (tensor<7x2000xf32> {plan.inplace = [0]}, tensor<7x1000xf32>) attributes {plan.kernel} {
  %a = nn.slice_columns %x from 0 : tensor<7x2000xf32> -> tensor<7x1000xf32>
  %b = nn.slice_columns %x from 1000 : tensor<7x2000xf32> -> tensor<7x1000xf32>
  %p = arith.mulf %a, %y : tensor<7x1000xf32>
  %q = arith.addf %b, %p : tensor<7x1000xf32>
  %r = arith.subf %a, %b : tensor<7x1000xf32>
  %s = nn.concat_columns %q, %r : tensor<7x1000xf32>, tensor<7x1000xf32> -> tensor<7x2000xf32>
  return %s, %p : tensor<7x2000xf32>, tensor<7x1000xf32>
}

func.func private @rotary_2x3x4x10(%x: tensor<2x3x4x10xf32>, %c: tensor<3x5xf32>, %s: tensor<3x5xf32>)
    -> (tensor<2x3x4x10xf32> {plan.inplace = [0]}) attributes {plan.kernel} {
  %limit = arith.constant dense<3> : tensor<2x3x4x5xi32>
  %one = arith.constant dense<1.0> : tensor<2x3x4x5xf32>
  %zero = arith.constant dense<0.0> : tensor<2x3x4x5xf32>
  %a = nn.slice_columns %x from 0 : tensor<2x3x4x10xf32> -> tensor<2x3x4x5xf32>
  %b = nn.slice_columns %x from 5 : tensor<2x3x4x10xf32> -> tensor<2x3x4x5xf32>
  %head = nn.iota 2 : tensor<2x3x4x5xi32>
  %turns = arith.cmpi slt, %head, %limit : tensor<2x3x4x5xi32>
  %cs = nn.broadcast %c dims [1, 3] : tensor<3x5xf32> -> tensor<2x3x4x5xf32>
  %ss = nn.broadcast %s dims [1, 3] : tensor<3x5xf32> -> tensor<2x3x4x5xf32>
  %cosine = arith.select %turns, %cs, %one : tensor<2x3x4x5xi1>, tensor<2x3x4x5xf32>
  %sine = arith.select %turns, %ss, %zero : tensor<2x3x4x5xi1>, tensor<2x3x4x5xf32>
  %ac = arith.mulf %a, %cosine : tensor<2x3x4x5xf32>
  %bs = arith.mulf %b, %sine : tensor<2x3x4x5xf32>
  %bc = arith.mulf %b, %cosine : tensor<2x3x4x5xf32>
  %as = arith.mulf %a, %sine : tensor<2x3x4x5xf32>
  %first = arith.subf %ac, %bs : tensor<2x3x4x5xf32>
  %second = arith.addf %bc, %as : tensor<2x3x4x5xf32>
  %y = nn.concat_columns %first, %second : tensor<2x3x4x5xf32>, tensor<2x3x4x5xf32> -> tensor<2x3x4x10xf32>
  return %y : tensor<2x3x4x10xf32>
}

func.func private @rotary_1x7x6x64(%x: tensor<1x7x6x64xf32>, %c: tensor<7x32xf32>, %s: tensor<7x32xf32>)
    -> (tensor<1x7x6x64xf32> {plan.inplace = [0]}) attributes {plan.kernel} {
  %limit = arith.constant dense<4> : tensor<1x7x6x32xi32>
  %one = arith.constant dense<1.0> : tensor<1x7x6x32xf32>
  %zero = arith.constant dense<0.0> : tensor<1x7x6x32xf32>
  %a = nn.slice_columns %x from 0 : tensor<1x7x6x64xf32> -> tensor<1x7x6x32xf32>
  %b = nn.slice_columns %x from 32 : tensor<1x7x6x64xf32> -> tensor<1x7x6x32xf32>
  %head = nn.iota 2 : tensor<1x7x6x32xi32>
  %turns = arith.cmpi slt, %head, %limit : tensor<1x7x6x32xi32>
  %cs = nn.broadcast %c dims [1, 3] : tensor<7x32xf32> -> tensor<1x7x6x32xf32>
  %ss = nn.broadcast %s dims [1, 3] : tensor<7x32xf32> -> tensor<1x7x6x32xf32>
  %cosine = arith.select %turns, %cs, %one : tensor<1x7x6x32xi1>, tensor<1x7x6x32xf32>
  %sine = arith.select %turns, %ss, %zero : tensor<1x7x6x32xi1>, tensor<1x7x6x32xf32>
  %ac = arith.mulf %a, %cosine : tensor<1x7x6x32xf32>
  %bs = arith.mulf %b, %sine : tensor<1x7x6x32xf32>
  %bc = arith.mulf %b, %cosine : tensor<1x7x6x32xf32>
  %as = arith.mulf %a, %sine : tensor<1x7x6x32xf32>
  %first = arith.subf %ac, %bs : tensor<1x7x6x32xf32>
  %second = arith.addf %bc, %as : tensor<1x7x6x32xf32>
  %y = nn.concat_columns %first, %second : tensor<1x7x6x32xf32>, tensor<1x7x6x32xf32> -> tensor<1x7x6x64xf32>
  return %y : tensor<1x7x6x64xf32>
}
