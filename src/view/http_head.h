// HTTP/1.1 as far as one page and a few programs on this device need it (RFC 9112): the head of a request, and that of
// an answer. Strict: what a browser would not send is refused, and a body says its length. Pure; any thread.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "view/message.h"

namespace honeylink::telemetry::view {

inline constexpr std::size_t kHeadBytesMax = 32 << 10;
inline constexpr std::size_t kTargetBytesMax = 8 << 10;
inline constexpr std::size_t kBodyBytesMax = 64 << 10;
inline constexpr std::size_t kFieldsMax = 64;

/// Views into the bytes that were parsed.
struct HttpHead {
  std::string_view method, target;
  std::vector<std::pair<std::string_view, std::string_view>> fields;
  std::size_t body_bytes = 0;
  bool keep_alive = true, expects_continue = false;

  /// Of the first field of this name, whatever its case; empty: there is none.
  [[nodiscard]] std::string_view field(std::string_view name) const noexcept;
};

struct HttpError {
  int status = 400;
  const char* why = "";
};

/// Where the head ends, its empty line included; npos: it goes on.
[[nodiscard]] std::size_t end_of_head(std::string_view bytes) noexcept;
/// `text`: a whole head. What is wrong with it, or nothing.
[[nodiscard]] std::optional<HttpError> parse_head(std::string_view text, HttpHead& head);

/// What the guard and the API look at; `body` is what follows the head. False: its target is no path.
[[nodiscard]] bool make_request(const HttpHead& head, std::string_view body, Request& request);

/// The head of an answer with everything that every answer has. `length`: of the body; nullopt: it lasts as long as the
/// connection.
[[nodiscard]] std::string answer_head(const Response& response, std::optional<std::size_t> length, bool keep_alive);

}  // namespace honeylink::telemetry::view
