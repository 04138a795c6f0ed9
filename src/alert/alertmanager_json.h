// What Alertmanager is told: alerts as `POST /api/v2/alerts` takes them. Pure; any thread.
//
// Labels are the alert's identity, so they hold nothing that changes while it fires; value, threshold and trace are
// annotations. deploy/alertmanager.yml routes by `severity`.
#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "base/events.h"

namespace honeylink::telemetry::alert {

inline constexpr std::string_view kAlertName = "HoneylinkServiceLevel", kBurnAlertName = "HoneylinkErrorBudgetBurn";

struct PostedAlert {
  const AlertEvent* event = nullptr;
  std::int64_t ends_unix_ns = 0;  // in the future while it fires: when it is to be forgotten unless it is repeated
};

/// `instance`: names this installation, or empty.
[[nodiscard]] std::string alerts_json(std::span<const PostedAlert> alerts, std::string_view instance);

/// "yellow", "orange", "red"; "ok".
[[nodiscard]] std::string_view severity_name(Level level) noexcept;

}  // namespace honeylink::telemetry::alert
