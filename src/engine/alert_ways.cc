// See alert_ways.h.
#include "engine/alert_ways.h"

#include <unistd.h>

#include <array>

#include "consent/store.h"
#include "engine/core.h"
#include "engine/file_stamp.h"
#include "sli/definition.h"

namespace honeylink::telemetry::engine {
namespace {

// The program that a toast's "show trace" starts: this one, where it is honeytel. An application that embeds the engine
// is none.
std::string tool_path() {
  std::array<char, 4096> path{};
  const ssize_t n = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
  const std::string tool(path.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
  return tool.ends_with("/honeytel") ? tool : std::string();
}

alert::OutboxOptions options_of(Core& core) {
  alert::OutboxOptions options;
  options.home = core.home;
  options.toast = core.config.alert.toast;
  options.alertmanager = core.config.alert.alertmanager;
  // No key is made for a label that nobody will see.
  if (!options.alertmanager.empty()) options.instance = core.scrubber->installation();
  options.tool = tool_path();
  return options;
}

/// Another one whenever a receipt is granted, revoked or replaced.
std::string stamp_of_receipts(const std::string& home) { return stamp_of(consent::consent_directory(home)); }

}  // namespace

void AlertWays::begin(Core& core) {
  if (core.alerts.fired || core.alerts.cleared || core.alerts.restore) return;
  options_ = options_of(core);
  consent_stamp_ = stamp_of_receipts(core.home);
  outbox_ = alert::Outbox::start(options_);
  core.alerts.fired = [this](const AlertEvent& event) {
    if (outbox_) outbox_->fired(event);
  };
  core.alerts.cleared = [this](const AlertEvent& event) {
    if (outbox_) outbox_->cleared(event);
  };
  core.alerts.restore = [this](std::span<const AlertEvent> firing) {
    if (outbox_) outbox_->restore(firing);
  };
}

void AlertWays::configure(Core& core) {
  if (outbox_ == nullptr) return;
  alert::OutboxOptions options = options_of(core);
  std::string stamp = stamp_of_receipts(core.home);
  if (options == options_ && stamp == consent_stamp_) return;
  options_ = std::move(options), consent_stamp_ = std::move(stamp);
  outbox_->configure(options_);
}

void AlertWays::tend(Core& core) {
  if (outbox_ == nullptr) return;
  for (const alert::Delivery& delivery : outbox_->take_deliveries()) {
    const char* way = delivery.way == alert::Way::toast ? "toast_ms" : "alertmanager_ms";
    core.slis.note_delivery(
        {delivery.alert_id, std::string("{\"") + way + "\":" + sli::shortest_number(delivery.ms) + "}"});
  }
  for (const std::string& words : outbox_->take_words()) core.own_log->say(OwnLog::kWarn, "alert.untold", {}, words);
}

}  // namespace honeylink::telemetry::engine
