// What the page's server makes of a hostile request. What must stay true: no crash; a head that is taken is within its
// bounds; decoded paths are UTF-8 without NUL; the guard lets none of them in without a token.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/text.h"
#include "view/guard.h"
#include "view/http_head.h"

namespace tel = honeylink::telemetry;

namespace {

void require(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", promise);
  std::abort();
}

bool is_sound(const std::string& text) { return tel::is_utf8(text) && text.find('\0') == std::string::npos; }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tel::view;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t end = end_of_head(bytes);
  if (end == std::string_view::npos) return 0;
  require(end <= size, "a head lies within what was sent");
  HttpHead head;
  if (const auto error = parse_head(bytes.substr(0, end), head)) {
    require(error->status >= 400 && error->status < 600, "what is refused is told so");
    return 0;
  }
  require(head.body_bytes <= kBodyBytesMax && head.fields.size() <= kFieldsMax && head.target.size() <= kTargetBytesMax,
          "what is taken is within its bounds");
  Request request;
  if (!make_request(head, bytes.substr(end, head.body_bytes), request)) return 0;
  for (const std::string& segment : request.segments) require(is_sound(segment), "segments are text");
  for (const auto& [name, value] : request.query) require(is_sound(name) && is_sound(value), "parameters are text");
  Guard guard(8080, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
  static_cast<void>(guard.check_source(request));
  require(
      guard.check_session(request).has_value() || request.authorization.find("0123456789abcdef") != std::string::npos,
      "without the token nobody is let in");
  return 0;
}
