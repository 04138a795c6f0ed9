// LogFiles on real files.
#include "store/log_files.h"

#include <fcntl.h>

#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "store/log_state.h"
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

// F33: whatever was recorded, one record is one line of valid JSON without a control character, and what was text comes
// back.
TEST(LogFiles, HostileTextStaysOnItsLine) {
  const std::vector<std::string> hostile = {"a\nb",
                                            "a\r\nb",
                                            "\x1b[31mred",
                                            "\x7f",
                                            "\xc2\x85next",
                                            "\xc2\x9b"
                                            "31m",
                                            "\xe2\x80\xa8line",
                                            "\xe2\x80\xa9para",
                                            "\xe2\x80\xaeoverride",
                                            "\xe2\x81\xa6isolate",
                                            std::string("nul\0in", 6),
                                            "\"},{\"level\":\"ERROR\"",
                                            "back\\slash",
                                            "</script>",
                                            "\xff\xfe",
                                            "\xc0\xaf",
                                            "\xed\xa0\x80",
                                            "\xf4\x90\x80\x80",
                                            "\xe2\x80",
                                            std::string(3000, '"'),
                                            ""};
  std::vector<std::string> texts{"_other"};
  texts.insert(texts.end(), hostile.begin(), hostile.end());
  TempHome home;
  Source source = make_source(1, texts);
  source.resource.service_name = "svc\n\x1b";
  source.scopes[0].name = "scope\xe2\x80\xa8";
  auto store = open_logs(home.options());
  for (std::uint32_t i = 1; i < texts.size(); ++i) {
    Items items;
    items.text(static_cast<std::uint16_t>(i), texts[i])
        .add(0, ItemType::message, texts[i])
        .real(0, std::numeric_limits<double>::quiet_NaN());
    LogEvent event = make_log(source, i, items.view());
    event.name = i;
    store->add(event);
  }
  ASSERT_EQ(store->commit({}, {}, false), CommitResult::ok) << store->why();
  std::ifstream file(store->path(), std::ios::binary);
  const std::string content((std::istreambuf_iterator<char>(file)), {});
  std::size_t lines = 0;
  for (const char c : content) {
    lines += c == '\n';
    ASSERT_TRUE(c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f));
  }
  EXPECT_EQ(lines, hostile.size());
  for (const std::string_view bad :
       {"\xc2\x85", "\xc2\x9b", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xae", "\xe2\x81\xa6"}) {
    EXPECT_EQ(content.find(bad), std::string::npos);
  }
  const auto parsed = read_lines(store->path());
  ASSERT_EQ(parsed.size(), hostile.size());
  for (std::size_t i = 0; i < 14; ++i) {
    EXPECT_EQ(parsed[i]["message"], hostile[i]);
    EXPECT_EQ(parsed[i]["event"], hostile[i]);
    EXPECT_EQ(parsed[i]["fields"][hostile[i]], hostile[i]);
    EXPECT_EQ(parsed[i]["fields"]["_other"], "NaN");
  }
}

class PowerCut : public testing::TestWithParam<bool> {};

// The state says another boot: what was not synced counts only if its bytes are all there.
TEST_P(PowerCut, LinesThatDidNotReachTheDiskAreCountedAsPowerLoss) {
  const bool reached_disk = GetParam();
  TempHome home;
  const Source source = make_source(1, {"_other", "a"});
  std::uint64_t synced_bytes = 0;
  {
    auto store = open_logs(home.options());
    for (std::uint64_t n = 0; n < 10; ++n) {
      store->add(make_log(source, n));
      ASSERT_EQ(store->commit({}, stored(1), n == 5), CommitResult::ok);
      if (n == 5) synced_bytes = std::filesystem::file_size(store->path());
    }
  }
  const std::string state_path = home.path + "/logs/state", log_path = home.path + "/logs/honeylink.log";
  {
    std::string why;
    const Fd fd = open_file(state_path, O_RDWR, 0, why);
    LogState state;
    ASSERT_TRUE(read_log_state(fd.get(), state));
    state.boot_id.fill(0xee);
    ++state.sequence;
    ASSERT_TRUE(write_log_state(fd.get(), encode_log_state(state), state.sequence));
  }
  if (!reached_disk) {
    std::fstream file(log_path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(synced_bytes + 20));
    file.write("\0\0\0\0", 4);
  }
  std::string said;
  auto store = LogFiles::open(home.options(), said);
  ASSERT_NE(store, nullptr) << said;
  EXPECT_EQ(read_lines(log_path).size(), reached_disk ? 10U : 6U);
  EXPECT_EQ(store->totals().stored, reached_disk ? 10U : 6U);
  EXPECT_EQ(store->totals().dropped_total(), reached_disk ? 0U : 4U);
  EXPECT_EQ(store->totals().accepted, 10U);
  EXPECT_EQ(said.empty(), reached_disk);
}
INSTANTIATE_TEST_SUITE_P(LogFiles, PowerCut, testing::Bool());

TEST(LogFiles, AnOlderEngineIsFencedOff) {
  TempHome home;
  const Source source = make_source(1, {"_other", "a"});
  auto older = open_logs(home.options());
  auto newer = open_logs(home.options());
  older->add(make_log(source, 0));
  EXPECT_EQ(older->commit({}, stored(1), false), CommitResult::fenced);
  newer->add(make_log(source, 1));
  EXPECT_EQ(newer->commit({}, stored(1), false), CommitResult::ok);
  EXPECT_EQ(read_lines(newer->path()).size(), 1U);
}

TEST(LogFiles, ADamagedStateIsSetAsideAndTheLogKept) {
  TempHome home;
  const Source source = make_source(1, {"_other", "a"});
  {
    auto store = open_logs(home.options());
    store->add(make_log(source, 0));
    ASSERT_EQ(store->commit({}, stored(1), true), CommitResult::ok);
  }
  std::fstream(home.path + "/logs/state", std::ios::in | std::ios::out | std::ios::binary)
      .write(std::string(400'000, 'x').data(), 400'000);
  std::string said;
  auto store = LogFiles::open(home.options(), said);
  ASSERT_NE(store, nullptr) << said;
  EXPECT_NE(said.find("set aside"), std::string::npos);
  EXPECT_TRUE(store->began_anew());
  ASSERT_NE(store->begin_epoch(), 0U);
  store->add(make_log(source, 1));
  ASSERT_EQ(store->commit({}, stored(1), true), CommitResult::ok);
  EXPECT_EQ(read_lines(store->path()).size(), 2U);
}

}  // namespace
}  // namespace honeylink::telemetry::store
