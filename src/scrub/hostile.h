// Does a text hold what must not be kept: an e-mail address, a payment card, a JWT, an IPv4 or MAC address, a secret
// key?
//
// Hand-written matchers behind one pass that ORs character classes: a value without the characters that a pattern needs
// never meets its matcher, so most values cost one look at each byte. A second guard: the keys of key_rules.h are the
// first. What these miss and what they wrongly catch is measured by hostile_test.cc (≥ 95 %, ≤ 1 %). Pure; any thread.
#pragma once
#include <cstdint>
#include <string_view>

namespace honeylink::telemetry::scrub {

enum class Finding : std::uint8_t { none, email, card, jwt, ipv4, mac, secret, count_ };
[[nodiscard]] std::string_view finding_name(Finding finding) noexcept;

[[nodiscard]] Finding find_hostile(std::string_view text) noexcept;
/// A whole number that is a valid card number of 15 or 16 digits. Longer and shorter ones are times, ids and sizes.
[[nodiscard]] bool is_card_number(std::int64_t value) noexcept;

}  // namespace honeylink::telemetry::scrub
