// A collector that is away for three days (F15), by a clock that the test moves: afterwards every span and every point
// is there, once or counted, in order within a series, and what is recorded meanwhile never waits behind what was
// missed.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <mutex>
#include <protozero/pbf_reader.hpp>
#include <set>
#include <thread>

#include "consent/store.h"
#include "engine/testing_home.h"
#include "export/exporter.h"
#include "grpc_peer.h"
#include "otlp_read.h"

namespace honeylink::telemetry::engine {
namespace {

using namespace std::chrono_literals;
using consent::Signal;
using interop::GrpcPeer;
using interop::PeerAnswer;
using interop::PeerRequest;

constexpr int kSpansAChunk = 20;
constexpr std::int64_t kMinuteNs = 60'000'000'000;

/// Three days; without --long three hours, still many times what memory holds.
int minutes_away() { return (std::getenv("HONEYLINK_TEST_LONG") != nullptr ? 3 * 24 : 3) * 60; }

/// Takes what comes unless it is away; keeps trace ids with their arrival, and the counter's points as they came.
class Collector {
 public:
  PeerAnswer take(const PeerRequest& request) {
    const std::lock_guard lock(mutex_);
    PeerAnswer answer;
    answer.grpc_status = away_ ? 14 : 0;
    if (away_) return answer;
    if (request.path.find("trace") != std::string::npos) {
      interop::each_item(request.message, [&](std::string_view span) {
        protozero::pbf_reader fields(span.data(), span.size());
        if (!fields.next(1)) return;
        auto& [times, arrived_ns] = spans_[fields.get_string()];
        ++times, arrived_ns = request.arrived_ns;
      });
    } else {
      interop::each_point(request.message, [&](std::string_view metric, std::string_view point) {
        if (metric != "requests") return;
        Point its;
        for (protozero::pbf_reader fields(point.data(), point.size()); fields.next();) {
          if (fields.tag() == 3) its.time_unix_ns = static_cast<std::int64_t>(fields.get_fixed64());
          else if (fields.tag() == 6) its.value = fields.get_sfixed64();
          else fields.skip();
        }
        points_.push_back(its);
      });
    }
    return answer;
  }
  struct Point {
    std::int64_t time_unix_ns = 0, value = 0;
  };
  void be_away(bool away) {
    const std::lock_guard lock(mutex_);
    away_ = away;
  }
  [[nodiscard]] std::map<std::string, std::pair<int, std::int64_t>> spans() const {
    const std::lock_guard lock(mutex_);
    return spans_;
  }
  [[nodiscard]] std::int64_t arrived(const std::string& id) const {
    const std::lock_guard lock(mutex_);
    const auto at = spans_.find(id);
    return at == spans_.end() ? 0 : at->second.second;
  }
  [[nodiscard]] std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return spans_.size();
  }
  [[nodiscard]] std::vector<Point> points() const {
    const std::lock_guard lock(mutex_);
    return points_;
  }

 private:
  mutable std::mutex mutex_;
  bool away_ = false;
  std::map<std::string, std::pair<int, std::int64_t>> spans_;
  std::vector<Point> points_;
};

class ThreeDays : public testing::Test {
 protected:
  void SetUp() override {
    ring_->series(0, ring::InstrumentKind::counter, {3, 4, 0, 0});
    cells_ = ring_->slab(0, 0, 1);
    std::copy_n(ring_->header().trace_key, trace_key_.size(), trace_key_.begin());
    std::copy_n(ring_->header().span_key, span_key_.size(), span_key_.begin());
    std::string why;
    consent::Grant grant{.endpoint = consent::parse_endpoint(peer_.url(), why).value(),
                         .signals = {Signal::traces, Signal::metrics}};
    consent::Receipt receipt;
    ASSERT_TRUE(consent::prepare_grant(home_.path(), grant, system_clock(), receipt, why)) << why;
    ASSERT_TRUE(consent::write_grant(home_.path(), receipt, system_clock(), why)) << why;
    ASSERT_TRUE(e_.lead());
    e_.settle();
  }
  /// A span and a count; the span's trace id.
  std::string record() {
    if (in_chunk_ == 0) ring_->take(chunk_, 0);
    ring_->append(chunk_, LivingRing::span(ring::kFlagKept, ++recorded_));
    if (++in_chunk_ == kSpansAChunk) {
      ring_->seal(chunk_, kSpansAChunk, 0, 0);
      chunk_ = (chunk_ + 1) % ring::TestRing::kChunks, in_chunk_ = 0;
    }
    cells_[0] += 1;
    const auto id = IdCipher(trace_key_, span_key_).trace_id(recorded_);
    return {reinterpret_cast<const char*>(id.data()), id.size()};
  }
  void work() {
    for (int i = 0; i < 20 && e_.engine->step(); ++i) continue;
  }
  void minute() {
    record();
    e_.clock.advance(kMinuteNs);
    work();
  }
  bool until(const std::function<bool()>& holds, std::chrono::seconds within) {
    const auto end = std::chrono::steady_clock::now() + within;
    while (!holds() && std::chrono::steady_clock::now() < end) {
      e_.clock.advance(20'000'000);
      work();
      std::this_thread::sleep_for(5ms);
    }
    return holds();
  }

