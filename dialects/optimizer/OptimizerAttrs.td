//===- OptimizerAttrs.td - The optimizers ------------------*- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_OPTIMIZER_OPTIMIZERATTRS_TD
#define TESSERA_DIALECTS_OPTIMIZER_OPTIMIZERATTRS_TD

include "mlir/IR/AttrTypeBase.td"
include "dialects/optimizer/OptimizerInterface.td"

def Optimizer_Dialect : Dialect {
  let name = "optimizer";
  let cppNamespace = "::tessera::optimizer";
  let summary = "Optimizers as attributes";
  let description = [{
    An optimizer is an attribute with its hyperparameters, which `zero.update`
    names. It implements `OptimizerAttrInterface`: its states, the numbers of a
    step and its formula. In the formulas below g is the clipped gradient, lr the
    step's learning rate times the class's `lr_scale`, wd the class's weight
    decay, and t the number of the update. See docs/rationale-zero.md.
  }];
  let useDefaultAttributePrinterParser = 1;
  /// What formulas are written in.
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

class Optimizer_Attr<string name, string attrMnemonic>
    : AttrDef<Optimizer_Dialect, name, [
        DeclareAttrInterfaceMethods<OptimizerAttrInterface>]> {
  let mnemonic = attrMnemonic;
  let genVerifyDecl = 1;
}

/// An attribute of f64: in the text of a module a number without a type.
class Optimizer_Number<string desc>
    : AttrParameter<"::mlir::FloatAttr", desc>;

def Optimizer_AdamWAttr : Optimizer_Attr<"AdamW", "adamw"> {
  let summary = "Adam with decoupled weight decay";
  let description = [{
    Loshchilov and Hutter, arXiv 1711.05101, algorithm 2:

      m' = beta1 · m + (1 - beta1) · g
      v' = beta2 · v + (1 - beta2) · g²
      p' = (1 - lr · wd) · p - lr · (m' / (1 - beta1^t)) / (sqrt(v' / (1 - beta2^t)) + eps)

    ```mlir test/dialects/optimizer/syntax.mlir#adamw
    #adamw = #optimizer.adamw<beta1 = 0.9, beta2 = 0.75, eps = 1.0e-8>
    ```

    Constraints: betas from 0 to below 1, eps above 0.
  }];
  let parameters = (ins Optimizer_Number<"decay of the mean">:$beta1,
                        Optimizer_Number<"decay of the square's mean">:$beta2,
                        Optimizer_Number<"added to the root">:$eps);
  let assemblyFormat = "`<` struct(params) `>`";
}

def Optimizer_AdamAttr : Optimizer_Attr<"Adam", "adam"> {
  let summary = "Adam with weight decay in the gradient";
  let description = [{
    Kingma and Ba, arXiv 1412.6980, algorithm 1, as torch.optim.Adam:

      h  = g + wd · p
      m' = beta1 · m + (1 - beta1) · h
      v' = beta2 · v + (1 - beta2) · h²
      p' = p - lr · (m' / (1 - beta1^t)) / (sqrt(v' / (1 - beta2^t)) + eps)

    ```mlir test/dialects/optimizer/syntax.mlir#adam
    #adam = #optimizer.adam<beta1 = 0.9, beta2 = 0.75, eps = 1.0e-8>
    ```

    Constraints: betas from 0 to below 1, eps above 0.
  }];
  let parameters = (ins Optimizer_Number<"decay of the mean">:$beta1,
                        Optimizer_Number<"decay of the square's mean">:$beta2,
                        Optimizer_Number<"added to the root">:$eps);
  let assemblyFormat = "`<` struct(params) `>`";
}

def Optimizer_SGDAttr : Optimizer_Attr<"SGD", "sgd"> {
  let summary = "stochastic gradient descent";
  let description = [{
    As torch.optim.SGD without dampening. Momentum is Polyak's, or Nesterov's in
    the form of Sutskever et al. (ICML 2013, section 2.1):

      h  = g + wd · p
      b' = momentum · b + h
      p' = p - lr · b'                        or, with nesterov,
      p' = p - lr · (h + momentum · b')

    With a momentum of 0 there is no state, and p' = p - lr · h.

    ```mlir test/dialects/optimizer/syntax.mlir#sgd
    #nesterov = #optimizer.sgd<momentum = 0.9, nesterov = true>
    ```

    Constraints: momentum from 0 to below 1; nesterov only with momentum.
  }];
  let parameters = (ins Optimizer_Number<"decay of the sum">:$momentum,
                        "bool":$nesterov);
  let assemblyFormat = "`<` struct(params) `>`";
}

def Optimizer_LionAttr : Optimizer_Attr<"Lion", "lion"> {
  let summary = "the sign of a mean of gradients";
  let description = [{
    Chen et al., arXiv 2302.06675, algorithm 2:

      p' = (1 - lr · wd) · p - lr · sign(beta1 · m + (1 - beta1) · g)
      m' = beta2 · m + (1 - beta2) · g

    ```mlir test/dialects/optimizer/syntax.mlir#lion
    #lion = #optimizer.lion<beta1 = 0.9, beta2 = 0.75>
    ```

    Constraints: betas from 0 to below 1.
  }];
  let parameters = (ins Optimizer_Number<"weight of the mean in a step">:$beta1,
                        Optimizer_Number<"decay of the mean">:$beta2);
  let assemblyFormat = "`<` struct(params) `>`";
}

#endif // TESSERA_DIALECTS_OPTIMIZER_OPTIMIZERATTRS_TD
