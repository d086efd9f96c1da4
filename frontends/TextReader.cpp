//===- TextReader.cpp - Text format to message, with all its errors -------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Protobuf's parser stops at the first wrong value and names neither its field
// nor a remedy. So the text before an error is scanned for the field it is
// about, and after a wrong value the text is parsed again with that field
// blanked out, which finds the next error.
//
//===----------------------------------------------------------------------===//

#include "frontends/TextReader.h"
#include "frontends/Fields.h"
#include "frontends/SourceText.h"
#include "runtime/core/Spelling.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <vector>

using namespace tessera;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::TextFormat;
namespace io = google::protobuf::io;

namespace {

/// A place in a text, both counted from 0.
struct Location {
  int line = 0;
  int column = 0;
};

/// What the parser said.
struct ParserError {
  Location location;
  std::string message;
};

class Recorder final : public io::ErrorCollector {
public:
  void AddError(int line, int column, const std::string &message) override {
    found.push_back({{line, column}, message});
  }
  void AddWarning(int line, int column, const std::string &message) override {
    found.push_back({{line, column}, message});
  }
  std::vector<ParserError> found;
};

class Silence final : public io::ErrorCollector {
  void AddError(int, int, const std::string &) override {}
};

/// The field that the parser was reading when it came to some location.
struct FieldInText {
  std::string path;      ///< "training.optimizer.lr"
  Location name;         ///< Where its name starts.
  Location value;        ///< Where the value starts, if it was reached.
  std::string valueText; ///< The value's first token.
  Location end;          ///< Past that token.
};

} // namespace

/// Scans \p text up to \p location for the field being read there.
static FieldInText fieldBefore(const std::string &text, Location location) {
  io::ArrayInputStream stream(text.data(), static_cast<int>(text.size()));
  Silence silence;
  io::Tokenizer tokenizer(&stream, &silence);
  tokenizer.set_comment_style(io::Tokenizer::SH_COMMENT_STYLE);

  std::vector<std::string> messages;
  std::string name;
  FieldInText result;
  bool afterColon = false;
  bool negative = false;
  while (tokenizer.Next()) {
    const io::Tokenizer::Token &token = tokenizer.current();
    bool reached =
        token.line > location.line ||
        (token.line == location.line && token.column >= location.column);
    bool brace = token.text == "{" || token.text == "<" || token.text == "}" ||
                 token.text == ">";
    if (reached && (!afterColon || brace))
      break;
    if (token.text == "{" || token.text == "<") {
      messages.push_back(name);
      afterColon = false;
    } else if (token.text == "}" || token.text == ">") {
      if (!messages.empty())
        messages.pop_back();
    } else if (token.text == ":") {
      afterColon = true;
      negative = false;
    } else if (afterColon) {
      if (!negative)
        result.value = {token.line, token.column};
      result.valueText = (negative ? "-" : "") + token.text;
      result.end = {token.line, token.end_column};
      negative = token.text == "-";
      afterColon = negative;
    } else if (token.type == io::Tokenizer::TYPE_IDENTIFIER) {
      name = token.text;
      result = FieldInText();
      result.name = {token.line, token.column};
    }
    if (reached && !negative)
      break;
  }
  messages.push_back(name);
  result.path = llvm::join(messages, ".");
  return result;
}

/// The message type that holds the field \p path, or null.
static const Descriptor *typeAround(const Descriptor *root,
                                    llvm::StringRef path) {
  while (root && path.contains('.')) {
    auto [name, rest] = path.split('.');
    const FieldDescriptor *field = root->FindFieldByName(name.str());
    root = field ? field->message_type() : nullptr;
    path = rest;
  }
  return root;
}

/// How deep messages may stand within one another; a specification's stand
/// three deep. The parser, which calls itself for each, has stack for far more.
static constexpr unsigned maxNesting = 64;

/// The most errors of one text that are reported: it is read again for each.
static constexpr unsigned maxErrors = 100;

/// The line and column at \p offset in \p text.
static Location locationOf(llvm::StringRef text, size_t offset) {
  llvm::StringRef before = text.take_front(offset);
  size_t line = before.rfind('\n');
  return {static_cast<int>(before.count('\n')),
          static_cast<int>(offset - (line == before.npos ? 0 : line + 1))};
}

/// The path that \p path, of which one name is a former one, has now; or "".
static std::string pathOfNow(const Descriptor *type, llvm::StringRef path) {
  std::string prefix;
  while (type) {
    auto [name, rest] = path.split('.');
    for (int i = 0; i < type->field_count(); ++i)
      if (type->field(i)->options().GetExtension(spec::formerly) == name) {
        prefix += type->field(i)->name();
        return rest.empty() ? prefix : prefix + "." + rest.str();
      }
    const FieldDescriptor *field = type->FindFieldByName(name.str());
    type = field ? field->message_type() : nullptr;
    prefix += name.str() + ".";
    path = rest;
  }
  return "";
}

