// See http_head.h.
#include "view/http_head.h"

#include <strings.h>

#include <charconv>

namespace honeylink::telemetry::view {
namespace {

constexpr std::string_view kEmptyLine = "\r\n\r\n";
constexpr std::string_view kEveryAnswer =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src "
    "'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cache-Control: no-store\r\n";

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

bool is_token(std::string_view text) noexcept {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && kMarks.find(c) == std::string_view::npos) return false;
  }
  return !text.empty();
}

bool is_visible(std::string_view text) noexcept {
  for (const char c : text) {
    if (c < 0x21 || c > 0x7e) return false;
  }
  return !text.empty();
}

bool is_field_value(std::string_view text) noexcept {
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) return false;
  }
  return true;
}

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Cuts the next line off; what remains begins behind its end.
std::string_view next_line(std::string_view& text) noexcept {
  const std::size_t end = text.find("\r\n");
  const std::string_view line = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 2);
  return line;
}

std::optional<HttpError> parse_request_line(std::string_view line, HttpHead& head) {
  const std::size_t first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return HttpError{400, "its first line is no request"};
  head.method = line.substr(0, first);
  head.target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (head.target.size() > kTargetBytesMax) return HttpError{414, "its path is too long"};
  if (!is_token(head.method) || !is_visible(head.target)) return HttpError{400, "its first line is no request"};
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return HttpError{505, "HTTP/1.1 is spoken here"};
  head.keep_alive = version == "HTTP/1.1";
  return std::nullopt;
}

std::optional<HttpError> read_length(const HttpHead& head, std::size_t& length) {
  const std::string_view* said = nullptr;
  for (const auto& [name, value] : head.fields) {
    if (equal_ignoring_case(name, "Transfer-Encoding")) return HttpError{411, "a body says its length here"};
    if (!equal_ignoring_case(name, "Content-Length")) continue;
    if (said != nullptr) return HttpError{400, "it has two lengths"};
    said = &value;
  }
  length = 0;
  if (said == nullptr) return std::nullopt;
  const auto [end, error] = std::from_chars(said->data(), said->data() + said->size(), length);
  if (error == std::errc::result_out_of_range) return HttpError{413, "its body is too long"};
  if (error != std::errc{} || end != said->data() + said->size()) return HttpError{400, "its length is no number"};
  if (length > kBodyBytesMax) return HttpError{413, "its body is too long"};
  return std::nullopt;
}

std::string_view words_of(int status) noexcept {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Answer";
  }
}

}  // namespace

std::string_view HttpHead::field(std::string_view wanted) const noexcept {
  for (const auto& [name, value] : fields) {
    if (equal_ignoring_case(name, wanted)) return value;
  }
  return {};
}

std::size_t end_of_head(std::string_view bytes) noexcept {
  const std::size_t at = bytes.find(kEmptyLine);
  return at == std::string_view::npos ? at : at + kEmptyLine.size();
}

std::optional<HttpError> parse_head(std::string_view text, HttpHead& head) {
  head = {};
  if (text.size() > kHeadBytesMax) return HttpError{431, "its head is too long"};
  if (const auto wrong = parse_request_line(next_line(text), head)) return wrong;
  while (text.size() > 2) {
    const std::string_view line = next_line(text);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon)) || !is_field_value(line.substr(colon + 1)))
      return HttpError{400, "one of its fields cannot be read"};
    if (head.fields.size() == kFieldsMax) return HttpError{431, "it has too many fields"};
    head.fields.emplace_back(line.substr(0, colon), trimmed(line.substr(colon + 1)));
  }
  if (const auto wrong = read_length(head, head.body_bytes)) return wrong;
  const std::string_view connection = head.field("Connection");
  if (equal_ignoring_case(connection, "close")) head.keep_alive = false;
  head.expects_continue = equal_ignoring_case(head.field("Expect"), "100-continue");
  return std::nullopt;
}

bool make_request(const HttpHead& head, std::string_view body, Request& request) {
  request.method = head.method, request.target = head.target, request.body = body;
  for (const auto& [name, value] : head.fields) {
    if (equal_ignoring_case(name, "Host")) request.hosts.emplace_back(value);
    else if (equal_ignoring_case(name, "Origin")) request.origins.emplace_back(value);
  }
  request.fetch_site = head.field("Sec-Fetch-Site");
  request.cookie = head.field("Cookie");
  request.authorization = head.field("Authorization");
  request.content_type = head.field("Content-Type");
  request.accepts_gzip = head.field("Accept-Encoding").find("gzip") != std::string_view::npos;
  return split_target(request);
}

std::string answer_head(const Response& response, std::optional<std::size_t> length, bool keep_alive) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
  head += words_of(response.status);
  head += "\r\nContent-Type: " + response.type + "\r\n";
  if (length) head += "Content-Length: " + std::to_string(*length) + "\r\n";
  if (response.gzipped) head += "Content-Encoding: gzip\r\n";
  for (const auto& [name, value] : response.headers) head += name + ": " + value + "\r\n";
  head += kEveryAnswer;
  head += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  return head;
}

}  // namespace honeylink::telemetry::view
