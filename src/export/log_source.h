// Log lines for one destination, out of the log files: young ones too, which are in the page cache. A position is a
// file's number (the one that it gets when it is rotated) and an offset in it.
//
// committed() is the engine's, any thread; the rest belongs to the thread that sends. Must stay true: a request holds
// whole lines, and every line of its range or counts it as unreadable.
#pragma once
#include <deque>
#include <mutex>
#include <string>

#include "export/otlp_logs.h"
#include "export/record_source.h"

namespace honeylink::telemetry::exporting {

/// A file is at most 10 MB; offsets have 32 bits of a position.
[[nodiscard]] constexpr std::uint64_t log_position(std::uint64_t file_number, std::uint64_t offset) noexcept {
  return file_number << 32 | offset;
}

class LogSource final : public RecordSource {
 public:
  LogSource(std::string directory, std::int64_t from_unix_ns, std::uint64_t committed);
  /// Lines are readable below this position.
  void committed(std::uint64_t position);

  std::optional<Batch> live(std::size_t bytes_max) override;
  std::optional<Batch> stored(Range gap, std::size_t bytes_max) override;
  std::uint64_t stored_below() override;
  std::uint64_t first_allowed() override;
  bool has_live() const override;
  void restart() override {}
  /// Bytes; of files that lie between, at most.
  std::uint64_t amount(Range range) const override;

 private:
  struct Piece {
    std::string lines;
    std::uint64_t end = 0;  // position after them
    bool readable = false;
  };
  [[nodiscard]] Piece read(Range range, std::size_t bytes_max);
  [[nodiscard]] const std::string* file_of(std::uint64_t number);
  Batch encode(Range range, Piece piece);

  const std::string directory_;
  const std::int64_t from_unix_ns_;
  mutable std::mutex mutex_;
  std::uint64_t committed_ = 0, live_from_ = 0;
  LogRequest request_;
  // The rotated file that was read last, unpacked.
  std::uint64_t unpacked_number_ = 0;
  std::string unpacked_;
};

}  // namespace honeylink::telemetry::exporting
