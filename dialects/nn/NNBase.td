//===- NNBase.td - The nn dialect and what its operations share *- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_NN_NNBASE_TD
#define TESSERA_DIALECTS_NN_NNBASE_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/nn/NNInterfaces.td"

def NN_Dialect : Dialect {
  let name = "nn";
  let cppNamespace = "::tessera::nn";
  let summary = "Parameters and the mathematics of models";
  let description = [{
    Tensors are static in shape. Elementwise arithmetic is `arith` and `math`
    on tensors, which upstream folds, prints and vectorises; this dialect adds
    what they lack: parameters, broadcast, reduction, matmuls, and the
    composites that have a closed-form backward pass and a fused kernel. See
    docs/rationale-nn.md.

    Function arguments are named by the attribute `nn.input`, results by
    `nn.output`; the names are those of docs/manifest.md.
  }];
  let hasConstantMaterializer = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

class NN_Op<string mnemonic, list<Trait> traits = []>
    : Op<NN_Dialect, mnemonic, traits>;
class NN_PureOp<string mnemonic, list<Trait> traits = []>
    : NN_Op<mnemonic, !listconcat([Pure], traits)>;
def NN_Decomposable : DeclareOpInterfaceMethods<DecomposableOpInterface>;
class NN_DifferentiableOp<string mnemonic, list<Trait> traits = []>
    : NN_PureOp<mnemonic, !listconcat(
        [DeclareOpInterfaceMethods<DifferentiableOpInterface>], traits)>;

/// See MovesElements in NN.h.
def NN_MovesElements : NativeOpTrait<"MovesElements"> {
  let cppNamespace = "::tessera::nn";
}
def NN_MixedPrecision : DeclareOpInterfaceMethods<MixedPrecisionOpInterface>;
def NN_OneStaysWide
    : DeclareOpInterfaceMethods<MixedPrecisionOpInterface, ["staysWide"]>;

/// Computing it takes about as long as reading its operands, so that doing it
/// again can be better than storing its result. Elementwise operations are so
/// without saying it.
def NN_Cheap : NativeOpTrait<"Cheap"> {
  let cppNamespace = "::tessera::nn";
}

def NN_Float : StaticShapeTensorOf<[AnyFloat]>;
def NN_Int : StaticShapeTensorOf<[I32]>;
def NN_Bytes : StaticShapeTensorOf<[I8]>;
/// What a parameter or a cache holds: numbers, or bytes that stand for them.
def NN_Stored : StaticShapeTensorOf<[AnyFloat, I8]>;
def NN_Tensor : StaticShapeTensorOf<[AnyFloat, I32, I64, I8, I1]>;

#endif // TESSERA_DIALECTS_NN_NNBASE_TD
