// See hostile.h.
#include "scrub/hostile.h"

#include <array>
#include <bit>
#include <cstddef>

namespace honeylink::telemetry::scrub {
namespace {

constexpr std::size_t kShortest = 6;  // "a@b.co"; an IPv4 address has 7

// Classes of bytes.
constexpr std::uint8_t kDigit = 1, kLower = 2, kUpper = 4, kDot = 8, kAt = 16, kColon = 32, kDash = 64, kPercent = 128;
constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> table{};
  for (char c = '0'; c <= '9'; ++c) table[static_cast<std::uint8_t>(c)] = kDigit;
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<std::uint8_t>(c)] = kLower;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<std::uint8_t>(c)] = kUpper;
  table['.'] = kDot, table['@'] = kAt, table[':'] = kColon, table['-'] = kDash, table['%'] = kPercent;
  return table;
}
constexpr auto kClass = make_classes();
std::uint8_t class_of(char c) noexcept { return kClass[static_cast<std::uint8_t>(c)]; }
bool is_digit(char c) noexcept { return class_of(c) == kDigit; }
bool is_alpha(char c) noexcept { return (class_of(c) & (kLower | kUpper)) != 0; }
bool is_alnum(char c) noexcept { return (class_of(c) & (kLower | kUpper | kDigit)) != 0; }
bool is_hex(char c) noexcept { return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); }
bool is_base64url(char c) noexcept { return is_alnum(c) || c == '-' || c == '_'; }

bool has_email(std::string_view s) noexcept {
  for (std::size_t at = s.find_first_of("@%"); at != std::string_view::npos; at = s.find_first_of("@%", at + 1)) {
    std::size_t after = at + 1;
    if (s[at] == '%') {
      if (s.substr(at, 3) != "%40") continue;
      after = at + 3;
    }
    const bool local =
        at > 0 && (is_alnum(s[at - 1]) || std::string_view("._+-%'").find(s[at - 1]) != std::string_view::npos ||
                   static_cast<std::uint8_t>(s[at - 1]) >= 0x80);
    if (!local) continue;
    std::size_t dot = 0, end = after;
    while (end < s.size() && (is_alnum(s[end]) || s[end] == '-' || s[end] == '.')) {
      if (s[end] == '.' && end > after) dot = end;
      ++end;
    }
    if (dot + 1 == end) {  // a sentence's full stop
      --end;
      dot = s.rfind('.', end - 1);
      if (dot == std::string_view::npos || dot < after) continue;
    }
    if (dot <= after || end - dot < 3) continue;
    bool letters = true;
    for (std::size_t i = dot + 1; i < end; ++i) letters = letters && (is_alpha(s[i]) || s[i] == '-');
    if (letters) return true;
  }
  return false;
}

bool luhn(const std::uint8_t* digits, std::size_t count) noexcept {
  unsigned sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    unsigned d = digits[count - 1 - i];
    if ((i & 1U) != 0) d = d > 4 ? 2 * d - 9 : 2 * d;
    sum += d;
  }
  return sum % 10 == 0;
}

// Issuer prefixes with the lengths that they have: without them a tenth of all long numbers would be cards.
bool is_issued(const std::uint8_t* d, std::size_t n) noexcept {
  const unsigned two = d[0] * 10U + d[1], four = two * 100U + d[2] * 10U + d[3];
  if (d[0] == 4) return n == 13 || n == 16 || n == 19;
  if ((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720)) return n == 16;
  if (two == 34 || two == 37) return n == 15;
  if (two == 30 || two == 36 || two == 38) return n == 14;
  if (four >= 3528 && four <= 3589) return n == 16;
  if (four == 6011 || two == 65 || (four >= 6440 && four <= 6499) || two == 62) return n >= 16 && n <= 19;
  if (two == 50 || (two >= 56 && two <= 59) || two == 67) return n == 16;
  return false;
}

bool has_card(std::string_view s) noexcept {
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (!is_digit(s[i]) || (i > 0 && (is_alnum(s[i - 1]) || s[i - 1] == '.' || s[i - 1] == '-' || s[i - 1] == '_')))
      continue;
    std::array<std::uint8_t, 20> digits{};
    std::size_t count = 0, at = i;
    char parting = 0;
    for (; at < s.size() && count < digits.size(); ++at) {
      if (is_digit(s[at])) {
        digits[count++] = static_cast<std::uint8_t>(s[at] - '0');
      } else if ((s[at] == ' ' || s[at] == '-') && (parting == 0 || parting == s[at]) && count >= 4 &&
                 at + 1 < s.size() && is_digit(s[at + 1])) {
        parting = s[at];
      } else {
        break;
      }
    }
    const bool bounded = at >= s.size() || !(is_alnum(s[at]) || s[at] == '-' || s[at] == '_' ||
                                             (s[at] == '.' && at + 1 < s.size() && is_digit(s[at + 1])));
    if (bounded && count >= 13 && count <= 19 && is_issued(digits.data(), count) && luhn(digits.data(), count))
      return true;
    while (i + 1 < s.size() && is_digit(s[i + 1])) ++i;
  }
  return false;
}

