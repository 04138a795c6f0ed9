// A request as the API sees it, and its answer: no library's types. Made and sent by server.cc; plain values, one
// thread each.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/problem.h"

namespace honeylink::telemetry::view {

struct Request {
  std::string method;
  std::string target;                 // as sent: path and query
  std::vector<std::string> segments;  // of the path, decoded one by one: "/api/slis/a%2Fb" is {"api","slis","a/b"}
  std::vector<std::pair<std::string, std::string>> query;
  std::vector<std::string> hosts, origins;  // headers of these names, as many as were sent
  std::string fetch_site, cookie, authorization, content_type, body;
  bool accepts_gzip = false;

  [[nodiscard]] std::string_view path() const noexcept { return std::string_view(target).substr(0, target.find('?')); }
  [[nodiscard]] bool has(std::string_view name) const noexcept;
  [[nodiscard]] std::string text(std::string_view name, std::string_view otherwise = {}) const;

  /// Typed values of the query, as the command line's options of the same name take them. On nonsense: nullopt, and
  /// `problem` says which and what it takes.
  [[nodiscard]] std::optional<std::uint64_t> count(std::string_view name, std::uint64_t otherwise,
                                                   query::Problem& problem) const;
  [[nodiscard]] std::optional<double> real(std::string_view name, double otherwise, query::Problem& problem) const;
  [[nodiscard]] std::optional<std::int64_t> duration(std::string_view name, std::int64_t otherwise,
                                                     query::Problem& problem) const;
  [[nodiscard]] std::optional<std::int64_t> moment(std::string_view name, std::int64_t otherwise,
                                                   query::Problem& problem) const;
};

/// Fills segments and query from the target. False: it is no path, or is not encoded as one.
[[nodiscard]] bool split_target(Request& request);

struct Response {
  int status = 200;
  std::string type = "application/json";
  std::string body;
  bool gzipped = false;    // the body is
  bool is_stream = false;  // no body: the live hub takes the connection
  std::vector<std::pair<std::string, std::string>> headers;
};
[[nodiscard]] Response json_response(std::string body);
/// The status that fits the kind; the three lines as {"schema":1,"error","why","to_do"}.
[[nodiscard]] Response problem_response(const query::Problem& problem);
[[nodiscard]] Response error_response(int status, std::string error, std::string why = {}, std::string to_do = {});

[[nodiscard]] std::int64_t now_unix_ns() noexcept;

}  // namespace honeylink::telemetry::view
