// The way to the owner's Alertmanager: POST /api/v2/alerts, repeated while an alert fires, resolved at its end.
//
// run_alertmanager is the way's thread (board.h).
#pragma once
#include "alert/board.h"

namespace honeylink::telemetry::alert {

void run_alertmanager(Board& board);

}  // namespace honeylink::telemetry::alert
