// The engine's face of the board: see outbox.h.
#include "alert/outbox.h"

#include "alert/alertmanager.h"
#include "alert/board.h"
#include "alert/toasts.h"

namespace honeylink::telemetry::alert {

Outbox::Outbox(std::shared_ptr<Board> board) noexcept : board_(std::move(board)) {}

std::unique_ptr<Outbox> Outbox::start(OutboxOptions options) {
  return std::unique_ptr<Outbox>(
      new Outbox(std::make_shared<Board>(std::move(options), std::array{&run_toasts, &run_alertmanager})));
}

Outbox::~Outbox() { board_->stop(); }

void Outbox::fired(const AlertEvent& event) noexcept {
  try {
    board_->fired(event, false);
  } catch (...) { board_->refused_for_memory(); }
}

void Outbox::cleared(const AlertEvent& event) noexcept {
  try {
    board_->cleared(event);
  } catch (...) {  // Its toast stays, Alertmanager forgets it by itself.
  }
}

void Outbox::restore(std::span<const AlertEvent> firing) noexcept {
  for (const AlertEvent& event : firing) {
    try {
      board_->fired(event, true);
    } catch (...) { board_->refused_for_memory(); }
  }
  board_->restored();
}

void Outbox::configure(OutboxOptions options) noexcept {
  try {
    board_->configure(std::move(options));
  } catch (...) {  // The former options hold until the next time.
  }
}

std::vector<Delivery> Outbox::take_deliveries() noexcept { return board_->take_deliveries(); }
std::vector<std::string> Outbox::take_words() noexcept { return board_->take_words(); }
OutboxCounts Outbox::counts() const noexcept { return board_->counts(); }

}  // namespace honeylink::telemetry::alert
