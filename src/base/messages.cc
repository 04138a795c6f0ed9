// See messages.h.
#include "base/messages.h"

#include <algorithm>
#include <cstdlib>

namespace honeylink::telemetry {

std::string_view text(MessageKey key, Language language) noexcept {
  return key.message().text[static_cast<std::size_t>(language)];
}

std::string fill(MessageKey key, Language language, std::initializer_list<std::string_view> values) {
  const std::string_view pattern = text(key, language);
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const bool place = pattern[i] == '{' && i + 2 < pattern.size() && pattern[i + 2] == '}' && pattern[i + 1] >= '0' &&
                       pattern[i + 1] <= '9';
    if (!place) {
      out += pattern[i];
      continue;
    }
    const auto which = static_cast<std::size_t>(pattern[i + 1] - '0');
    if (which < values.size()) out += *(values.begin() + which);
    i += 2;
  }
  return out;
}

Language language_of(std::string_view locale) noexcept {
  const std::string_view name = locale.substr(0, std::min(locale.find_first_of("_-.@"), locale.size()));
  const auto at = std::find(kLanguageNames.begin(), kLanguageNames.end(), name);
  return at == kLanguageNames.end() ? Language::en : static_cast<Language>(at - kLanguageNames.begin());
}

Language language_of_environment() noexcept {
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return language_of(value);
  }
  return Language::en;
}

}  // namespace honeylink::telemetry
