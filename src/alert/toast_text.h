// What a toast says: from an alert to the words, signs and hints of a notification. Pure; any thread.
//
// Every text that came from a program or a config is made fit for a screen (F33) and, where the daemon reads markup,
// for that. The sign, the word and the urgency tell the level; never a colour alone.
#pragma once
#include <string>
#include <string_view>

#include "alert/notifications.h"
#include "base/events.h"
#include "base/message.h"

namespace honeylink::telemetry::alert {

/// "650.5 ms", "0.112", "12.4 kB": four digits, seconds as people say them.
[[nodiscard]] std::string quantity(double value, std::string_view unit);

/// By which rule the alert was fired: error budget burnt too fast, not a value beyond its threshold.
[[nodiscard]] bool is_burn(const AlertEvent& event) noexcept;
/// "650.5 ms", or a burn rate "14.4x".
[[nodiscard]] std::string current_text(const AlertEvent& event);
[[nodiscard]] std::string threshold_text(const AlertEvent& event);

/// `firing`: the alert; else its end. `offers_trace`: whether "show trace" would work.
[[nodiscard]] Toast make_toast(const AlertEvent& event, bool firing, Language language,
                               const Capabilities& capabilities, bool offers_trace);

/// The keys of a toast's actions: a click on it, and its button.
inline constexpr std::string_view kActionDefault = "default", kActionTrace = "trace";

}  // namespace honeylink::telemetry::alert
