// The outbox of alerts in the engine: started before levels are restored, told of what fires and clears, asked at each
// tick how that went. The outbox never blocks; what it has to say goes into the log, what it delivered into the alerts'
// rows. Owned by Core, the engine's thread.
#pragma once
#include <memory>
#include <string>

#include "alert/outbox.h"

namespace honeylink::telemetry::engine {

struct Core;

class AlertWays {
 public:
  /// From now on Core::alerts leads here, unless somebody listens there already.
  void begin(Core& core);
  /// The configuration or a consent may have changed. Where neither has, what waits keeps waiting: a program that rings
  /// often must not become an Alertmanager that is asked often.
  void configure(Core& core);
  /// What was delivered since, and what is to be said.
  void tend(Core& core);
  [[nodiscard]] const alert::Outbox* outbox() const noexcept { return outbox_.get(); }
  /// To be destroyed when the lead is given up: it waits for what is under way.
  [[nodiscard]] std::unique_ptr<alert::Outbox> take() noexcept { return std::move(outbox_); }

 private:
  std::unique_ptr<alert::Outbox> outbox_;
  alert::OutboxOptions options_;
  std::string consent_stamp_;  // of the receipts' directory, as configure() last saw it
};

}  // namespace honeylink::telemetry::engine
