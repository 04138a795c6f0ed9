// What left, as the engine tells it: sums that are right, a loss that shows, and rest when nothing happens.
#include "engine/exports.h"

#include <thread>

#include "consent/store.h"
#include "engine/testing_home.h"
#include "export/testing_peer.h"
#include "store/metric_scan.h"

namespace honeylink::telemetry::engine {
namespace {

using namespace std::chrono_literals;
using consent::Signal;

class ExportsOfEngine : public testing::Test {
 protected:
  void grant(std::vector<Signal> signals) {
    std::string why;
    consent::Grant grant{.endpoint = consent::parse_endpoint(peer_.url(), why).value(), .signals = std::move(signals)};
    consent::Receipt receipt;
    ASSERT_TRUE(consent::prepare_grant(home_.path(), grant, system_clock(), receipt, why)) << why;
    ASSERT_TRUE(consent::write_grant(home_.path(), receipt, system_clock(), why)) << why;
    ASSERT_TRUE(e_.lead());
    e_.settle();
  }
  void record(int spans) {
    if (!std::exchange(owned_, true)) ring_->take(0, 0);
    for (int i = 0; i < spans; ++i) ring_->append(0, LivingRing::span(ring::kFlagKept, 1));
    e_.settle();
  }
  std::uint64_t sum_of(const std::string& name, const std::string& labels_like = "%") {
    store::Connection reader;
    EXPECT_EQ(reader.open(e_.engine->core()->metrics->path(), store::Access::read_only, 1000), SQLITE_OK);
    std::vector<std::uint32_t> sids;
    store::Statement rows = reader.prepare("SELECT sid FROM series WHERE name = ?1 AND labels LIKE ?2");
    rows.bind(1, std::string_view(name)).bind(2, std::string_view(labels_like));
    while (rows.step() == SQLITE_ROW) sids.push_back(static_cast<std::uint32_t>(rows.integer(0)));
    std::uint64_t sum = 0;
    if (sids.empty()) return 0;
    store::MetricScan scan(reader, sids, {});
    for (store::MetricPart part; scan.next(part);)
      for (std::size_t i = 0; i < part.points->ticks.size(); ++i)
        sum += part.points->kind == MetricType::histogram ? part.points->sketches[i].count : part.points->last[i];
    return sum;
  }
  std::int64_t commits() {
    store::Connection reader;
    EXPECT_EQ(reader.open(e_.engine->core()->metrics->path(), store::Access::read_only, 1000), SQLITE_OK);
    return reader.integer("SELECT max(commit_no) FROM hot", 0);
  }
  bool until(const std::function<bool()>& holds) {
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (!holds() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(5ms);
    return holds();
  }

  exporting::TestPeer peer_;
  TestHome home_;
  LivingRing ring_{home_, 1};
  TestEngine e_{home_};
  bool owned_ = false;
};

TEST_F(ExportsOfEngine, TellWhatWasSentAndHowLongItTook) {
  grant({Signal::traces});
  record(100);
  ASSERT_TRUE(until([&] { return peer_.different() == 100; })) << peer_.different();
  ASSERT_TRUE(until([&] { return e_.tick(), sum_of("telemetry_export_items_total", "%sent%traces%") == 100; }));
  EXPECT_EQ(sum_of("telemetry_export_items_total"), 100U) << "nothing but sent";
  EXPECT_EQ(sum_of("otel.sdk.exporter.span.exported", "%otlp_http_span_exporter%"), 100U);
  const std::uint64_t requests = sum_of("telemetry_export_requests_total", "%answered%");
  EXPECT_EQ(requests, static_cast<std::uint64_t>(peer_.requests()));
  EXPECT_EQ(sum_of("telemetry_export_duration_seconds"), requests);
  EXPECT_EQ(sum_of("otel.sdk.exporter.operation.duration"), requests);
}

TEST_F(ExportsOfEngine, TellWhatAReceiverRefused) {
  peer_.set_status(400);
  grant({Signal::traces});
  record(30);
  ASSERT_TRUE(until([&] { return e_.tick(), sum_of("telemetry_export_items_total", "%refused%traces%") == 30; }));
  EXPECT_EQ(sum_of("telemetry_export_items_total", "%sent%"), 0U);
  EXPECT_EQ(sum_of("otel.sdk.exporter.span.exported", "%refused%"), 30U);
}

TEST_F(ExportsOfEngine, RestWhenNothingIsRecordedAlthoughTheirOwnPointsAreSent) {
  grant({Signal::metrics});
  ASSERT_TRUE(
      until([&] { return record(1), e_.tick(), sum_of("telemetry_export_items_total", "%sent%metrics%") > 0; }));
  std::this_thread::sleep_for(200ms);
  for (int i = 0; i < 3; ++i) e_.tick();
  const std::int64_t before = commits();
  for (int i = 0; i < 5; ++i) e_.tick(), std::this_thread::sleep_for(20ms);
  EXPECT_EQ(commits(), before) << "an export of the figures about exports is no reason to tell them again";
}

}  // namespace
}  // namespace honeylink::telemetry::engine
