// LogFiles on real files.
#include "store/log_files.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "store/test_support.h"

namespace honeylink::telemetry::store {
namespace {

std::unique_ptr<LogFiles> open_logs(const StoreOptions& options) {
  std::string said;
  auto store = LogFiles::open(options, said);
  EXPECT_NE(store, nullptr) << said;
  if (store != nullptr && store->begin_epoch() == 0) ADD_FAILURE() << store->why();
  return store;
}

std::vector<nlohmann::json> read_lines(const std::string& path) {
  std::vector<nlohmann::json> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

TEST(LogFiles, WritesOneJsonLineARecord) {
  TempHome home;
  const Source source = make_source(1, {"_other", "session.open", "peer", "took"});
  auto store = open_logs(home.options());
  Items items;
  items.text(2, "a \"quoted\"\nline").real(3, 1.5).integer(0, -7).add(0, ItemType::message, "hello");
  LogEvent event = make_log(source, 0, items.view());
  event.in_span = true, event.trace.lo = 5, event.span = {true, false, 6};
  store->add(event);
  const SlotCursor cursor{source.ring_id, 0, 1};
  ASSERT_EQ(store->commit({&cursor, 1}, stored(1), false), CommitResult::ok) << store->why();
  const auto lines = read_lines(store->path());
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0]["timestamp"], "2023-11-14T22:13:20.123456789Z");
  EXPECT_EQ(lines[0]["time_unix_nano"], "1700000000123456789");
  EXPECT_EQ(lines[0]["level"], "INFO");
  EXPECT_EQ(lines[0]["event"], "session.open");
  EXPECT_EQ(lines[0]["service"], "service-1");
  EXPECT_EQ(lines[0]["module"], "transport");
  EXPECT_EQ(lines[0]["message"], "hello");
  EXPECT_EQ(lines[0]["scope"], "honeylink.test");
  EXPECT_EQ(lines[0]["trace_id"].get<std::string>().size(), 32U);
  EXPECT_EQ(lines[0]["span_id"].get<std::string>().size(), 16U);
  EXPECT_EQ(lines[0]["fields"]["peer"], "a \"quoted\"\nline");
  EXPECT_EQ(lines[0]["fields"]["took"], 1.5);
  EXPECT_EQ(lines[0]["fields"]["_other"], -7);
}

TEST(LogFiles, CutsWhatWasNotCommitted) {
  TempHome home;
  const Source source = make_source(1, {"_other", "a"});
  {
    auto store = open_logs(home.options());
    store->add(make_log(source, 0));
    const SlotCursor cursor{source.ring_id, 0, 1};
    ASSERT_EQ(store->commit({&cursor, 1}, stored(1), false), CommitResult::ok);
  }
  std::ofstream(home.path + "/logs/honeylink.log", std::ios::app) << "{\"half\":";
  auto store = open_logs(home.options());
  EXPECT_EQ(read_lines(store->path()).size(), 1U);
  EXPECT_EQ(store->cursors(), std::vector<SlotCursor>({{source.ring_id, 0, 1}}));
  EXPECT_EQ(store->totals(), stored(1));
}

TEST(LogFiles, StaysUnderItsCapWhileRotating) {
  TempHome home;
  StoreOptions options = home.options();
  options.logs_bytes_max = 400'000;
  const Source source = make_source(1, {"_other", "a", "text"});
  auto store = open_logs(options);
  Items items;
  items.text(2, std::string(200, 'x'));
  std::uint64_t n = 0;
  for (int commit = 0; commit < 500; ++commit) {
    for (int i = 0; i < 30; ++i) store->add(make_log(source, n++, items.view()));
    ASSERT_EQ(store->commit({}, stored(30), commit % 50 == 0), CommitResult::ok) << store->why();
    std::uint64_t bytes = 0;
    for (const auto& entry : std::filesystem::directory_iterator(home.path + "/logs")) {
      if (entry.path().filename() != "state") bytes += entry.file_size();
    }
    ASSERT_LE(bytes, options.logs_bytes_max);
    ASSERT_LE(store->disk_bytes(), options.logs_bytes_max);
  }
  EXPECT_EQ(store->totals().stored, n);
}

}  // namespace
}  // namespace honeylink::telemetry::store
