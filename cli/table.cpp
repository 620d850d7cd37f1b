// Options as CLI11 wants them.
#include "table.h"

#include <CLI/CLI.hpp>

namespace hayate::cli {

namespace {
// CLI11's name for the type of a value, which hayate shows nowhere, keeps the choices.
const std::string choice_mark = "one of ";
}  // namespace

std::array<int, 2> parse_pair(const std::string& option, const std::string& text, char separator, const char* form, int low) {
  size_t at = text.find(separator);
  if (at == std::string::npos) refuse("{}: expected {}, got \"{}\"", option, form, text);
  return {parse_number<int>(option, text.substr(0, at), low, largest_side), parse_number<int>(option, text.substr(at + 1), low, largest_side)};
}

CLI::Option* Table::text(const char* names, const char* placeholder, const std::string& help, Take take) {
  CLI::callback_t call = [take = std::move(take)](const CLI::results_t& given) { return std::ranges::for_each(given, take), true; };
  return app->add_option(names, call, help)->option_text(placeholder)->group(group);
}

CLI::Option* Table::choice(const char* name, const std::string& help, const std::string& fallback, const std::vector<std::string>& among, Take take) {
  auto check = [=, option = std::string(name), take = std::move(take)](const std::string& given) {
    if (std::ranges::find(among, given) == among.end()) refuse("{}: expected one of {}, got \"{}\"", option, fmt::join(among, ", "), given);
    take(given);
  };
  return named(name, help, fallback, among, std::move(check));
}

CLI::Option* Table::named(const char* name, const std::string& help, const std::string& fallback, const std::vector<std::string>& among, Take take) {
  std::string about = fmt::format("{}: {}", help, fmt::join(among, ", ")) + (fallback.empty() ? "" : fmt::format(" (default: {})", fallback));
  bool positional = *name != '-';
  return text(name, positional ? "" : "NAME", about, std::move(take))->type_name(choice_mark + fmt::format("{}", fmt::join(among, "|")));
}

CLI::Option* Table::flag(const char* name, const std::string& help, std::function<void()> take) {
  return app->add_flag_callback(name, std::move(take), help)->group(group);
}

CLI::Option* Table::flag(const char* name, const std::string& help, bool& value) {
  return flag(name, help, [&value] { value = true; });
}

CLI::Option* required(CLI::Option* option) { return option->required(); }
CLI::Option* repeatable(CLI::Option* option) { return option->expected(1, -1)->allow_extra_args(false); }

// CLI11 splits a text like "[a, b]" where any number of arguments is allowed, so their number is fixed, and then not checked.
CLI::Option* several(CLI::Option* option, int most) { return option->expected(most)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll); }

void exclusive(CLI::Option* a, CLI::Option* b) { a->excludes(b); }

void inseparable(CLI::Option* a, CLI::Option* b) {
  a->needs(b);
  b->needs(a);
}

void needs(CLI::Option* option, CLI::Option* other) { option->needs(other); }

std::vector<std::string> choices_of(const CLI::Option& option) {
  std::string type = option.get_type_name();
  return type.starts_with(choice_mark) ? CLI::detail::split(type.substr(choice_mark.size()), '|') : std::vector<std::string>{};
}

}  // namespace hayate::cli
