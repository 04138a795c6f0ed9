// The way to the owner's Alertmanager: POST /api/v2/alerts, repeated while an alert fires, resolved at its end.
//
// run_alertmanager is the way's thread (board.h). What is posted is the current state: of an Alertmanager that was away
// for an hour nobody asks what it missed. A change of level is the end of one alert and the beginning of another, since
// the severity is a label. Every connection is made of a permit that the gate has just given (I-5) and closed after the
// answer; without a permit there is no socket, not even for a name.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "alert/back_off.h"
#include "alert/board.h"
#include "consent/gate.h"
#include "net/client.h"

namespace honeylink::telemetry::alert {

void run_alertmanager(Board& board);

/// Alertmanager forgets an alert this long after it was last posted: four posts may fail before that.
inline constexpr std::int64_t kAssertedNs = 240'000'000'000;

/// One alert as Alertmanager knows it: a service level at one severity.
struct Post {
  Entry entry;
  bool firing = false;
  std::int64_t due_ns = 0;             // monotonic
  std::int64_t asserted_until_ns = 0;  // monotonic; 0: Alertmanager has never heard of it
};

class Alertmanager {
 public:
  Alertmanager(Board& board, const std::string& home);
  void run();

 private:
  using Key = std::pair<std::string, Level>;
  void take_changes();
  void take_entry(const Entry& entry, std::int64_t now);
  void change_endpoint();
  void act(std::int64_t now);
  void post(const std::vector<Key>& keys, std::int64_t now);
  net::Answer send(const std::string& body);
  void accepted(const std::vector<Key>& keys, std::int64_t now);
  void failed(const std::vector<Key>& keys, const net::Answer& answer, std::int64_t now);
  void not_allowed(const std::string& why, std::int64_t now);
  void forget_what_is_over(std::int64_t now);
  [[nodiscard]] bool may_leave(std::int64_t now);
  void sleep(std::int64_t now);

  Board& board_;
  OutboxOptions options_;
  consent::Gate gate_;
  std::map<Key, Post> posts_;
  BackOff back_off_;
  std::int64_t idle_since_ns_ = 0;
  std::int64_t stop_by_ns_ = 0;  // 0: nobody said stop
};

}  // namespace honeylink::telemetry::alert
