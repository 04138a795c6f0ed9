// The catalogue of everything that is said to people in their own language: consent, alerts, views. Machine output and
// log files are never translated.
//
//   fill("consent.until", language, {"2027-02-25", "90"})
//
// A key that no row has does not compile. A new area is a header messages_<area>.h with an array of Message, included
// and named in kAreas here; messages_test.cc then holds it to having every language and the same places in each. Pure;
// any thread.
#pragma once
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "base/message.h"
#include "base/messages_alert.h"
#include "base/messages_consent.h"
#include "base/messages_top.h"

namespace honeylink::telemetry {

inline constexpr std::array kAreas{std::span<const Message>(kAlertMessages), std::span<const Message>(kConsentMessages),
                                   std::span<const Message>(kTopMessages)};

class MessageKey {
 public:
  consteval MessageKey(const char* key) : message_(find(key)) {}  // NOLINT(*explicit*): a literal is meant
  [[nodiscard]] constexpr const Message& message() const noexcept { return *message_; }

 private:
  static consteval const Message* find(std::string_view key) {
    for (const auto& area : kAreas)
      for (const Message& message : area)
        if (message.key == key) return &message;
    throw "no row of the catalogue has this key";
  }
  const Message* message_;
};

[[nodiscard]] std::string_view text(MessageKey key, Language language) noexcept;
/// With its places filled.
[[nodiscard]] std::string fill(MessageKey key, Language language, std::initializer_list<std::string_view> values);

/// "ja_JP.UTF-8" → ja; English for all that is not spoken.
[[nodiscard]] Language language_of(std::string_view locale) noexcept;
/// By LC_ALL, LC_MESSAGES and LANG, the first that is set.
[[nodiscard]] Language language_of_environment() noexcept;

}  // namespace honeylink::telemetry