bool has_jwt(std::string_view s) noexcept {
  for (std::size_t at = s.find("eyJ"); at != std::string_view::npos; at = s.find("eyJ", at + 1)) {
    if (at > 0 && is_base64url(s[at - 1])) continue;
    std::size_t end = at;
    while (end < s.size() && is_base64url(s[end])) ++end;
    if (end - at < 10 || end >= s.size() || s[end] != '.') continue;
    std::size_t second = end + 1;
    while (second < s.size() && is_base64url(s[second])) ++second;
    if (second - end > 8) return true;
  }
  return false;
}

// Loopback, "any" and what ends in .0.0 (networks, versions of browsers) say nothing about anybody.
bool has_ipv4(std::string_view s) noexcept {
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (!is_digit(s[i])) continue;
    const bool bounded = i == 0 || !(is_alnum(s[i - 1]) || s[i - 1] == '.' || s[i - 1] == '_' || s[i - 1] == '-');
    std::size_t at = i;
    unsigned parts = 0, first = 0, before = 1, last = 1;
    while (bounded && at < s.size() && is_digit(s[at])) {
      const std::size_t from = at;
      unsigned value = 0;
      while (at < s.size() && is_digit(s[at]) && at - from < 4)
        value = value * 10 + static_cast<unsigned>(s[at++] - '0');
      if (value > 255 || at - from > 3 || (at - from > 1 && s[from] == '0')) break;
      if (parts == 0) first = value;
      before = last, last = value;
      if (++parts == 4) break;
      if (at + 1 >= s.size() || s[at] != '.' || !is_digit(s[at + 1])) break;
      ++at;
    }
    const bool ended = at >= s.size() || !(is_alnum(s[at]) || s[at] == '_' || s[at] == '-' || s[at] == '+' ||
                                           (s[at] == '.' && at + 1 < s.size() && is_alnum(s[at + 1])));
    const bool anybody = first == 127 || first == 0 || (before == 0 && last == 0);
    if (parts == 4 && ended && !anybody) return true;
    while (i + 1 < s.size() && (is_digit(s[i + 1]) || s[i + 1] == '.')) ++i;
  }
  return false;
}

bool mac_at(std::string_view s, std::size_t i, char parting, std::size_t group) noexcept {
  const std::size_t groups = 12 / group, length = 12 + groups - 1;
  if (i + length > s.size()) return false;
  for (std::size_t k = 0; k < length; ++k) {
    const bool between = k % (group + 1) == group;
    if (between ? s[i + k] != parting : !is_hex(s[i + k])) return false;
  }
  const std::size_t end = i + length;
  return end >= s.size() || !(is_alnum(s[end]) || (s[end] == parting && end + 1 < s.size() && is_alnum(s[end + 1])));
}
bool has_mac(std::string_view s) noexcept {
  for (std::size_t i = 0; i + 14 <= s.size(); ++i) {
    if (!is_hex(s[i]) || (i > 0 && (is_alnum(s[i - 1]) || s[i - 1] == ':' || s[i - 1] == '-' || s[i - 1] == '.')))
      continue;
    if (mac_at(s, i, ':', 2) || mac_at(s, i, '-', 2) || mac_at(s, i, '.', 4)) return true;
  }
  return false;
}

struct Prefix {
  std::string_view text;
  std::size_t more;  // characters that must follow
};
constexpr Prefix kPrefixes[] = {{"AKIA", 12},     {"ASIA", 12},     {"AIza", 30},
                                {"ghp_", 20},     {"gho_", 20},     {"ghu_", 20},
                                {"ghs_", 20},     {"ghr_", 20},     {"github_pat_", 20},
                                {"glpat-", 16},   {"xoxb-", 10},    {"xoxp-", 10},
                                {"xoxa-", 10},    {"xoxs-", 10},    {"xapp-", 10},
                                {"sk_live_", 10}, {"sk_test_", 10}, {"rk_live_", 10},
                                {"pk_live_", 10}, {"sk-", 20},      {"SG.", 30},
                                {"npm_", 30},     {"pypi-", 30},    {"ya29.", 20},
                                {"dop_v1_", 30},  {"shpat_", 20},   {"AGE-SECRET-KEY-", 20},
                                {"whsec_", 20},   {"hf_", 30},      {"EAACEdEose0cBA", 5}};
constexpr std::string_view kAssigned[] = {
    "password=",     "passwd=", "pwd=",           "secret=",   "api_key=",        "apikey=",
    "access_token=", "token=",  "client_secret=", "password:", "authorization: ", "bearer "};

