// One text for people, in every language that the product speaks (UX 19). The rows stand in messages_<area>.h.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace honeylink::telemetry {

enum class Language : std::uint8_t { en, ja, es, zh };
inline constexpr std::size_t kLanguages = 4;
inline constexpr std::array<std::string_view, kLanguages> kLanguageNames{"en", "ja", "es", "zh"};

/// `text` by Language. {0} … {9} are places for values, the same ones in every language.
struct Message {
  std::string_view key;  // "area.what"
  std::array<std::string_view, kLanguages> text;
};

}  // namespace honeylink::telemetry
