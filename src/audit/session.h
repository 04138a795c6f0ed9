// One append to the audit log, under its lock: what the end of the log looks like, which key is in force, what has to
// be said first, and the writing. Used by the journal only; lives for one append.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "audit/entry.h"
#include "audit/epoch_key.h"
#include "audit/files.h"
#include "audit/journal.h"
#include "base/clock.h"
#include "base/file.h"

namespace honeylink::telemetry::audit {

class Session {
 public:
  Session(const std::string& home, const Clock& clock) : home_(home), clock_(clock) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Reads the state, mends what a crash left, and writes what has to be said about it.
  bool open(std::int64_t lock_wait_ms, std::string& why);
  bool emit(std::string_view event, Context context, Result result, bool ends_epoch, std::string& why);
  /// open() had to say that the time of day went back.
  [[nodiscard]] bool has_said_clock_step() const noexcept { return clock_step_said_; }
  /// After the last emit: the head.
  bool finish(Journal::End* end, std::string& why);

 private:
  bool read_log(std::string& why);
  bool read_key(std::string& why);
  bool set_torn_aside(const std::string& path, const Tail& tail, std::string& why);
  bool begin_anew(std::string_view reason, std::string& why);
  bool say_what_is_wrong(std::string& why);
  bool say_clock_step(std::string& why);
  bool append_line(const std::string& line, std::string& why);
  bool rotate_if_due(std::string& why);
  bool prune(std::string& why);
  [[nodiscard]] std::uint64_t expected_end() const noexcept;

  const std::string& home_;
  const Clock& clock_;
  Fd lock_;
  // The log's end.
  bool any_ = false;    // there is a last line
  bool sound_ = false;  // and it is an entry
  Entry last_;
  Hash last_hash_{};
  std::uint64_t torn_bytes_ = 0;
  std::string torn_file_, torn_hash_;
  HeadState head_state_ = HeadState::none;
  Head head_;
  EpochKey key_;
  KeyState key_state_ = KeyState::none;
  std::uint64_t next_seq_ = 1;
  Hash prev_{};
  std::int64_t last_time_ns_ = 0;
  bool clock_step_said_ = false;
};

}  // namespace honeylink::telemetry::audit
