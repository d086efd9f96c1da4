//===- PlanOps.td - Operations of the plan dialect ---------*- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_PLAN_PLANOPS_TD
#define TESSERA_DIALECTS_PLAN_PLANOPS_TD

include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Plan_Dialect : Dialect {
  let name = "plan";
  let cppNamespace = "::tessera::plan";
  let summary = "What a step runs, and where in memory";
  let description = [{
    In the phase `kernels` the operations work on tensors: each result is a new
    value. In the phase `plan` they work on views of the arena's buffers:
    results have become operands. See docs/rationale-plan.md.

    A kernel is a `func.func` with the attribute `plan.kernel`, from tensors to
    tensors. Its result attribute `plan.inplace`, an array of argument numbers,
    says which arguments that result may overwrite; a result with the unit
    attribute `plan.accumulate` is added to its buffer, which persists over the
    micro-batches of a step and is cleared when the step begins.
  }];
}

class Plan_Op<string mnemonic, list<Trait> traits = []>
    : Op<Plan_Dialect, mnemonic, traits>;

def Plan_Tensor : StaticShapeTensorOf<[AnyFloat, I32, I1]>;
def Plan_Buffer : StaticShapeMemRefOf<[AnyFloat, I32, I1, I8]>;
def Plan_Value : AnyTypeOf<[Plan_Tensor, Plan_Buffer]>;

def Plan_LaunchOp : Plan_Op<"launch", [
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "run a kernel";
  let description = [{
    On tensors the operands are the kernel's arguments and the results its
    results. On buffers the operands are the arguments followed by the results.

    ```mlir
    %y = plan.launch @gelu(%x) : (tensor<128x256xf32>) -> tensor<128x256xf32>
    plan.launch @gelu(%x, %y) : (memref<128x256xf32>, memref<128x256xf32>) -> ()
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<Plan_Value>:$inputs);
  let results = (outs Variadic<Plan_Tensor>:$outputs);
  let assemblyFormat = [{
    $kernel `(` $inputs `)` attr-dict `:` functional-type($inputs, $outputs)
  }];
}

def Plan_Epilogue : I32EnumAttr<"Epilogue", "what follows a product", [
  I32EnumAttrCase<"None", 0, "none">,
  I32EnumAttrCase<"Gelu", 1, "gelu">]> {
  let cppNamespace = "::tessera::plan";
}

def Plan_GemmOp : Plan_Op<"gemm", [AttrSizedOperandSegments]> {
  let summary = "product of matrices by the target's library";
  let description = [{
    result = epilogue(op(a) · op(b) + bias + addend). The bias is one value a
    column. The addend shares the result's memory where its own value is not
    needed later. With `accumulate` the product is added to the result's
    buffer, which persists over the micro-batches of a step and is cleared when
    the step begins. On buffers the result is the operand `out`, and an addend
    is that same buffer's content.

    ```mlir
    %c = plan.gemm %a, %b transpose_b bias %bias epilogue gelu
        : (tensor<128x64xf32>, tensor<256x64xf32>, tensor<256xf32>) -> tensor<128x256xf32>
    ```
  }];
  let arguments = (ins Plan_Value:$a, Plan_Value:$b,
                       Optional<Plan_Value>:$bias, Optional<Plan_Value>:$addend,
                       Optional<Plan_Buffer>:$out, UnitAttr:$transpose_a,
                       UnitAttr:$transpose_b, UnitAttr:$accumulate,
                       DefaultValuedAttr<Plan_Epilogue, "Epilogue::None">:$epilogue);
  let results = (outs Optional<Plan_Tensor>:$result);
  let assemblyFormat = [{
    $a `,` $b (`transpose_a` $transpose_a^)? (`transpose_b` $transpose_b^)?
    (`bias` $bias^)? (`add` $addend^)? (`into` $out^)?
    (`accumulate` $accumulate^)? (`epilogue` $epilogue^)? attr-dict `:`
    functional-type(operands, results)
  }];
  let extraClassDeclaration = [{
    /// Sizes of the product: m x k by k x n.
    int64_t getM() { return shape(getA(), getTransposeA()); }
    int64_t getK() { return shape(getA(), !getTransposeA()); }
    int64_t getN() { return shape(getB(), !getTransposeB()); }
  private:
    static int64_t shape(::mlir::Value matrix, unsigned dim) {
      return ::llvm::cast<::mlir::ShapedType>(matrix.getType()).getDimSize(dim);
    }
  public:
  }];
  let hasVerifier = 1;
}

#endif // TESSERA_DIALECTS_PLAN_PLANOPS_TD
