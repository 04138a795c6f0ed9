// TOML to Config by the table of keys.h. toml++ and its exceptions stay in this file.
#include <stdexcept>
// Where asserts are compiled out toml++ drops its own as well, and goes on with what they guard.
#undef NDEBUG
// Some malformed keys ("[[[[") reach an assertion of toml++ 3.3 instead of an error of it; a person's file must end no
// engine.
[[noreturn]] static void refuse_malformed() { throw std::runtime_error("malformed key"); }
#define TOML_ASSERT(condition) ((condition) ? void() : refuse_malformed())
#define TOML_EXCEPTIONS 1
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "base/file.h"
#include "config/keys.h"
#include "config/suggest.h"
#include "sli/definition.h"

namespace honeylink::telemetry::config {
namespace {

constexpr std::size_t kConfigBytesMax = 1 << 20;  // a person writes it; anything larger is a mistake
constexpr std::size_t kSlisMax = 256;

std::string_view kind_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a real number";
    case toml::node_type::boolean:
      return "true or false";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::table:
      return "a section";
    default:
      return "a date or time";
  }
}

/// Takes one value into its place. Answers what is wrong, or nothing.
struct Taker {
  const toml::node& node;
  double least, most;
  std::string_view one_of;

  std::string wrong(std::string_view wanted) const {
    return "must be " + std::string(wanted) + ", is " + std::string(kind_of(node));
  }
  std::string range(double value) const {
    if (std::isfinite(value) && value >= least && value <= most) return {};
    auto lo = least, hi = most;
    std::string text = "is out of its range";
    if (std::isfinite(lo)) text += ": at least " + to_toml(&lo);
    if (std::isfinite(hi)) text += (std::isfinite(lo) ? ", at most " : ": at most ") + to_toml(&hi);
    return text;
  }
  std::string operator()(bool* to) const {
    const auto value = node.value_exact<bool>();
    return value ? (*to = *value, std::string{}) : wrong("true or false");
  }
  std::string operator()(std::int64_t* to) const {
    const auto value = node.value_exact<std::int64_t>();
    if (!value) return wrong("a whole number");
    std::string bad = range(static_cast<double>(*value));
    if (bad.empty()) *to = *value;
    return bad;
  }
  std::string operator()(double* to) const {
    if (!node.is_integer() && !node.is_floating_point()) return wrong("a number");
    const double value = node.value<double>().value_or(std::nan(""));
    std::string bad = range(value);
    if (bad.empty()) *to = value;
    return bad;
  }
  std::string operator()(std::string* to) const {
    const auto value = node.value_exact<std::string>();
    if (!value) return wrong("a string");
    if (!one_of.empty() && (" " + std::string(one_of) + " ").find(" " + *value + " ") == std::string::npos)
      return "must be one of: " + std::string(one_of);
    *to = *value;
    return {};
  }
  std::string operator()(Seconds to) const {
    const auto value = node.value_exact<std::string>();
    const auto seconds = value ? parse_duration_s(*value) : std::nullopt;
    if (!seconds)
      return "must be a duration such as \"5m\"" + (value ? std::string{} : ", is " + std::string(kind_of(node)));
    std::string bad = range(static_cast<double>(*seconds));
    if (bad.empty()) *to.value = *seconds;
    return bad;
  }
  std::string operator()(std::vector<std::string>* to) const {
    const toml::array* array = node.as_array();
    if (array == nullptr) return wrong("an array of strings");
    std::vector<std::string> values;
    for (const auto& element : *array) {
      const auto text = element.value_exact<std::string>();
      if (!text) return "must be an array of strings, holds " + std::string(kind_of(element));
      values.push_back(*text);
    }
    *to = std::move(values);
    return {};
  }
};

class Parser {
 public:
  Parser(const std::string& file, const Config& last_good, Loaded& out)
      : file_(file), last_good_(last_good), out_(out) {}

  void top(const toml::table& table) {
    for (const auto& [key, node] : table) {
      const toml::table* section = node.as_table();
      if (std::find(section_names().begin(), section_names().end(), key.str()) == section_names().end()) {
        unknown(key, section != nullptr ? "unknown section" : "unknown key", {}, section_names());
      } else if (section == nullptr) {
        problem(node.source(), std::string(key.str()), "must be a section, is " + std::string(kind_of(node)), {});
      } else if (key.str() == "sli") {
        for (const auto& [name, sli] : *section) level(name, sli);
      } else {
        plain(std::string(key.str()), *section);
      }
    }
  }

  void problem(const toml::source_region& where, std::string key, std::string what, std::string suggestion) {
    out_.problems.push_back(
        {file_, where.begin.line, where.begin.column, std::move(key), std::move(what), std::move(suggestion)});
  }

 private:
  void plain(const std::string& name, const toml::table& section) {
    std::vector<std::string_view> known;
    for (const auto& row : plain_keys())
      if (row.section == name) known.push_back(row.key);
    Config last = last_good_;
    take(section, plain_keys(), name, known, name + ".", out_.config, last);
  }

  void level(const toml::key& name, const toml::node& node) {
    const std::string prefix = "sli." + std::string(name.str());
    const toml::table* section = node.as_table();
    if (section == nullptr)
      return problem(node.source(), prefix, "must be a section, is " + std::string(kind_of(node)), {});
    const auto named = [&](const SliConfig& sli) { return sli.name == name.str(); };
    auto at = std::find_if(out_.config.slis.begin(), out_.config.slis.end(), named);
    const auto before = std::find_if(last_good_.slis.begin(), last_good_.slis.end(), named);
    const bool is_new = at == out_.config.slis.end();
    if (is_new && out_.config.slis.size() >= kSlisMax)
      return problem(node.source(), prefix, "is one service level too many", {});
    SliConfig fresh = is_new ? SliConfig{} : *at;
    SliConfig last = before != last_good_.slis.end() ? *before : fresh;
    fresh.name = std::string(name.str());
    std::vector<std::string_view> known;
    for (const auto& row : sli_keys()) known.push_back(row.key);
    take(*section, sli_keys(), "sli", known, prefix + ".", fresh, last);
    if (!is_sound(fresh, *section)) {
      if (before == last_good_.slis.end()) return;
      fresh = *before;
    }
    if (is_new) {
      out_.config.slis.push_back(std::move(fresh));
    } else {
      *at = std::move(fresh);
    }
  }

