// The log files of a home, oldest line first: honeylink.log and its rotated honeylink.log.<n>.zst. Reads only; bounded
// memory: one line at a time. One thread.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "query/log_line.h"
#include "query/pattern.h"
#include "query/problem.h"

namespace honeylink::telemetry::query {

struct LogFilter {
  std::int64_t since_unix_ns = INT64_MIN, until_unix_ns = INT64_MAX;
  int level_min = 0;
  std::string trace_prefix;  // lower-case hex
  std::string pseudonym;     // a hashed id, anywhere in the line
  std::optional<Pattern> grep;
};
/// Does the line pass? A line that is no JSON passes where neither time, level nor trace is asked for. Parses into
/// `line`.
[[nodiscard]] bool passes(std::string_view raw, LogFilter& filter, LogLine& line);

struct LogFile {
  std::string path;
  std::uint64_t bytes = 0;
  std::int64_t modified_unix_ns = 0;
  bool compressed = false;
};
/// Oldest first. Empty where nothing was logged.
[[nodiscard]] std::vector<LogFile> list_log_files(const std::string& home);

inline constexpr std::size_t kLogLineBytesMax = std::size_t{1}
                                                << 20;  // a record is 8 KB; longer is somebody else's line, and is cut

/// Calls `visit` for each line of the file, without its newline; stops where that answers false. A last line without a
/// newline is not yet written: left out.
[[nodiscard]] std::optional<Problem> read_log_file(const LogFile& file,
                                                   const std::function<bool(std::string_view)>& visit);

/// A file of the listing, open: what is rotated, compressed or thrown away meanwhile can still be read.
struct HeldLog {
  LogFile file;
  Fd fd;
};
/// All of one moment, oldest first.
[[nodiscard]] Answer<std::vector<HeldLog>> hold_log_files(const std::string& home);
/// As above, from its beginning; once.
[[nodiscard]] std::optional<Problem> read_log_file(const HeldLog& log,
                                                   const std::function<bool(std::string_view)>& visit);

/// Follows the newest file across rotations. The first poll() begins at its end, or at its beginning where
/// `from_start`.
class LogFollower {
 public:
  LogFollower(std::string path, bool from_start);
  /// Lines that came since the last call. Waits up to `timeout_ms` for the first.
  void poll(int timeout_ms, const std::function<void(std::string_view)>& visit);

 private:
  bool open_file();
  bool drain(const std::function<void(std::string_view)>& visit);
  std::string path_, partial_;
  Fd file_, watch_;
  std::uint64_t offset_ = 0, inode_ = 0;
  bool from_start_;
};

}  // namespace honeylink::telemetry::query
