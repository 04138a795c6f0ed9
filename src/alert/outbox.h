// The way from an alert to a person: a toast on the desktop and a POST to the owner's Alertmanager, behind a board that
// the engine writes on and never waits for.
//
// The board holds one wanted state per service level, not a queue of history: a storm, a daemon that hangs and an
// Alertmanager that was away for an hour all end in the current state being told once. Each way is a thread of its own,
// so that neither delays the other; a way's thread, connection and file exist only while something is to be told (an
// agent in which nothing fires makes no system call here). Owner: the engine's thread calls everything; nothing throws.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/events.h"

namespace honeylink::telemetry::alert {

struct OutboxOptions {
  std::string home;
  bool toast = true;
  std::string alertmanager;  // "http://127.0.0.1:9093", or empty; nothing is sent without consent
  std::string language;      // "ja", "es_MX.UTF-8", …; empty: the environment's
  /// Names this installation to an Alertmanager that several devices share: a pseudonym, never a host's name. Empty: no
  /// such label.
  std::string instance;
  /// The honeytel program, which a toast's "show trace" starts. Empty: no action is offered; the text names the
  /// command.
  std::string tool;

  /// Remembers in the home what stands on the screen (toast_memory.h). False: somebody else's business, as in a test
  /// alert that a command sends.
  bool remembers = true;

  std::string bus_address;              // empty: the session bus of the environment, else of /run/user/<uid>
  std::int64_t toast_window_ms = 9000;  // one toast per service level within it: a little less than a tick of 10 s
  std::int64_t repost_ms = 60'000;      // Alertmanager forgets an alert that is not repeated
  std::int64_t retry_first_ms = 500, retry_max_ms = 60'000;
  std::int64_t linger_ms = 60'000;  // how long a way that has nothing to tell keeps its thread

  friend bool operator==(const OutboxOptions&, const OutboxOptions&) = default;
};

enum class Way : std::uint8_t { toast, alertmanager };
inline constexpr std::size_t kWays = 2;

/// A firing alert reached somebody: `ms` from fired() to the receipt; of a restored one, from its timestamp.
struct Delivery {
  std::string alert_id;
  using Way = alert::Way;
  Way way = Way::toast;
  double ms = 0;
};

/// For each way: alerts = delivered + superseded + refused + waiting, at any moment.
struct WayCounts {
  std::uint64_t alerts = 0;      // fired or restored while the way was on
  std::uint64_t delivered = 0;   // with a receipt; a restored one that its reader has seen counts too
  std::uint64_t superseded = 0;  // cleared or overtaken by the same service level's next before its receipt
  std::uint64_t refused = 0;     // more service levels than kLevelsMax, or no memory, or the way was switched off
  std::uint64_t waiting = 0;

  std::uint64_t cleared = 0;      // toasts of an end, resolved alerts posted
  std::uint64_t attempts = 0;     // Notify calls, POSTs
  std::uint64_t failed = 0;       // those that brought an error
  std::uint64_t unreachable = 0;  // no bus, no daemon; no Alertmanager
  std::uint64_t hung = 0;         // no answer within kAnswerMs
  std::uint64_t not_allowed = 0;  // without consent; of the bus, an address that is no file of this machine
};

struct OutboxCounts {
  WayCounts toast, alertmanager;
  std::uint64_t fired = 0, cleared = 0, restored = 0;
  std::uint64_t words_dropped = 0, deliveries_dropped = 0;  // nobody came for them
};

/// The service level of a test alert: toasts and posts of it say that they are a test.
inline constexpr std::string_view kTestSli = "honeytel_test";

inline constexpr std::size_t kLevelsMax = 1024;      // service levels that may fire at a time; config.toml has no more
inline constexpr std::size_t kDeliveriesMax = 1024;  // between two visits of the engine
inline constexpr std::size_t kWordsMax = 64;
inline constexpr std::int64_t kAnswerMs = 2000;
inline constexpr std::int64_t kFarewellMs = 2000;  // of the destructor

class Board;

class Outbox {
 public:
  /// Never nullptr; starts no thread, opens nothing.
  [[nodiscard]] static std::unique_ptr<Outbox> start(OutboxOptions options);
  /// Gives what is under way kFarewellMs, no more.
  ~Outbox();
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  /// ≈ 1 µs; the first after a quiet time starts a thread (≈ 50 µs). An alert_id that fires again changes its value
  /// only. A service level's next alert takes the place of the one before, cleared or not.
  void fired(const AlertEvent& event) noexcept;
  /// Of an alert that a later one has overtaken already: nothing happens.
  void cleared(const AlertEvent& event) noexcept;
  /// The engine has restarted: what fires is posted to Alertmanager again, and shown where no toast of it was shown
  /// before. To be called once at the engine's start, though nothing fires: an end that no engine saw is shown, too.
  void restore(std::span<const AlertEvent> firing) noexcept;
  /// Also whenever consent may have changed: what waits is tried again at once.
  void configure(OutboxOptions options) noexcept;

  [[nodiscard]] std::vector<Delivery> take_deliveries() noexcept;
  /// What the engine should say in its log; each condition once, until it has passed.
  [[nodiscard]] std::vector<std::string> take_words() noexcept;
  [[nodiscard]] OutboxCounts counts() const noexcept;

 private:
  explicit Outbox(std::shared_ptr<Board> board) noexcept;
  std::shared_ptr<Board> board_;
};

}  // namespace honeylink::telemetry::alert
