// Spans for one destination: record_source.h over a feed of young ones and traces.db. put() and committed() are the
// engine's.
#pragma once
#include <algorithm>
#include <atomic>

#include "export/record_source.h"
#include "export/span_feed.h"
#include "export/stored_spans.h"

namespace honeylink::telemetry::exporting {

class SpanSource final : public RecordSource {
 public:
  /// `spans_stored`: what is committed now.
  SpanSource(const std::string& database, std::int64_t from_unix_ns, std::uint64_t spans_stored)
      : feed_(names_, from_unix_ns), stored_(database, names_, from_unix_ns), committed_(spans_stored) {}

  /// Engine's thread: hand over first, commit, then say so.
  void put(std::shared_ptr<const store::SpanHandOver> spans) { feed_.put(std::move(spans)); }
  void committed(std::uint64_t spans_stored) noexcept { committed_.store(spans_stored, std::memory_order_release); }
  /// What waits was not stored and comes again.
  void discard() { feed_.drop(); }

  std::optional<Batch> live(std::size_t bytes_max) override {
    // Names that were told to somebody else before are in the database only.
    return stored_.open() ? feed_.next(bytes_max) : std::nullopt;
  }
  std::optional<Batch> stored(Range gap, std::size_t bytes_max) override { return stored_.next(gap, bytes_max); }
  /// In this order: what is committed after the look was handed over before it.
  std::uint64_t stored_below() override {
    const std::uint64_t committed = committed_.load(std::memory_order_acquire);
    return std::min(committed, feed_.first_waiting());
  }
  std::uint64_t first_allowed() override { return stored_.first_number(committed_.load(std::memory_order_acquire)); }
  /// What waits may be packed by the time that it could be sent: then the store alone says what there is.
  void lost_live() override { feed_.drop(); }
  bool has_live() const override { return feed_.any(); }
  void restart() override { stored_.restart(); }

 private:
  LiveNames names_;
  SpanFeed feed_;
  StoredSpans stored_;
  std::atomic<std::uint64_t> committed_;
};

}  // namespace honeylink::telemetry::exporting
