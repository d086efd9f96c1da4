//===- CommandTable.cpp - A command line as a table -----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/CommandTable.h"
#include "runtime/core/Version.h"
#include <algorithm>
#include <cctype>
#include <iterator>

namespace tessera::runtime {

bool findTableForm(const std::string &name, TableForm &form) {
  constexpr std::pair<const char *, TableForm> forms[] = {
      {"man", TableForm::Man},
      {"bash", TableForm::Bash},
      {"zsh", TableForm::Zsh}};
  for (auto [known, value] : forms)
    if (name == known) {
      form = value;
      return true;
    }
  return false;
}

namespace {

std::string replaceAll(std::string text, const std::string &from,
                       const std::string &to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos;
       at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

std::string join(const std::vector<std::string> &parts, const char *between) {
  std::string joined;
  for (const std::string &part : parts)
    joined += (joined.empty() ? "" : between) + part;
  return joined;
}

//===--- What completes the value of an option ----------------------------===//

enum class ValueKind { None, Choice, Field, Sweep, File, Folder, Other };

ValueKind kindOf(const OptionRow &option) {
  if (option.value.empty())
    return ValueKind::None;
  if (!option.choices.empty())
    return ValueKind::Choice;
  if (option.value == "path=value")
    return ValueKind::Field;
  if (option.value.starts_with("path"))
    return ValueKind::Sweep;
  if (option.value == "DIR")
    return ValueKind::Folder;
  static constexpr const char *files[] = {"FILE", "PATH", "GRAPH", "T"};
  bool isFile = std::find(std::begin(files), std::end(files), option.value) !=
                std::end(files);
  return isFile ? ValueKind::File : ValueKind::Other;
}

std::vector<std::string> commandNames(const CommandTable &table) {
  std::vector<std::string> names;
  for (const CommandRow &command : table.commands)
    names.push_back(command.name);
  return names;
}

/// Each field's path and "=".
std::vector<std::string> fieldWords(const CommandTable &table) {
  std::vector<std::string> words;
  for (const FieldRow &field : table.fields)
    words.push_back(field.path + "=");
  return words;
}

/// A name for functions of the shell.
std::string functionName(const CommandTable &table) {
  std::string name = "_" + table.name;
  for (char &letter : name)
    if (!isalnum(static_cast<unsigned char>(letter)))
      letter = '_';
  return name;
}

/// \p text as one word of a shell.
std::string quoted(const std::string &text) {
  return "'" + replaceAll(text, "'", "'\\''") + "'";
}

//===--- man(7) -----------------------------------------------------------===//

/// \p text as troff reads it: its dashes are those that options begin with, and
/// no line begins with a control character.
std::string troff(const std::string &text) {
  std::string escaped = replaceAll(replaceAll(text, "\\", "\\e"), "-", "\\-");
  if (escaped.starts_with(".") || escaped.starts_with("'"))
    escaped = "\\&" + escaped;
  return replaceAll(replaceAll(escaped, "\n.", "\n\\&."), "\n'", "\n\\&'");
}

std::string bold(const std::string &text) { return "\\fB" + text + "\\fR"; }
std::string italic(const std::string &text) { return "\\fI" + text + "\\fR"; }

/// \p text, which has its full stop or none, as a sentence.
std::string sentence(const std::string &text) {
  if (text.empty())
    return "\\&\n";
  return troff(text) + (text.ends_with(".") ? "\n" : ".\n");
}

void addOption(std::string &page, const OptionRow &option) {
  page += ".TP\n" + bold(troff(option.name));
  if (!option.value.empty())
    page += " " + italic(troff(option.value));
  page += "\n" + sentence(option.help);
  if (!option.choices.empty() && option.value.find('|') == std::string::npos)
    page += "One of " + troff(join(option.choices, ", ")) + ".\n";
  if (option.repeats)
    page += "May be given several times.\n";
}

void addCommand(std::string &page, const CommandTable &table,
                const CommandRow &command) {
  page += ".SS " + troff(command.name) + "\n" + troff(command.summary) +
          ".\n.PP\n" + bold(troff(table.name)) + " " +
          bold(troff(command.name));
  if (!command.operands.empty())
    page += " " + italic(troff(command.operands));
  for (const OptionRow &option : command.options)
    if (option.required)
      page +=
          " " + bold(troff(option.name)) + " " + italic(troff(option.value));
  page += " [" + italic("options") + "]\n";
  for (const OptionRow &option : command.options)
    addOption(page, option);
}

/// What the program is called with.
std::string writeSynopsis(const CommandTable &table) {
  std::string name = bold(troff(table.name));
  std::string help = bold("\\-\\-help"), version = bold("\\-\\-version");
  std::string options = "[" + italic("options") + "]";
  std::string whole = " " + options + " " + italic(troff(table.operands));
  if (!table.commands.empty()) {
    whole = " " + italic("command") + " " + options;
    help = "[" + italic("command") + "] " + help;
  }
  return name + whole + "\n.br\n" + name + " " + help + "\n.br\n" + name + " " +
         version + "\n";
}

std::string writeMan(const CommandTable &table) {
  std::string title = table.name;
  std::transform(title.begin(), title.end(), title.begin(), [](char letter) {
    return static_cast<char>(toupper(static_cast<unsigned char>(letter)));
  });
  std::string page =
      ".TH \"" + troff(title) + "\" 1 \"" + version.date + "\" \"Tessera " +
      version.tessera + "\" \"Tessera\"\n.SH NAME\n" + troff(table.name) +
      " \\- " + troff(table.summary) + "\n.SH SYNOPSIS\n" +
      writeSynopsis(table) + ".SH DESCRIPTION\n" +
      replaceAll(troff(table.description), "\n\n", "\n.PP\n") + "\n";
  if (!table.commands.empty())
    page += ".SH COMMANDS\n";
  for (const CommandRow &command : table.commands)
    addCommand(page, table, command);
  for (const OptionSection &section : table.sections) {
    page += ".SH " + troff(section.title) + "\n";
    for (const OptionRow &option : section.options)
      addOption(page, option);
  }
  if (!table.fields.empty()) {
    page += ".SH FIELDS\nPaths that options with " + italic("path") +
            " take. A text stands in double quotes.\n";
    for (const FieldRow &field : table.fields)
      page += ".TP\n" + bold(troff(field.path)) + "\n" +
              (field.values.empty() ? "\\&" : troff(join(field.values, ", "))) +
              "\n";
  }
  if (!table.environment.empty())
    page += ".SH ENVIRONMENT\n";
  for (const auto &[variable, help] : table.environment)
    page += ".TP\n" + bold(troff(variable)) + "\n" + troff(help) + ".\n";
  page +=
      table.commands.empty()
          ? ".SH EXIT STATUS\n0 done, 1 an error.\n"
          : ".SH EXIT STATUS\n0 done, 1 an error, 128 + N ended by signal N "
            "with its work cut short.\n";
  if (!table.seeAlso.empty())
    page += ".SH SEE ALSO\n" + troff(table.seeAlso) + "\n";
  return page;
}

//===--- bash -------------------------------------------------------------===//

/// A line of the case that finds the values of an option.
void addBashOption(std::string &script, const CommandRow &command,
                   const OptionRow &option) {
  std::string what;
  switch (kindOf(option)) {
  case ValueKind::None:
    return;
  case ValueKind::Choice:
    what = "values " + quoted(join(option.choices, " "));
    break;
  case ValueKind::Field:
    what = "field";
    break;
  case ValueKind::Sweep:
    what = "path";
    break;
  case ValueKind::File:
    what = "file";
    break;
  case ValueKind::Folder:
    what = "folder";
    break;
  case ValueKind::Other:
    what = "other";
    break;
  }
  script += "    " + quoted(command.name + " " + option.name) + ") kind=(" +
            what + ") ;;\n";
}

std::string writeBash(const CommandTable &table) {
  std::string name = functionName(table);
  std::string script =
      "# Completion of " + table.name +
      " for bash, written from its table of options.\n" + name + "() {" + R"(
  local line=${COMP_LINE:0:COMP_POINT} words word command option prefix=
  local kind=() options= known=
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  word=${words[-1]} command=${words[1]}
  COMPREPLY=()
  if ((${#words[@]} == 2)); then
    compopt +o default 2>/dev/null
)" + "    COMPREPLY=($(compgen -W " +
      quoted(join(commandNames(table), " ") + " --help --version") +
      R"( -- "$word"))
    return
  fi
  case $command in
)";
  for (const CommandRow &command : table.commands) {
    std::vector<std::string> options;
    for (const OptionRow &option : command.options)
      options.push_back(option.name);
    options.push_back("--help");
    script += "  " + quoted(command.name) +
              ") options=" + quoted(join(options, " ")) + " ;;\n";
  }
  script += R"(  *) return ;;
  esac
  # The option that the word is the value of: the word before, or its own
  # beginning.
  option=${words[-2]}
  [[ $word == --*=* ]] && option=${word%%=*} prefix=$option= word=${word#*=}
  case "$command $option" in
)";
  for (const CommandRow &command : table.commands)
    for (const OptionRow &option : command.options)
      addBashOption(script, command, option);
  script += R"(  esac
  # Names of files are readline's, which knows how to quote them.
  case ${kind[0]} in
  file) return ;;
  folder)
    compopt -o dirnames +o default 2>/dev/null
    return
    ;;
  '')
    [[ $word != -* ]] && return
    known=$options
    ;;
  values) known=${kind[1]} ;;
)";
  if (!table.fields.empty()) {
    script +=
        "  field | path)\n    known=" + quoted(join(fieldWords(table), " ")) +
        R"(
    if [[ $word == *=* ]]; then
      known=
      prefix+=${word%%=*}=
      case ${word%%=*} in
)";
    for (const FieldRow &field : table.fields)
      if (!field.values.empty())
        script += "      " + field.path +
                  ") known=" + quoted(join(field.values, " ")) + " ;;\n";
    script += R"(      esac
      word=${word#*=}
    else
      compopt -o nospace 2>/dev/null
    fi
    ;;
)";
  }
  script += R"(  esac
  compopt +o default 2>/dev/null
  COMPREPLY=($(compgen -W "$known" -- "$word"))
  # What readline replaces begins behind the last '=' where that breaks words.
  if [[ $COMP_WORDBREAKS != *=* ]]; then
    COMPREPLY=("${COMPREPLY[@]/#/$prefix}")
  fi
}
)";
  return script + "complete -o default -F " + name + " " + quoted(table.name) +
         "\n";
}