/// How to mend the unknown field \p path.
static std::string unknownFieldRemedy(const Descriptor *root,
                                      llvm::StringRef path) {
  std::string name =
      (path.contains('.') ? path.rsplit('.').second : path).str();
  const Descriptor *type = typeAround(root, path);

  if (std::string now = pathOfNow(root, path); !now.empty())
    return "it is called `" + now + "` now";
  if (type) {
    std::vector<std::string> siblings;
    for (int i = 0; i < type->field_count(); ++i)
      siblings.push_back(type->field(i)->name());
    if (std::string near = runtime::nearestName(name, siblings);
        !near.empty()) {
      std::string prefix = path.drop_back(name.size()).str();
      return "did you mean `" + prefix + near + "`?";
    }
  }
  // The right name in the wrong message.
  for (const std::string &candidate : scalarPaths(root)) {
    llvm::StringRef leaf(candidate);
    leaf = leaf.contains('.') ? leaf.rsplit('.').second : leaf;
    if (leaf == name)
      return "did you mean `" + candidate + "`?";
  }
  // A misspelt message.
  std::string near = type ? "" : runtime::nearestName(path, scalarPaths(root));
  if (!near.empty())
    return "did you mean `" + near + "`?";
  return "the fields here are " + fieldNames(type ? type : root);
}

/// The offset of \p location in \p text. Columns count a tab up to the next
/// multiple of 8, as the tokenizer does.
static size_t offsetOf(const std::string &text, Location location) {
  size_t offset = 0;
  for (int line = 0; line < location.line; ++line)
    offset = text.find('\n', offset) + 1;
  for (int column = 0; column < location.column && offset < text.size();
       ++offset)
    column += text[offset] == '\t' ? 8 - column % 8 : 1;
  return offset;
}

static std::string placeIn(llvm::StringRef file, Location location) {
  return (file + ":" + llvm::Twine(location.line + 1) + ":" +
          llvm::Twine(location.column + 1))
      .str();
}

/// Records the places of the fields of a message of \p type, whose path is
/// \p prefix.
static void recordPlaces(const Descriptor *type,
                         const TextFormat::ParseInfoTree &tree,
                         llvm::StringRef file, const std::string &prefix,
                         Diagnostics &diagnostics);

/// Those of the messages of a repeated field, "groups[0]" and so on.
static void recordRepeated(const FieldDescriptor *field,
                           const TextFormat::ParseInfoTree &tree,
                           llvm::StringRef file, const std::string &prefix,
                           Diagnostics &diagnostics) {
  for (int i = 0;; ++i) {
    TextFormat::ParseLocation location = tree.GetLocation(field, i);
    if (location.line < 0)
      return;
    std::string path = prefix + field->name() + "[" + std::to_string(i) + "]";
    diagnostics.setPlace(path, placeIn(file, {location.line, location.column}));
    if (const TextFormat::ParseInfoTree *nested =
            tree.GetTreeForNested(field, i))
      recordPlaces(field->message_type(), *nested, file, path + ".",
                   diagnostics);
  }
}

static void recordPlaces(const Descriptor *type,
                         const TextFormat::ParseInfoTree &tree,
                         llvm::StringRef file, const std::string &prefix,
                         Diagnostics &diagnostics) {
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor *field = type->field(i);
    if (field->is_repeated()) {
      recordRepeated(field, tree, file, prefix, diagnostics);
      continue;
    }
    TextFormat::ParseLocation location = tree.GetLocation(field, -1);
    if (location.line < 0)
      continue;
    std::string path = prefix + field->name();
    diagnostics.setPlace(path, placeIn(file, {location.line, location.column}));
    if (!field->message_type())
      continue;
    if (const TextFormat::ParseInfoTree *nested =
            tree.GetTreeForNested(field, -1))
      recordPlaces(field->message_type(), *nested, file, path + ".",
                   diagnostics);
  }
}