  /// What can never be judged is named where its key stands.
  bool is_sound(const SliConfig& level, const toml::table& section) {
    const std::vector<sli::Flaw> flaws = sli::flaws_of(sli::define(level));
    for (const sli::Flaw& flaw : flaws) {
      const toml::node* at = section.get(std::string_view(flaw.key).substr(flaw.key.rfind('.') + 1));
      problem(at != nullptr ? at->source() : section.source(), flaw.key, flaw.what, flaw.suggestion);
    }
    return flaws.empty();
  }

  template <class Owner>
  void take(const toml::table& section, std::span<const KeyRow<Owner>> rows, std::string_view of,
            std::span<const std::string_view> known, const std::string& prefix, Owner& to, Owner& last) {
    for (const auto& entry : section) {
      const toml::key& key = entry.first;
      const toml::node& node = entry.second;
      const auto row =
          std::find_if(rows.begin(), rows.end(), [&](const auto& r) { return r.section == of && r.key == key.str(); });
      if (row == rows.end()) {
        unknown(key, "unknown key", prefix, known);
        continue;
      }
      std::string bad = std::visit(Taker{node, row->least, row->most, row->one_of}, row->place(to));
      if (bad.empty()) continue;
      std::visit([&](auto place) { restore(place, row->place(last)); }, row->place(to));
      std::string suggestion;
      if (!row->one_of.empty() && node.is_string())
        suggestion = word_meant(row->one_of, node.template value_exact<std::string>().value_or(std::string{}));
      problem(node.source(), prefix + std::string(key.str()), std::move(bad), std::move(suggestion));
    }
  }

  template <class T>
  static void restore(T* to, const Place& from) {
    *to = **std::get_if<T*>(&from);
  }
  static void restore(Seconds to, const Place& from) { *to.value = *std::get_if<Seconds>(&from)->value; }

  static std::string word_meant(std::string_view words, const std::string& given) {
    std::vector<std::string_view> known;
    while (!words.empty()) {
      const auto end = std::min(words.find(' '), words.size());
      known.push_back(words.substr(0, end));
      words.remove_prefix(std::min(end + 1, words.size()));
    }
    const auto best = nearest(given, known);
    return best.empty() ? std::string{} : "did you mean \"" + std::string(best) + "\"?";
  }

  void unknown(const toml::key& key, const char* what, const std::string& prefix,
               std::span<const std::string_view> known) {
    auto best = nearest(key.str(), known);
    std::string meant = best.empty() ? std::string{} : prefix + std::string(best);
    if (meant.empty()) {  // the right key in the wrong section
      for (const auto& row : plain_keys())
        if (row.key == key.str()) meant = std::string(row.section) + "." + std::string(row.key);
    }
    if (!meant.empty()) meant = "did you mean " + meant + "?";
    problem(key.source(), prefix + std::string(key.str()), what, std::move(meant));
  }

  const std::string& file_;
  const Config& last_good_;
  Loaded& out_;
};

}  // namespace

std::string Problem::text() const {
  std::string text = file;
  if (line != 0) text += ":" + std::to_string(line) + ":" + std::to_string(column);
  if (!key.empty()) text += ": " + key;
  text += ": " + what;
  if (!suggestion.empty()) text += "; " + suggestion;
  return text;
}

std::optional<std::int64_t> parse_duration_s(std::string_view text) noexcept {
  std::size_t digits = 0;
  std::int64_t value = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9' && value < 1'000'000'000)
    value = value * 10 + (text[digits++] - '0');
  if (digits == 0) return std::nullopt;
  const auto unit = text.substr(digits);
  if (unit == "ms") return (value + 999) / 1000;
  if (unit == "s") return value;
  if (unit == "m") return value * 60;
  if (unit == "h") return value * 3600;
  if (unit == "d") return value * 86400;
  return std::nullopt;
}

Loaded parse_config(std::string_view text, const std::string& file, const Config& last_good) {
  Loaded out;
  out.config = default_config();
  Parser parser(file, last_good, out);
  try {
    parser.top(toml::parse(text, std::string_view(file)));
  } catch (const toml::parse_error& error) {
    out.config = last_good;
    parser.problem(error.source(), {}, "is not TOML: " + std::string(error.description()), {});
  } catch (const std::exception& error) {
    out.config = last_good;
    parser.problem({}, {}, "is not TOML: " + std::string(error.what()), {});
  }
  std::sort(out.problems.begin(), out.problems.end(), [](const Problem& a, const Problem& b) {
    return a.line != b.line ? a.line < b.line : a.column < b.column;
  });
  return out;
}

std::string config_path(const std::string& home) { return home + "/config.toml"; }

Loaded load_config(const std::string& home, const Config& last_good) {
  const std::string path = config_path(home);
  std::string text, why;
  errno = 0;
  if (read_whole(path, kConfigBytesMax, text, why)) return parse_config(text, path, last_good);
  if (errno == ENOENT) return {default_config(), {}};
  return {last_good, {{path, 0, 0, {}, why, {}}}};
}

}  // namespace honeylink::telemetry::config
