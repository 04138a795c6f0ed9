// Typed access to what was asked for: see command.h.
#include "cli/command.h"

#include <sys/stat.h>

#include <charconv>
#include <chrono>
#include <cmath>

#include "cli/archive.h"
#include "query/time_text.h"
#include "ring/home.h"

namespace honeylink::telemetry::cli {
namespace {

std::int64_t now_unix_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

query::Problem bad_value(std::string_view option, const std::string& given, std::string_view may_be) {
  return usage_problem("--" + std::string(option) + " cannot be '" + given + "'", "it takes " + std::string(may_be));
}

constexpr Option kCommon[] = {
    {"home", "DIR", "The home directory (default: $HONEYLINK_HOME, else ~/.honeylink)"},
    {"color", "WHEN", "Colours", "auto|always|never"},
    {"help", "", "This text", {}, 'h'},
};
constexpr Option kReading[] = {
    {"format", "FORM", "How the answer is written", "table|json|jsonl|csv"},
    {"json", "", "Short for --format json"},
};

}  // namespace

std::span<const Option> common_options() { return kCommon; }
std::span<const Option> reading_options() { return kReading; }

query::Problem usage_problem(std::string what, std::string why, std::string to_do) {
  return {query::ProblemKind::usage, std::move(what), std::move(why), std::move(to_do)};
}

std::string Call::text(std::string_view option, std::string_view otherwise) const {
  const auto found = options.find(option);
  return found == options.end() || found->second.empty() ? std::string(otherwise) : found->second.back();
}

Format Call::format() const {
  const std::string form = has("json") ? "json" : has("csv") ? "csv" : text("format", "table");
  return form == "json" ? Format::json : form == "jsonl" ? Format::jsonl : form == "csv" ? Format::csv : Format::table;
}

std::optional<std::uint64_t> Call::count(std::string_view option, std::uint64_t otherwise,
                                         query::Problem& problem) const {
  if (!has(option)) return otherwise;
  const std::string given = text(option);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), value);
  if (error == std::errc{} && end == given.data() + given.size()) return value;
  problem = bad_value(option, given, "a whole number from 0");
  return std::nullopt;
}

std::optional<double> Call::real(std::string_view option, double otherwise, query::Problem& problem) const {
  if (!has(option)) return otherwise;
  const std::string given = text(option);
  double value = 0;
  const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), value);
  if (error == std::errc{} && end == given.data() + given.size() && std::isfinite(value)) return value;
  problem = bad_value(option, given, "a number such as 0.95");
  return std::nullopt;
}

std::optional<std::int64_t> Call::duration(std::string_view option, std::int64_t otherwise,
                                           query::Problem& problem) const {
  if (!has(option)) return otherwise;
  const std::string given = text(option);
  if (const auto value = query::parse_duration(given)) return value;
  problem = bad_value(option, given, "a duration: 250ms, 10s, 5m, 2h, 7d");
  return std::nullopt;
}

std::optional<std::int64_t> Call::moment(std::string_view option, std::int64_t otherwise,
                                         query::Problem& problem) const {
  if (!has(option)) return otherwise;
  const std::string given = text(option);
  if (const auto value = query::parse_moment(given, now_unix_ns())) return value;
  problem = bad_value(option, given, "a time: " + std::string(query::kMomentForms));
  return std::nullopt;
}

bool Call::home_is_archive() const {
  struct stat info {};
  return ::lstat(ring::home_path(text("home")).c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

query::Answer<std::string> Call::home() const {
  std::string path = ring::home_path(text("home"));
  if (home_is_archive()) {
    if ((!command->reads && !command->opens_archives) || command->needs_directory)
      return usage_problem(path + " is a file; " + std::string(command->name) + " needs a home directory",
                           "bundles and backups are only read", "unpack it: sqlite3 -A -x -f FILE -C DIRECTORY");
    if (unpacked_ == nullptr) {
      auto opened = UnpackedHome::open(path);
      if (!opened.ok()) return opened.problem();
      unpacked_ = std::move(opened.value());
    }
    return unpacked_->path();
  }
  if (!path.empty()) return path;
  return query::Problem{
      query::ProblemKind::environment, "there is no home directory",
      "neither --home nor HONEYLINK_HOME nor HOME is set, and the password database has none for this user",
      "name one: honeytel --home DIR " + std::string(command->name)};
}

}  // namespace honeylink::telemetry::cli
