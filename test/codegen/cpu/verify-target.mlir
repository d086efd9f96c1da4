// RUN: tessera-opt %s --split-input-file --llvm-verify-target --verify-diagnostics

// expected-error @+1 {{is left in the phase target, which holds nothing but the LLVM dialect}}
func.func private @kernel()

// -----

// expected-error @+1 {{defines no 'tessera_entries': run plan-lower-programs on a module in phase plan}}
module {
  llvm.mlir.global external constant @tessera_manifest("{}\00")
}
