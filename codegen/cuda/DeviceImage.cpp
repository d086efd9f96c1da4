//===- DeviceImage.cpp - Machine code of a device ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/DeviceImage.h"
#include "mlir/IR/Threading.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"

using namespace mlir;
using namespace tessera;
using llvm::SmallString;

namespace {

/// The programs of a CUDA toolkit.
struct Toolkit {
  std::string ptxas, fatbinary;

  /// Where CUDA_HOME or CUDA_PATH says, or else on the path or where CUDA is
  /// usually installed; nothing where there is none.
  static std::optional<Toolkit> find();
};

/// A folder of temporary files, removed with all in it.
class TemporaryFolder {
public:
  TemporaryFolder() {
    error = llvm::sys::fs::createUniqueDirectory("tessera-cuda", path);
  }
  ~TemporaryFolder() {
    if (!error)
      llvm::sys::fs::remove_directories(path);
  }
  std::string file(const llvm::Twine &name) const {
    SmallString<128> result = path;
    llvm::sys::path::append(result, name);
    return std::string(result);
  }
  std::error_code error;

private:
  SmallString<128> path;
};

} // namespace

std::optional<Toolkit> Toolkit::find() {
  std::string folder = "/usr/local/cuda/bin";
  bool isNamed = false;
  for (const char *variable : {"CUDA_PATH", "CUDA_HOME"})
    if (auto value = llvm::sys::Process::GetEnv(variable)) {
      folder = *value + "/bin";
      isNamed = true;
    }
  StringRef named[] = {folder};
  auto program = [&](StringRef name) {
    // An empty list means the path.
    for (ArrayRef<StringRef> where :
         {ArrayRef<StringRef>(), ArrayRef<StringRef>(named)})
      if (!(isNamed && where.empty()))
        if (auto found = llvm::sys::findProgramByName(name, where))
          return *found;
    return std::string();
  };
  Toolkit toolkit = {program("ptxas"), program("fatbinary")};
  if (toolkit.ptxas.empty() || toolkit.fatbinary.empty())
    return std::nullopt;
  return toolkit;
}

/// Runs \p arguments and returns what the program wrote, which goes through
/// the file \p log.
static FailureOr<std::string> run(gpu::GPUModuleOp module,
                                  const std::string &log,
                                  ArrayRef<std::string> arguments) {
  std::string message;
  SmallVector<StringRef> views(arguments.begin(), arguments.end());
  std::optional<StringRef> redirects[] = {StringRef(""), StringRef(log),
                                          StringRef(log)};
  int status = llvm::sys::ExecuteAndWait(arguments[0], views, std::nullopt,
                                         redirects, 0, 0, &message);
  auto output = llvm::MemoryBuffer::getFile(log);
  std::string text = output ? (*output)->getBuffer().str() : std::string();
  if (status != 0)
    return module.emitError("the CUDA toolkit failed: ")
           << llvm::join(views, " ") << "\n"
           << message << text;
  return text;
}

/// The number in front of \p unit in \p text, 0 where there is none.
static int64_t numberBefore(StringRef text, StringRef unit) {
  size_t end = text.find(unit);
  if (end == StringRef::npos)
    return 0;
  StringRef before = text.take_front(end).rtrim();
  size_t begin = before.find_last_not_of("0123456789");
  int64_t number = 0;
  before.substr(begin == StringRef::npos ? 0 : begin + 1)
      .getAsInteger(10, number);
  return number;
}

/// Reads what `ptxas -v` says.
static void readReport(StringRef text, StringRef architecture,
                       std::vector<cuda::FunctionReport> &functions) {
  SmallVector<StringRef> lines;
  text.split(lines, '\n');
  for (StringRef line : lines) {
    if (line.contains("Compiling entry function")) {
      StringRef name = line.split('\'').second.split('\'').first;
      functions.emplace_back();
      functions.back().name = name.str();
      functions.back().architecture = architecture.str();
    } else if (line.contains("bytes stack frame")) {
      cuda::FunctionReport &report = functions.back();
      report.stackBytes = numberBefore(line, "bytes stack frame");
      report.spillBytes = numberBefore(line, "bytes spill stores") +
                          numberBefore(line, "bytes spill loads");
    } else if (line.contains("registers")) {
      cuda::FunctionReport &report = functions.back();
      report.registers = numberBefore(line, "registers");
      report.sharedBytes = numberBefore(line, "bytes smem");
    }
  }
}

static LogicalResult writeFile(gpu::GPUModuleOp module, StringRef path,
                               StringRef text) {
  std::error_code error;
  llvm::raw_fd_ostream stream(path, error);
  if (!error)
    stream << text;
  stream.close();
  if (error || stream.has_error())
    return module.emitError("cannot write ") << path;
  return success();
}

FailureOr<cuda::DeviceImage>
cuda::emitImage(gpu::GPUModuleOp module, ArrayRef<std::string> architectures) {
  DeviceImage image;
  std::optional<Toolkit> toolkit = Toolkit::find();
  // PTX for the architectures that follow the last.
  std::string later = getBaseArchitecture(toolkit ? architectures.back()
                                                  : architectures.front())
                          .str();
  FailureOr<DeviceCode> code =
      optimizeDeviceCode(module, toolkit ? architectures.front() : later);
  if (failed(code))
    return failure();
  if (!toolkit) {
    auto ptx = emitPtx(module, *code, later);
    if (failed(ptx))
      return failure();
    image.bytes = *ptx + '\0';
    return image;
  }
  TemporaryFolder folder;
  if (folder.error)
    return module.emitError("cannot make a temporary folder: ")
           << folder.error.message();
  llvm::SetVector<StringRef> names(architectures.begin(), architectures.end());
  size_t cubins = names.size();
  names.insert(later);
  std::vector<std::string> reports(names.size());
  auto assemble = [&](size_t i) -> LogicalResult {
    std::string name = names[i].str();
    std::string source = folder.file(name + ".ptx");
    auto ptx = emitPtx(module, *code, name);
    if (failed(ptx) || failed(writeFile(module, source, *ptx)))
      return failure();
    if (i >= cubins)
      return success();
    auto report = run(module, folder.file(name + ".log"),
                      {toolkit->ptxas, "-v", "-O3", "-arch=" + name, source,
                       "-o", folder.file(name + ".cubin")});
    if (failed(report))
      return failure();
    reports[i] = std::move(*report);
    return success();
  };
  if (failed(failableParallelForEachN(module.getContext(), 0, names.size(),
                                      assemble)))
    return failure();

  std::string fatbin = folder.file("fatbin");
  std::vector<std::string> fatbinary = {toolkit->fatbinary, "-64",
                                        "--create=" + fatbin};
  auto addImage = [&](StringRef kind, StringRef name, StringRef suffix) {
    fatbinary.push_back(("--image3=kind=" + kind + ",sm=" + name.drop_front(3) +
                         ",file=" + folder.file(name + suffix))
                            .str());
  };
  for (size_t i = 0; i < cubins; ++i) {
    readReport(reports[i], names[i], image.functions);
    addImage("elf", names[i], ".cubin");
  }
  addImage("ptx", later, ".ptx");
  if (failed(run(module, folder.file("fatbinary.log"), fatbinary)))
    return failure();
  auto bytes = llvm::MemoryBuffer::getFile(fatbin, /*IsText=*/false,
                                           /*RequiresNullTerminator=*/false);
  if (!bytes)
    return module.emitError("cannot read ") << fatbin;
  image.bytes = (*bytes)->getBuffer().str();
  return image;
}
