// Young spans that wait to be sent. put() is called on the engine's thread and waits for no disk and no peer; the rest
// belongs to the one thread that sends. Memory is bounded: what finds no room is in the store, and comes from there
// (stored_spans.h).
#pragma once
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "export/batch.h"
#include "export/live_names.h"
#include "export/otlp_spans.h"
#include "store/span_hand_over.h"

namespace honeylink::telemetry::exporting {

inline constexpr std::size_t kLiveBytesMax = std::size_t{8} << 20;

class SpanFeed {
 public:
  SpanFeed(LiveNames& names, std::int64_t from_unix_ns) : names_(names), from_unix_ns_(from_unix_ns) {}
  void put(std::shared_ptr<const store::SpanHandOver> spans);
  /// What waits is not to be sent after all: it was not stored, or the store is where it is taken from now.
  void drop();
  /// Any thread.
  [[nodiscard]] bool any() const;
  /// The number of the first span that waits, partly sent ones too; UINT64_MAX: none does.
  [[nodiscard]] std::uint64_t first_waiting() const;
  /// The next spans that follow each other without a gap, up to `bytes_max`. Empty: there are none.
  [[nodiscard]] std::optional<Batch> next(std::size_t bytes_max);

 private:
  std::shared_ptr<const store::SpanHandOver> take_next(std::uint64_t expected);
  LiveNames& names_;
  const std::int64_t from_unix_ns_;
  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<const store::SpanHandOver>> waiting_;
  std::size_t waiting_bytes_ = 0;
  bool dropped_ = false;          // what is partly sent, too
  store::TraceNames lost_names_;  // of hand-overs that found no room: later ones use them

  std::shared_ptr<const store::SpanHandOver> now_;  // partly sent
  store::TraceBlob blob_{{}};
  std::uint32_t done_ = 0;  // spans of now_
  SpanRequest request_;
};

}  // namespace honeylink::telemetry::exporting