//===--- zsh --------------------------------------------------------------===//

/// \p text within a specification of _arguments: brackets and colons end its
/// parts.
std::string zshText(const std::string &text) {
  std::string escaped = replaceAll(text, "\\", "\\\\");
  for (const char *mark : {"[", "]", ":"})
    escaped = replaceAll(escaped, mark, std::string("\\") + mark);
  return escaped;
}

/// What _arguments does for the value of \p option.
std::string zshAction(const OptionRow &option, const std::string &function) {
  switch (kindOf(option)) {
  case ValueKind::Choice:
    return "(" + join(option.choices, " ") + ")";
  case ValueKind::Field:
  case ValueKind::Sweep:
    return function + "_fields";
  case ValueKind::File:
    return "_files";
  case ValueKind::Folder:
    return "_files -/";
  case ValueKind::None:
  case ValueKind::Other:
    break;
  }
  return " ";
}

std::string zshOption(const OptionRow &option, const std::string &function) {
  std::string text = option.repeats ? "*" : "";
  text += option.name;
  if (!option.value.empty() && option.name.starts_with("--"))
    text += "=";
  text += "[" + zshText(option.help) + "]";
  if (!option.value.empty())
    text += ":" + replaceAll(option.value, ":", "\\:") + ":" +
            zshAction(option, function);
  return quoted(text);
}