bool tessera::readText(const std::string &original, llvm::StringRef file,
                       Message &message, Diagnostics &diagnostics) {
  const Descriptor *root = message.GetDescriptor();
  std::string text = original;
  size_t tooDeep = findNesting(text, maxNesting, "#");
  if (tooDeep != llvm::StringRef::npos) {
    diagnostics.errorAt(placeIn(file, locationOf(text, tooDeep)),
                        "messages stand more than " +
                            llvm::Twine(maxNesting - 1) +
                            " deep within one another",
                        "no field of a specification is so deep: close the "
                        "messages before with }");
    return false;
  }
  llvm::StringSet<> reported;
  auto report = [&](Location location, const llvm::Twine &what,
                    const llvm::Twine &remedy) {
    std::string place = placeIn(file, location);
    if (reported.insert(place).second)
      diagnostics.errorAt(place, what, remedy);
  };

  while (true) {
    Recorder recorder;
    TextFormat::ParseInfoTree places;
    TextFormat::Parser parser;
    parser.RecordErrorsTo(&recorder);
    parser.WriteLocationsTo(&places);
    // The parser goes on behind an unknown field and calls it a warning.
    parser.AllowUnknownField(true);
    bool complete = parser.ParseFromString(text, &message);

    bool blanked = false;
    for (const ParserError &error : recorder.found) {
      if (reported.size() == maxErrors) {
        diagnostics.errorAt(placeIn(file, error.location), "more is wrong",
                            "mend the errors above first");
        return false;
      }
      llvm::StringRef said = error.message;
      FieldInText at = fieldBefore(text, error.location);
      const Descriptor *type = typeAround(root, at.path);
      const FieldDescriptor *field =
          type ? type->FindFieldByName(
                     llvm::StringRef(at.path).rsplit('.').second.empty()
                         ? at.path
                         : llvm::StringRef(at.path).rsplit('.').second.str())
               : nullptr;

      if (said.contains("has no field named")) {
        report(at.name, "no field `" + at.path + "`",
               unknownFieldRemedy(root, at.path));
        continue;
      }
      if (said.contains("another member of oneof")) {
        bool isModel = field && field->containing_type() == root;
        report(at.name,
               isModel ? "a specification has one model, this one two"
                       : "a specification has one target, this one two",
               isModel ? "keep either `transformer` or `gnn`"
                       : "keep either `cpu` or `cuda`");
        break;
      }
      if (said.contains("specified multiple times")) {
        report(at.name, "`" + at.path + "` is given twice", "keep one of them");
        break;
      }
      bool wrongValue = said.starts_with("Expected integer") ||
                        said.starts_with("Expected double") ||
                        said.starts_with("Expected string") ||
                        said.starts_with("Integer out of range") ||
                        said.starts_with("Invalid value for boolean") ||
                        said.starts_with("Unknown enumeration value");
      if (wrongValue && field && !at.valueText.empty()) {
        report(at.value, "`" + at.path + "` cannot be `" + at.valueText + "`",
               expectedValue(field));
        size_t begin = offsetOf(text, at.name), end = offsetOf(text, at.end);
        for (size_t at = begin; at < end; ++at)
          if (text[at] != '\n')
            text[at] = ' ';
        blanked = end > begin;
        break;
      }
      if (wrongValue && field) {
        report(at.name, "`" + at.path + "` has no value", expectedValue(field));
        break;
      }
      if (said.ends_with("got: ")) {
        report(error.location, "the text ends inside a message",
               "close the message with }");
        break;
      }
      if (said.contains("string literals cannot cross") ||
          said.contains("end of string")) {
        report(error.location, "a text does not end on its line",
               "close it with a double quote");
        break;
      }
      std::string what = said.rtrim('.').str();
      what[0] = llvm::toLower(what[0]);
      report(error.location, what,
             "write a field as `name: value`, a message as `name { ... }` and "
             "a comment after #");
      break;
    }
    if (blanked)
      continue;
    recordPlaces(root, places, file, "", diagnostics);
    return complete;
  }
}

void tessera::applyOverride(const std::string &option, Message &root,
                            Diagnostics &diagnostics) {
  std::string place = "--set " + option;
  llvm::StringRef text(option);
  if (!text.contains('=')) {
    diagnostics.errorAt(place, "no value",
                        "write `--set path=value`, such as "
                        "`--set parallel.world=2`");
    return;
  }
  auto [path, value] = text.split('=');
  path = path.trim();
  value = value.trim();

  Message *message = &root;
  llvm::StringRef rest = path;
  while (true) {
    auto [name, tail] = rest.split('.');
    const FieldDescriptor *field =
        message->GetDescriptor()->FindFieldByName(name.str());
    bool isMessage = field && field->message_type();
    if (!field || (!tail.empty() && !isMessage)) {
      diagnostics.errorAt(place, "no field `" + path + "`",
                          unknownFieldRemedy(root.GetDescriptor(), path));
      return;
    }
    if (field->is_repeated()) {
      diagnostics.errorAt(place, "`" + path + "` is of a list",
                          "give it in the specification's file");
      return;
    }
    if (tail.empty() && isMessage) {
      diagnostics.errorAt(place, "`" + path + "` has fields of its own",
                          "set one of them: " +
                              fieldNames(field->message_type()));
      return;
    }
    const google::protobuf::Reflection *reflection = message->GetReflection();
    if (isMessage) {
      if (const google::protobuf::OneofDescriptor *oneof =
              field->containing_oneof()) {
        const FieldDescriptor *present =
            reflection->GetOneofFieldDescriptor(*message, oneof);
        // Another target takes the place of the one given, another model
        // would leave nothing of the specification.
        bool isModel = field->containing_type() == root.GetDescriptor();
        if (isModel && present && present != field) {
          diagnostics.errorAt(place,
                              "the specification's model is a `" +
                                  present->name() + "`, not a `" +
                                  field->name() + "`",
                              "set a field of `" + present->name() +
                                  "` or take another specification");
          return;
        }
      }
      message = reflection->MutableMessage(message, field);
      rest = tail;
      continue;
    }

    diagnostics.setPlace(path, place);
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      reflection->SetString(message, field, value.trim('"').str());
      return;
    }
    Recorder recorder;
    TextFormat::Parser parser;
    parser.RecordErrorsTo(&recorder);
    reflection->ClearField(message, field);
    if (!parser.ParseFieldValueFromString(value.str(), field, message))
      diagnostics.errorAt(place, "`" + path + "` cannot be `" + value + "`",
                          expectedValue(field));
    return;
  }
}
