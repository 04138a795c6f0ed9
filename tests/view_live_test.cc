// The event stream out of the rings themselves: how soon a value is told, what is told when nothing changes, who may
// watch, and what a client that does not read costs.
#include <cmath>
#include <set>

#include "view_watcher.h"

namespace honeylink::telemetry::test {
namespace {

class ViewLive : public ViewTest {
 protected:
  pid_t record(const std::string& mode) { return run_program("view_recorder", {home_, mode}); }
};

/// The series of this name in an event, or null.
nlohmann::json series_of(const LiveEvent& event, const std::string& name) {
  for (const auto& series : event.data["series"]) {
    if (series["name"] == name) return series;
  }
  return {};
}

TEST_F(ViewLive, AChangedValueIsToldWithinASecondWithoutAnyEngine) {
  record("live");
  view();
  Watcher watcher(port_, token_);
  std::map<double, double> ages;  // by moment: how old it was when it was first told
  ASSERT_TRUE(watcher.watch(20, [&] {
    for (const LiveEvent& event : watcher.of("metrics")) {
      const auto moment = series_of(event, "live.moment");
      if (!moment.is_null()) ages.emplace(moment["value"].get<double>(), event.at - moment["value"].get<double>());
    }
    return ages.size() >= 6;
  }));
  EXPECT_NE(watcher.head.find("200 OK"), std::string::npos);
  EXPECT_NE(watcher.head.find("text/event-stream"), std::string::npos);
  ages.erase(ages.begin());  // was set before anybody watched
  double worst = 0;
  for (const auto& [moment, age] : ages) worst = std::max(worst, age);
  RecordProperty("worst_age_ms", static_cast<int>(worst * 1'000));
  EXPECT_LT(worst, 1.0);
  for (auto before = ages.begin(), at = std::next(before); at != ages.end(); before = at++)
    EXPECT_LT(at->first - before->first, 1.3) << "every value was told, 700 ms apart";
}

TEST_F(ViewLive, ValuesAreThoseOfTheProcess) {
  record("live");
  view();
  Watcher watcher(port_, token_);
  ASSERT_TRUE(watcher.watch(20, [&] { return watcher.of("metrics").size() >= 4; }));
  std::uint64_t last = 0;
  for (const LiveEvent& event : watcher.of("metrics")) {
    const auto turns = series_of(event, "live.turns"), took = series_of(event, "live.took");
    if (turns.is_null() || took.is_null()) continue;
    const auto n = turns["value"].get<std::uint64_t>();
    EXPECT_GT(n, last);
    last = n;
    EXPECT_EQ(turns["kind"], "counter");
    EXPECT_EQ(turns["service"], "viewed");
    EXPECT_NEAR(took["count"].get<double>(), static_cast<double>(n), 1) << "they are recorded one after the other";
    if (took["count"] != n) continue;
    EXPECT_NEAR(took["value"].get<double>(), static_cast<double>(n * (n + 1) / 2) / 1'000, 1e-9);
  }
  EXPECT_GE(last, 3U);
}

TEST_F(ViewLive, RawIdsDoNotLeaveTheRing) {
  for (const char* label :
       {"device_id=raw-device-AA-17", "payload=raw-device-AA-17", "contact=ann.raw-device@example.org"})
    static_cast<void>(honeytel({"record", "counter", "of_device", "1", "--label", label}));
  view();
  Watcher watcher(port_, token_);
  ASSERT_TRUE(watcher.watch(20, [&] { return !watcher.of("metrics").empty() && watcher.of("status").size() >= 2; }));
  for (const LiveEvent& event : watcher.events)
    EXPECT_EQ(event.data.dump().find("raw-device"), std::string::npos) << event.data;
  EXPECT_FALSE(series_of(watcher.of("metrics")[0], "of_device").is_null()) << "the series itself is told";
}

TEST_F(ViewLive, WhileNothingChangesOnlyTheHeaderIsTold) {
  ASSERT_EQ(honeytel({"record", "counter", "still", "5"}).exit, 0);
  view();
  Watcher watcher(port_, token_);
  ASSERT_TRUE(watcher.watch(20, [&] { return watcher.of("status").size() >= 6 && !watcher.comments.empty(); }));
  EXPECT_EQ(watcher.of("metrics").size(), 1U) << "how things stood when it came";
  EXPECT_EQ(series_of(watcher.of("metrics")[0], "still")["value"], 5);
  const auto status = watcher.of("status");
  EXPECT_EQ(status.back().data["engine"], "none");
  EXPECT_EQ(status.back().data["newest_point"], nullptr);
  EXPECT_EQ(status.back().data["dropped"], 0);
  const double seconds = status.back().at - status.front().at;
  EXPECT_NEAR(seconds / static_cast<double>(status.size() - 1), 1.1, 0.35) << "once a second";
}

TEST_F(ViewLive, AnEngineThatComesAndTakesEverythingIsTold) {
  ASSERT_EQ(honeytel({"record", "log", "one", "line"}).exit, 0);
  view();
  Watcher watcher(port_, token_);
  ASSERT_TRUE(watcher.watch(10, [&] { return !watcher.of("status").empty(); }));
  EXPECT_EQ(watcher.of("status").back().data["in_ring"], 1);
  const pid_t agent = in_background({"agent"});
  EXPECT_TRUE(watcher.watch(20, [&] {
    const auto status = watcher.of("status").back().data;
    return status["engine"] == "agent" && status["in_ring"] == 0;
  }));
  EXPECT_EQ(end(agent, SIGTERM), 0);
  EXPECT_TRUE(watcher.watch(20, [&] {
    const auto status = watcher.of("status").back().data;
    return status["engine"] == "none" && status["newest_point"].is_number() &&
           std::fabs(status["newest_point"].get<double>() - now_s()) < 60;
  }));
}

TEST_F(ViewLive, TheLastValuesOfAProcessThatIsKilledAreTold) {
  view();
  Watcher watcher(port_, token_);
  const pid_t recorder = record("live");
  std::uint64_t before = 0;
  ASSERT_TRUE(watcher.watch(20, [&] {
    for (const LiveEvent& event : watcher.of("metrics")) before = series_of(event, "live.turns").value("value", before);
    return before >= 2;
  }));
  const pid_t agent = in_background({"agent"});
  EXPECT_EQ(end(recorder, SIGKILL), 128 + SIGKILL);
  ASSERT_TRUE(watcher.watch(20, [&] { return watcher.of("status").back().data["recorders"] == 0; }));
  record("live");
  std::uint64_t last = 0;
  ASSERT_TRUE(watcher.watch(20, [&] {
    const auto all = watcher.of("metrics");
    last = series_of(all.back(), "live.turns").value("value", last);
    return last > before + 1;
  })) << "the next process of this service goes on with the sum";
  EXPECT_EQ(end(agent, SIGTERM), 0);
}

TEST_F(ViewLive, WhatBeginsRecordsAndEndsBetweenTwoLooksIsTold) {
  const pid_t agent = in_background({"agent"});
  ASSERT_TRUE(eventually([&] { return honeytel({"status", "--json"}).json()["engine"]["pid"] == agent; }));
  view();
  Watcher watcher(port_, token_);
  ASSERT_TRUE(watcher.watch(20, [&] { return !watcher.of("status").empty(); }));
  for (int i = 1; i <= 12; ++i) {
    ASSERT_EQ(honeytel({"record", "gauge", "short.life", std::to_string(i)}).exit, 0);
    EXPECT_TRUE(watcher.watch(5,
                              [&] {
                                for (const LiveEvent& event : watcher.of("metrics"))
                                  if (series_of(event, "short.life").value("value", 0) == i) return true;
                                return false;
                              }))
        << "the engine took away ring " << i << " before anybody looked";
  }
  EXPECT_EQ(end(agent, SIGTERM), 0);
}

TEST_F(ViewLive, EightMayWatchAndTheNinthIsToldSo) {
  view();
  std::vector<std::unique_ptr<Watcher>> watchers;
  for (int i = 0; i < 8; ++i) {
    watchers.push_back(std::make_unique<Watcher>(port_, token_));
    ASSERT_TRUE(watchers.back()->watch(10, [&] { return !watchers.back()->of("status").empty(); })) << i;
  }
  const HttpAnswer ninth = get("/api/live");
  EXPECT_EQ(ninth.status, 503);
  EXPECT_FALSE(ninth.json()["to_do"].get<std::string>().empty());
  EXPECT_EQ(get("/api/status").status, 200) << "and everything else is answered";
  watchers.pop_back();
  EXPECT_TRUE(eventually([&] {
    Watcher next(port_, token_);
    return next.watch(2, [&] { return !next.of("status").empty(); });
  })) << "who leaves makes room";
}

TEST_F(ViewLive, WhoDoesNotReadIsLetGoAndNobodyWaitsForIt) {
  record("many");
  view();
  Watcher deaf(port_, token_, 4'096);
  Watcher honest(port_, token_);
  double longest = 0, last = 0;
  EXPECT_TRUE(honest.watch(60, [&] {
    for (const LiveEvent& event : honest.of("metrics")) {
      if (last != 0) longest = std::max(longest, event.at - last);
      last = event.at;
    }
    honest.events.clear();
    return deaf.ended();
  })) << "it was never let go";
  EXPECT_LT(longest, 1.5);
}

TEST_F(ViewLive, WhereMoreChangesThanFitsEachSeriesHasItsTurn) {
  record("many");
  view();
  Watcher watcher(port_, token_);
  std::set<std::string> seen;
  EXPECT_TRUE(watcher.watch(30, [&] {
    for (const LiveEvent& event : watcher.of("metrics")) {
      EXPECT_LE(event.data["series"].size(), 200U);
      for (const auto& series : event.data["series"]) seen.insert(series["labels"].dump());
    }
    watcher.events.clear();
    return seen.size() >= 250;
  })) << seen.size();
}

TEST_F(ViewLive, NobodyWithoutATokenWatches) {
  view();
  EXPECT_EQ(raw("GET /api/live HTTP/1.1\r\nHost: " + host() + "\r\nConnection: close\r\n\r\n").status, 403);
  EXPECT_EQ(get("/api/live", "Origin: https://evil\r\n").status, 403);
  EXPECT_EQ(post("/api/live", "{}").status, 404);
}

}  // namespace
}  // namespace honeylink::telemetry::test