bool begins_without_case(std::string_view s, std::string_view lower) noexcept {
  if (s.size() < lower.size()) return false;
  for (std::size_t i = 0; i < lower.size(); ++i) {
    const char c = class_of(s[i]) == kUpper ? static_cast<char>(s[i] | 0x20) : s[i];
    if (c != lower[i]) return false;
  }
  return true;
}

std::size_t token_length(std::string_view s) noexcept {
  std::size_t n = 0;
  while (n < s.size() && (is_base64url(s[n]) || s[n] == '+' || s[n] == '/' || s[n] == '=' || s[n] == '.')) ++n;
  return n;
}

// A run that looks drawn at random: long, of all three kinds, changing kind often, using many different characters.
bool looks_random(std::string_view token) noexcept {
  if (token.size() < 28) return false;
  std::size_t changes = 0, kinds = 0;
  std::uint64_t low = 0, high = 0;
  std::uint8_t seen = 0;
  for (std::size_t i = 0; i < token.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(token[i]);
    (byte < 64 ? low : high) |= std::uint64_t{1} << (byte & 63U);
    const std::uint8_t kind = class_of(token[i]);
    seen = static_cast<std::uint8_t>(seen | kind);
    if (kind == 0 || kind == kDot) ++kinds;
    if (i > 0 && kind != class_of(token[i - 1])) ++changes;
  }
  const auto different = static_cast<std::size_t>(std::popcount(low) + std::popcount(high));
  constexpr std::uint8_t kAll = kDigit | kLower | kUpper;
  return (seen & kAll) == kAll && changes * 3 >= token.size() && different >= 16 && kinds * 6 <= token.size();
}

bool has_secret(std::string_view s) noexcept {
  if (s.find("PRIVATE KEY-----") != std::string_view::npos) return true;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (i > 0 && is_alnum(s[i - 1])) continue;
    const std::string_view rest = s.substr(i);
    for (const auto& prefix : kPrefixes)
      if (rest[0] == prefix.text[0] && rest.starts_with(prefix.text)) {
        const std::size_t n = token_length(rest.substr(prefix.text.size()));
        bool digit = false;
        for (const char c : rest.substr(prefix.text.size(), n)) digit = digit || is_digit(c);
        if (n >= prefix.more && digit) return true;
      }
    for (const auto assigned : kAssigned)
      if (begins_without_case(rest, assigned)) {
        std::size_t n = 0;
        const auto value = rest.substr(assigned.size());
        bool digit = false;
        while (n < value.size() && value[n] != ' ' && value[n] != '&' && value[n] != ',')
          digit = digit || is_digit(value[n]), ++n;
        if (n >= 6 && digit) return true;
      }
    const std::size_t n = token_length(rest);
    if (looks_random(rest.substr(0, n))) return true;
  }
  return false;
}

}  // namespace

std::string_view finding_name(Finding finding) noexcept {
  constexpr std::string_view kNames[] = {"none", "email", "card", "jwt", "ipv4", "mac", "secret"};
  static_assert(std::size(kNames) == static_cast<std::size_t>(Finding::count_));
  return kNames[static_cast<std::size_t>(finding) % std::size(kNames)];
}

Finding find_hostile(std::string_view text) noexcept {
  if (text.size() < kShortest) return Finding::none;
  std::uint8_t seen = 0;
  for (const char c : text) seen = static_cast<std::uint8_t>(seen | class_of(c));
  if ((seen & kDot) != 0) {
    if ((seen & (kAt | kPercent)) != 0 && has_email(text)) return Finding::email;
    if (text.size() >= 20 && (seen & kUpper) != 0 && has_jwt(text)) return Finding::jwt;
    if ((seen & kDigit) != 0 && has_ipv4(text)) return Finding::ipv4;
  }
  if ((seen & kDigit) != 0 && text.size() >= 13 && has_card(text)) return Finding::card;
  if ((seen & (kColon | kDash | kDot)) != 0 && text.size() >= 14 && has_mac(text)) return Finding::mac;
  const bool may_hide = (seen & kDigit) != 0 || text.size() >= 40;
  if (may_hide && text.size() >= 10 && has_secret(text)) return Finding::secret;
  return Finding::none;
}

bool is_card_number(std::int64_t value) noexcept {
  if (value < 100'000'000'000'000 || value >= 10'000'000'000'000'000) return false;
  std::array<std::uint8_t, 16> reversed{}, digits{};
  std::size_t count = 0;
  for (; value > 0; value /= 10) reversed[count++] = static_cast<std::uint8_t>(value % 10);
  for (std::size_t i = 0; i < count; ++i) digits[i] = reversed[count - 1 - i];
  return is_issued(digits.data(), count) && luhn(digits.data(), count);
}

}  // namespace honeylink::telemetry::scrub
