// What LogFiles holds; shared by log_files.cc (commit) and log_recovery.cc (open, cut, adopt).
#pragma once
#include <set>
#include <string>

#include "base/file.h"
#include "store/log_archive.h"
#include "store/log_files.h"
#include "store/log_line.h"
#include "store/log_state.h"

namespace honeylink::telemetry::store {

struct LogFiles::State {
  explicit State(const StoreOptions& options);

  // log_recovery.cc
  bool open(std::string& said);
  bool open_state(std::string& said);
  bool open_log(std::string& said);
  bool recover_tail(const std::string& path, int fd, bool other_boot, std::string& said);
  void adopt(std::uint64_t bytes);

  // log_files.cc
  CommitResult write_state(LogState next, bool sync);
  CommitResult write_lines(std::string_view lines, LogState& next);
  CommitResult rotate();
  CommitResult make_room(std::uint64_t bytes);
  bool follow_path();
  CommitResult system_error(std::string_view what);
  [[nodiscard]] std::uint64_t total_bytes() const;

  StoreOptions options;
  std::string directory, path, why;
  Fd log, state_file;
  LogState state;  // as of the last written slot
  std::uint64_t epoch = 0;
  std::uint64_t written_back = 0;  // of the log: bytes whose write-back was begun
  std::array<std::uint8_t, 16> boot{};
  bool began_anew = false;
  LogArchive archive;
  LogLines lines;
  LineBuffer pending;
  std::size_t pending_lines = 0;
  std::set<RingId> forgotten;
};

}  // namespace honeylink::telemetry::store