  /// Minutes of a time span that no point speaks of.
  std::size_t missed(std::int64_t from_unix_ns, std::int64_t to_unix_ns) const {
    std::set<std::int64_t> minutes;
    for (const Collector::Point& point : collector_.points())
      if (point.time_unix_ns > from_unix_ns && point.time_unix_ns < to_unix_ns)
        minutes.insert(point.time_unix_ns / kMinuteNs);
    const auto all = static_cast<std::size_t>((to_unix_ns - from_unix_ns) / kMinuteNs) - 1;  // its ends are not whole
    return all - std::min(all, minutes.size());
  }

  Collector collector_;
  GrpcPeer peer_{[this](const PeerRequest& request) { return collector_.take(request); }};
  TestHome home_;
  LivingRing ring_{home_, 1};
  TestEngine e_{home_};
  std::uint64_t* cells_ = nullptr;
  std::array<std::uint8_t, 16> trace_key_{}, span_key_{};
  std::uint32_t chunk_ = 0;
  int in_chunk_ = 0;
  std::uint64_t recorded_ = 0;
};

TEST_F(ThreeDays, ACollectorThatWasAwayGetsEverythingInOrderAndWhatIsNewAtOnce) {
  for (int i = 0; i < 10; ++i) minute();
  ASSERT_TRUE(until([&] { return collector_.count() == recorded_; }, 10s)) << collector_.count();
  collector_.be_away(true);
  const std::int64_t left_unix_ns = e_.clock.realtime_ns();
  for (int i = 0; i < minutes_away(); ++i) minute();
  EXPECT_EQ(collector_.count(), 10U);
  const std::int64_t back_unix_ns = e_.clock.realtime_ns();
  collector_.be_away(false);
  e_.clock.advance(40'000'000'000);  // the longest back-off
  std::int64_t worst_ns = 0;
  std::size_t live = 0;
  while (collector_.count() < recorded_ && live < 400) {
    const std::int64_t begin = system_clock().monotonic_ns();
    const std::string id = record();
    ASSERT_TRUE(until([&] { return collector_.arrived(id) != 0; }, 10s));
    worst_ns = std::max(worst_ns, collector_.arrived(id) - begin), ++live;
  }
  ASSERT_TRUE(until([&] { return collector_.count() == recorded_; }, 60s)) << collector_.count() << " of " << recorded_;
  EXPECT_LT(worst_ns, 1'000'000'000) << "what is new waits for no backlog";
  for (const auto& [id, seen] : collector_.spans()) ASSERT_EQ(seen.first, 1);
  const auto last_is = [&] {
    const auto points = collector_.points();
    return !points.empty() && std::max_element(points.begin(), points.end(), [](auto& a, auto& b) {
                                return a.value < b.value;
                              })->value == static_cast<std::int64_t>(recorded_);
  };
  e_.tick();
  ASSERT_TRUE(until(last_is, 30s));
  ASSERT_TRUE(until([&] { return missed(left_unix_ns, back_unix_ns) == 0; }, 60s))
      << missed(left_unix_ns, back_unix_ns);
  std::map<std::int64_t, std::int64_t> by_time;
  std::int64_t newest_of_gap = 0;
  for (const Collector::Point& point : collector_.points()) {
    by_time[point.time_unix_ns] = point.value;
    if (point.time_unix_ns <= left_unix_ns || point.time_unix_ns >= back_unix_ns) continue;
    EXPECT_GE(point.time_unix_ns, newest_of_gap) << "missed points of a series come in their order";
    newest_of_gap = point.time_unix_ns;
  }
  std::int64_t before = 0;
  for (const auto& [time, value] : by_time) EXPECT_GE(value, std::exchange(before, value)) << time;
  RecordProperty("live_worst_ms", static_cast<int>(worst_ns / 1'000'000));
  std::printf("%d minutes away: %zu spans, %zu points; the latest live span after %.0f ms, of %zu\n", minutes_away(),
              collector_.count(), by_time.size(), static_cast<double>(worst_ns) / 1e6, live);
}

}  // namespace
}  // namespace honeylink::telemetry::engine
