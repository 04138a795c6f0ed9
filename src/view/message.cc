// See message.h.
#include "view/message.h"

#include <charconv>
#include <chrono>
#include <cmath>

#include "base/text.h"
#include "query/json.h"
#include "query/time_text.h"

namespace honeylink::telemetry::view {
namespace {

constexpr std::size_t kSegmentsMax = 8, kParametersMax = 32;

int digit_of(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// Percent-decoded; `plus` is a space in a query. False: a broken escape, a NUL, or what is not UTF-8.
bool decode(std::string_view from, bool plus, std::string& to) {
  to.clear();
  for (std::size_t i = 0; i < from.size(); ++i) {
    char c = from[i];
    if (c == '%') {
      if (i + 2 >= from.size()) return false;
      const int high = digit_of(from[i + 1]), low = digit_of(from[i + 2]);
      if (high < 0 || low < 0) return false;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus) {
      c = ' ';
    }
    if (c == '\0') return false;
    to += c;
  }
  return is_utf8(to);
}

/// Calls `visit` for each part between separators.
template <class Visit>
bool each_part(std::string_view text, char separator, Visit&& visit) {
  for (;;) {
    const std::size_t end = text.find(separator);
    if (!visit(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

query::Problem bad_value(std::string_view name, const std::string& given, std::string_view takes) {
  return {query::ProblemKind::usage, std::string(name) + " cannot be '" + given + "'", "it takes " + std::string(takes),
          ""};
}

const std::pair<std::string, std::string>* find(const Request& request, std::string_view name) noexcept {
  for (const auto& parameter : request.query) {
    if (parameter.first == name) return &parameter;
  }
  return nullptr;
}

int status_of(query::ProblemKind kind) noexcept {
  switch (kind) {
    case query::ProblemKind::usage:
      return 400;
    case query::ProblemKind::not_found:
      return 404;
    default:
      return 503;
  }
}

}  // namespace

bool split_target(Request& request) {
  const std::string_view path = request.path();
  if (path.empty() || path.front() != '/') return false;
  std::string part, value;
  const bool sound = each_part(path.substr(1), '/', [&](std::string_view raw) {
    return request.segments.size() < kSegmentsMax && decode(raw, false, part) &&
           (request.segments.push_back(part), true);
  });
  if (!sound || request.target.size() == path.size()) return sound;
  return each_part(std::string_view(request.target).substr(path.size() + 1), '&', [&](std::string_view raw) {
    if (raw.empty()) return true;
    const std::size_t equals = raw.find('=');
    if (request.query.size() >= kParametersMax || !decode(raw.substr(0, equals), true, part)) return false;
    if (!decode(equals == std::string_view::npos ? std::string_view() : raw.substr(equals + 1), true, value))
      return false;
    request.query.emplace_back(part, value);
    return true;
  });
}

bool Request::has(std::string_view name) const noexcept {
  const auto* const found = find(*this, name);
  return found != nullptr && !found->second.empty();
}

std::string Request::text(std::string_view name, std::string_view otherwise) const {
  return has(name) ? find(*this, name)->second : std::string(otherwise);
}

std::optional<std::uint64_t> Request::count(std::string_view name, std::uint64_t otherwise,
                                            query::Problem& problem) const {
  if (!has(name)) return otherwise;
  const std::string given = text(name);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), value);
  if (error == std::errc{} && end == given.data() + given.size()) return value;
  problem = bad_value(name, given, "a whole number from 0");
  return std::nullopt;
}

std::optional<double> Request::real(std::string_view name, double otherwise, query::Problem& problem) const {
  if (!has(name)) return otherwise;
  const std::string given = text(name);
  double value = 0;
  const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), value);
  if (error == std::errc{} && end == given.data() + given.size() && std::isfinite(value)) return value;
  problem = bad_value(name, given, "a number such as 0.95");
  return std::nullopt;
}

std::optional<std::int64_t> Request::duration(std::string_view name, std::int64_t otherwise,
                                              query::Problem& problem) const {
  if (!has(name)) return otherwise;
  const std::string given = text(name);
  if (const auto value = query::parse_duration(given)) return value;
  problem = bad_value(name, given, "a duration: 250ms, 10s, 5m, 2h, 7d");
  return std::nullopt;
}

std::optional<std::int64_t> Request::moment(std::string_view name, std::int64_t otherwise,
                                            query::Problem& problem) const {
  if (!has(name)) return otherwise;
  const std::string given = text(name);
  if (const auto value = query::parse_moment(given, now_unix_ns())) return value;
  problem = bad_value(name, given, "a time: " + std::string(query::kMomentForms));
  return std::nullopt;
}

Response json_response(std::string body) {
  Response response;
  response.body = std::move(body);
  return response;
}

Response error_response(int status, std::string error, std::string why, std::string to_do) {
  query::JsonWriter json;
  json.begin_object().key("schema").integer(1).key("error").text(error);
  if (!why.empty()) json.key("why").text(why);
  if (!to_do.empty()) json.key("to_do").text(to_do);
  Response response = json_response(json.end_object().str());
  response.status = status;
  return response;
}

Response problem_response(const query::Problem& problem) {
  return error_response(status_of(problem.kind), problem.what, problem.why, problem.to_do);
}

std::int64_t now_unix_ns() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace honeylink::telemetry::view
