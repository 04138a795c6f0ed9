// Percent-encoding of baggage values (W3C Baggage §3.3.1.3): any UTF-8 text in, printable ASCII out, and back. Pure
// functions, called by baggage.cc. What is not UTF-8 becomes U+FFFD, in both directions. decode(encode(x)) == x for
// every UTF-8 text x.
#pragma once
#include <cstddef>
#include <string_view>

namespace honeylink::telemetry::internal {

/// May stand in a value as it is: printable ASCII without space, quote, comma, semicolon and backslash. '%' too, as it
/// came from outside.
constexpr bool is_baggage_octet(char c) noexcept {
  return c >= 0x21 && c <= 0x7e && c != '"' && c != ',' && c != ';' && c != '\\';
}

/// Characters that `value` takes encoded; `invalid` tells whether something had to be replaced.
[[nodiscard]] std::size_t percent_encoded_bytes(std::string_view value, bool& invalid) noexcept;
/// Writes that many characters; answers the end.
char* percent_encode(std::string_view value, char* to) noexcept;
/// Never writes more than encoded.size() characters; answers the end. A '%' that no two hex digits follow stays as it
/// is.
char* percent_decode(std::string_view encoded, char* to, bool& invalid) noexcept;

}  // namespace honeylink::telemetry::internal
