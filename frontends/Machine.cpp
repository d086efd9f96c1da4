//===- Machine.cpp - The machine that times are predicted for -------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/Machine.h"
#include "frontends/TextReader.h"
#include "frontends/validation/Validation.h"

using namespace tessera;
using google::protobuf::FieldDescriptor;

static constexpr llvm::StringLiteral remedy =
    "give a file that holds `machine { ... }`, as `tessera calibrate -o FILE` "
    "writes it";

static std::optional<spec::Real> real(bool has, double value) {
  return has ? std::optional(spec::Real(value)) : std::nullopt;
}

static spec::LinkAttr linkAttr(const spec::Link &given,
                               mlir::MLIRContext &context) {
  return spec::LinkAttr::get(
      &context, real(given.has_latency_us(), given.latency_us()),
      real(given.has_gbytes(), given.gbytes()),
      given.has_overlaps_compute()
          ? mlir::BoolAttr::get(&context, given.overlaps_compute())
          : mlir::BoolAttr());
}

spec::MachineAttr tessera::machineAttr(const spec::Machine &given,
                                       mlir::MLIRContext &context) {
  auto whole = [](bool has, int64_t value) {
    return has ? std::optional(value) : std::nullopt;
  };
  return spec::MachineAttr::get(
      &context,
      given.has_name() ? mlir::StringAttr::get(&context, given.name())
                       : mlir::StringAttr(),
      whole(given.has_cores(), given.cores()),
      whole(given.has_ranks_per_node(), given.ranks_per_node()),
      real(given.has_fp32_gflops(), given.fp32_gflops()),
      real(given.has_bf16_gflops(), given.bf16_gflops()),
      real(given.has_fp32_gemm_gflops(), given.fp32_gemm_gflops()),
      real(given.has_bf16_gemm_gflops(), given.bf16_gemm_gflops()),
      real(given.has_memory_gbytes(), given.memory_gbytes()),
      real(given.has_cache_gbytes(), given.cache_gbytes()),
      real(given.has_cache_mib(), given.cache_mib()),
      real(given.has_launch_us(), given.launch_us()),
      linkAttr(given.intra_node(), context),
      linkAttr(given.inter_node(), context));
}

bool tessera::readMachine(const SourceText &source, spec::Machine &machine,
                          Diagnostics &diagnostics) {
  unsigned before = diagnostics.count();
  spec::Specification message;
  readText(source.text, source.path, message, diagnostics);
  if (diagnostics.count() != before)
    return false;
  std::vector<const FieldDescriptor *> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor *field : fields)
    if (field->name() != "machine")
      diagnostics.error(field->name(),
                        "`" + field->name() + "` is not for a machine's file",
                        "leave only `machine { ... }` there");
  if (fields.empty())
    diagnostics.errorAt(source.path, "describes no machine", remedy);
  machine = message.machine();
  return diagnostics.count() == before;
}

std::optional<SourceText> tessera::loadMachine(llvm::StringRef path,
                                               llvm::raw_ostream &errors) {
  llvm::Expected<SourceText> source =
      readSource(path, maxSpecificationBytes, remedy);
  if (source)
    return std::move(*source);
  errors << path << ": error: " << llvm::toString(source.takeError()) << "\n";
  return std::nullopt;
}

std::optional<spec::Machine> tessera::parseMachine(const SourceText &source,
                                                   llvm::raw_ostream &errors) {
  Diagnostics diagnostics(source.path, errors);
  spec::Specification message;
  if (!readMachine(source, *message.mutable_machine(), diagnostics))
    return std::nullopt;
  validate(message, /*complete=*/false, diagnostics);
  if (diagnostics.count() != 0)
    return std::nullopt;
  return message.machine();
}
