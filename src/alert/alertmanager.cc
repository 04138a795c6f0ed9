// The way to the owner's Alertmanager: see alertmanager.h.
#include "alert/alertmanager.h"

namespace honeylink::telemetry::alert {

void run_alertmanager(Board& board) {
  do {
    const Changes changes = board.pull(Way::alertmanager);
    board.say("alertmanager", "nothing is posted to " + changes.options.alertmanager + ": there is no consent");
    board.count(Way::alertmanager, [](WayCounts& counts) { ++counts.not_allowed; });
  } while (!board.may_end(Way::alertmanager));
}

}  // namespace honeylink::telemetry::alert
