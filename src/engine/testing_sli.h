// For the engine's tests of service levels: a program that sends and loses packets and establishes sessions, by hand,
// tick by tick. Not part of any library.
#pragma once
#include <cmath>
#include <initializer_list>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "engine/testing_home.h"
#include "store/sqlite.h"

namespace honeylink::telemetry::engine {

/// Cells of packets_lost_total, packets_sent_total and session_establishment_duration_seconds.
class SliProgram {
 public:
  SliProgram(const TestHome& home, std::uint8_t number) : ring(home, number) {
    ring->text(6, "packets_lost_total");
    ring->text(7, "packets_sent_total");
    ring->text(8, "session_establishment_duration_seconds");
    ring->text(9, "{packet}");
    ring->series(0, ring::InstrumentKind::counter, {6, 9, 0, 0});
    ring->series(1, ring::InstrumentKind::counter, {7, 9, 0, 0});
    ring->series(2, ring::InstrumentKind::histogram, {8, 4, 0, 0});
    counters_ = ring->slab(0, 0, 2);
    histogram_ = &ring->histogram(0, 2);
    std::uint32_t offset = 0;
    buckets_ = ring->bank(320, offset);
    histogram_->bank = ring::make_bank_word(offset, 6, -256);  // from 1/16 s to 2 s
  }
  void packets(std::uint64_t lost, std::uint64_t sent) { counters_[0] += lost, counters_[1] += sent; }
  void sessions(std::uint32_t n, double seconds) {
    buckets_[static_cast<std::size_t>(std::ceil(std::log2(seconds) * 64)) - 1 + 256] += n;
    histogram_->count = histogram_->count + n;
    histogram_->sum = histogram_->sum + n * seconds;
    auto& range = histogram_->range[ring->header().tick_epoch & 1U];
    if (range.epoch != ring->header().tick_epoch) {
      range.epoch = ring->header().tick_epoch.load();
      range.min = std::numeric_limits<double>::infinity(), range.max = -std::numeric_limits<double>::infinity();
    }
    range.min = std::min(range.min.load(), seconds), range.max = std::max(range.max.load(), seconds);
  }
  /// The worst session of this tick happened in trace number `trace` of this program, now by the engine's clock.
  void exemplar(const Clock& clock, double seconds, std::uint64_t trace) {
    ring::Exemplar& e = histogram_->exemplar;
    e.flags = 0, e.value = seconds, e.trace_lo = trace, e.span = trace;
    e.ticks = ring::read_clocks(ring::ClockSource::monotonic_ns).ticks +
              static_cast<std::uint64_t>(clock.realtime_ns() - system_clock().realtime_ns());
    e.seq = e.seq + 2;
  }
  /// A span that is not sampled and ends now by the engine's clock.
  static std::vector<std::uint8_t> span(const Clock& clock, std::uint64_t trace) {
    std::vector<std::uint8_t> bytes = LivingRing::span(0, trace);
    ring::SpanRecord record{};
    std::memcpy(&record, bytes.data(), sizeof record);
    const auto ahead = static_cast<std::uint64_t>(clock.realtime_ns() - system_clock().realtime_ns());
    record.start += ahead, record.end += ahead;
    std::memcpy(bytes.data(), &record, sizeof record);
    return bytes;
  }
  LivingRing ring;

 private:
  std::uint64_t* counters_;
  ring::HistogramBlock* histogram_;
  std::uint32_t* buckets_;
};

/// Rows of a statement, a text per row: columns parted by spaces, NULL as "-".
inline std::vector<std::string> rows_of(const TestHome& home, const char* sql) {
  std::vector<std::string> rows;
  store::Connection connection;
  if (connection.open(home.path() + "/metrics/metrics.db", store::Access::read_only, 1000) != SQLITE_OK) return rows;
  store::Statement statement = connection.prepare(sql);
  while (statement && statement.step() == SQLITE_ROW) {
    std::string row;
    for (int i = 0; i < sqlite3_column_count(statement.get()); ++i)
      row += (i == 0 ? "" : " ") + (statement.is_null(i) ? std::string("-") : std::string(statement.text(i)));
    rows.push_back(row);
  }
  return rows;
}

inline std::size_t count_in_log(const TestHome& home, const std::string& what) {
  std::string text, why;
  read_whole(home.path() + "/logs/honeylink.log", std::size_t{64} << 20, text, why);
  std::size_t n = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

/// Goes on where another engine's clock stood.
struct ClockState {
  std::int64_t realtime = 0, monotonic = 0;
};
inline ClockState clock_of(const TestEngine& e) { return {e.clock.realtime_ns(), e.clock.monotonic_ns()}; }
inline void go_on(TestEngine& e, const ClockState& from) {
  if (from.monotonic == 0) return;
  e.clock.advance(from.monotonic - e.clock.monotonic_ns());
  e.clock.step(from.realtime - e.clock.realtime_ns());
}

/// Leads from the beginning of a tick on.
inline bool lead_on_time(TestEngine& e) {
  e.clock.advance(10'000'000'000 - e.clock.realtime_ns() % 10'000'000'000 + 1'000'000);
  return e.lead();
}

/// To the next boundary of ten seconds and over it: one evaluation.
inline void pass_tick(TestEngine& e) {
  const std::int64_t into = e.clock.realtime_ns() % 10'000'000'000;
  e.clock.advance(10'000'000'000 - into + 1'000'000);
  for (int i = 0; i < 20 && e.engine->step(); ++i) {}
  e.clock.advance(300'000'000);  // what was told is committed
  for (int i = 0; i < 20 && e.engine->step(); ++i) {}
}

/// A tick for each of `lost`: so many of 2,000 packets, three of a hundred sessions slow, with a span as exemplar.
inline void pass_ticks_of_a_link(TestEngine& e, SliProgram& link, std::initializer_list<std::uint64_t> lost) {
  link.ring->take(0, 0);
  pass_tick(e);
  for (const std::uint64_t n : lost) {
    link.packets(n, 2000);
    link.sessions(97, 0.1), link.sessions(3, 0.7);
    link.ring->append(0, SliProgram::span(e.clock, 77));
    link.exemplar(e.clock, 0.7, 77);
    pass_tick(e);
  }
}

}  // namespace honeylink::telemetry::engine
