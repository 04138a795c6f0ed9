// The toasts of all service levels: one each, replaced in place, told once.
//
// run_toasts is the toast's thread (board.h). It knows what stands on the screen (Card), what should (the board), and
// closes the difference when the bus, the daemon and the window of a service level allow. Nothing is sent twice for
// want of an answer.
#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "alert/back_off.h"
#include "alert/board.h"
#include "alert/bus_address.h"
#include "alert/notifications.h"
#include "alert/toast_memory.h"
#include "base/message.h"

namespace honeylink::telemetry::alert {

void run_toasts(Board& board);

/// One service level's place on the screen.
struct Card {
  Entry entry;           // what should stand there
  std::string shown;     // what stands there: an alert's id, "-" and an id for its end, or nothing
  std::uint32_t id = 0;  // the daemon's; 0: none, or it was closed
  // A Notify without an answer yet:
  std::uint64_t token = 0;  // 0: none
  std::string sent;         // what will then stand there
  Entry sent_entry;
  std::int64_t sent_ns = 0;
  std::int64_t not_before_ns = 0;
  bool stray = false;  // an earlier engine's, of which nobody speaks any more: to be closed

  [[nodiscard]] std::string wanted() const;
  [[nodiscard]] bool differs() const { return token == 0 && wanted() != shown; }
  [[nodiscard]] std::int64_t due_ns() const;
};

class Toasts {
 public:
  explicit Toasts(Board& board);
  void run();

 private:
  // toasts.cc
  void take_changes();
  void take_entry(const Entry& entry);
  void find_strays(std::int64_t now);
  void act(std::int64_t now);
  void show(Card& card, std::int64_t now);
  [[nodiscard]] bool wants_bus(std::int64_t now) const;
  [[nodiscard]] bool may_leave(std::int64_t now);
  void sleep(std::int64_t now);
  [[nodiscard]] std::int64_t wake_at_ns(std::int64_t now) const;
  void remember(const std::string& key, const Card& card);
  void save_memory();
  // toasts_bus.cc
  void connect(std::int64_t now);
  void ask(std::int64_t now);
  void hear(std::int64_t now);
  void daemon_answered(const std::string& error, std::int64_t now);
  void receipt(const BusEvents::Reply& reply, std::int64_t now);
  void clicked(const BusEvents::Action& action);
  void lost(std::int64_t now);
  void forget_ids();
  void drop_strays();
  void note_silence(std::int64_t now);

  enum class Daemon : std::uint8_t { unknown, asked, ready };
  Board& board_;
  OutboxOptions options_;
  Language language_ = Language::en;
  Notifications bus_;
  Daemon daemon_ = Daemon::unknown;
  std::string bus_id_;
  std::int64_t asked_ns_ = 0;
  bool silent_ = false;  // an answer is overdue
  ToastMemory memory_;
  bool memory_loaded_ = false;
  std::map<std::string, Card> cards_;
  std::uint64_t last_token_ = 0;
  BackOff back_off_;
  std::int64_t strays_at_ns_ = 0;  // 0: looked after
  std::int64_t idle_since_ns_ = 0;
  std::int64_t stop_by_ns_ = 0;  // 0: nobody said stop
};

}  // namespace honeylink::telemetry::alert
