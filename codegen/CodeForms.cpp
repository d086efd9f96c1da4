//===- CodeForms.cpp - Code as text ---------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/CodeForms.h"
#include "codegen/ObjectEmission.h"
#include "codegen/cuda/DeviceImage.h"
#include "dialects/plan/Plan.h"
#include "dialects/spec/Spec.h"

#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace tessera;

static LogicalResult writePtx(ModuleOp module, StringRef path) {
  auto device = module.lookupSymbol<gpu::GPUModuleOp>(
      plan::PlanDialect::deviceModuleName);
  spec::SpecificationAttr specification = spec::getSpecification(module);
  auto target = specification
                    ? dyn_cast<spec::CudaAttr>(specification.getTarget())
                    : spec::CudaAttr();
  if (!device || !target)
    return module.emitError("has no device code, which PTX is of: give the "
                            "specification target.cuda, or write llvm or asm");
  std::string architecture = cuda::splitArchitectures(target.getArch()).front();
  auto code = cuda::optimizeDeviceCode(device, architecture);
  if (failed(code))
    return failure();
  FailureOr<std::string> ptx = cuda::emitPtx(device, *code, architecture);
  if (failed(ptx))
    return failure();
  std::error_code error;
  llvm::raw_fd_ostream stream(path, error);
  if (!error)
    stream << *ptx;
  stream.close();
  if (error || stream.has_error())
    return device.emitError("cannot write ") << path;
  return success();
}

LogicalResult codegen::emitCode(ModuleOp module, CodeForm form,
                                StringRef path) {
  if (form == CodeForm::Ptx)
    return writePtx(module, path);
  for (auto device :
       llvm::make_early_inc_range(module.getOps<gpu::GPUModuleOp>()))
    device.erase();
  return emitText(module, form == CodeForm::Assembly, path);
}