std::string writeZsh(const CommandTable &table) {
  std::string name = functionName(table);
  std::string script = "#compdef " + table.name + "\n# Completion of " +
                       table.name +
                       " for zsh, written from its table of options.\n";
  if (!table.fields.empty()) {
    script += name + "_fields() {\n" + "  if ! compset -P 1 '*='; then\n" +
              "    compadd -S '' -- " + join(fieldWords(table), " ") +
              "\n    return\n  fi\n"
              "  local field=${${IPREFIX%=}##*=}\n  case $field in\n";
    for (const FieldRow &field : table.fields)
      if (!field.values.empty())
        script += "  " + field.path + ") compadd -- " +
                  join(field.values, " ") + " ;;\n";
    script += "  esac\n}\n";
  }
  script += name + "() {\n  local -a commands=(\n";
  for (const CommandRow &command : table.commands)
    script +=
        "    " + quoted(command.name + ":" + zshText(command.summary)) + "\n";
  script += "  )\n  if ((CURRENT == 2)); then\n"
            "    _describe command commands\n"
            "    compadd -- --help --version\n    return\n  fi\n"
            "  local command=$words[2]\n  shift words\n  ((CURRENT--))\n"
            "  case $command in\n";
  for (const CommandRow &command : table.commands) {
    script += "  " + command.name + ")\n    _arguments \\\n";
    for (const OptionRow &option : command.options)
      script += "      " + zshOption(option, name) + " \\\n";
    script += "      '--help[print this and exit]'";
    if (!command.operands.empty())
      script +=
          " \\\n      " + quoted("*:" + zshText(command.operands) + ":_files");
    script += "\n    ;;\n";
  }
  script += "  esac\n}\n";
  // Loaded by its name, or sourced.
  return script + "if [ \"$funcstack[1]\" = " + quoted(name) + " ]; then\n  " +
         name + " \"$@\"\nelse\n  compdef " + name + " " + quoted(table.name) +
         "\nfi\n";
}

} // namespace

std::string writeTable(const CommandTable &table, TableForm form) {
  switch (form) {
  case TableForm::Man:
    return writeMan(table);
  case TableForm::Bash:
    return writeBash(table);
  case TableForm::Zsh:
    return writeZsh(table);
  }
  return "";
}

} // namespace tessera::runtime
