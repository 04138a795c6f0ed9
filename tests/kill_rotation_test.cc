// F02 where only a longer run comes by: the engine is killed while it rotates the log and while it checkpoints a
// database (store tries the same points alone in kill_test.cc). A program records batch after batch until the kill has
// happened; the next engine goes on, and every record is there exactly once.
#include <poll.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "base/killpoint.h"
#include "cli_support.h"
#include "honeylink/telemetry.h"

namespace honeylink::telemetry::test {
namespace {

constexpr int kBatch = 300, kBatchesMax = 200;

std::vector<std::string> points() {
  std::vector<std::string> list;
  for (const std::string_view point : kKillpoints)
    if (point.starts_with("log.rotate.") || point.starts_with("checkpoint.")) list.emplace_back(point);
  return list;
}

class KillRotation : public CliTest, public testing::WithParamInterface<std::string> {
 protected:
  static bool eventually(const std::function<bool()>& right) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!right()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      ::poll(nullptr, 0, 50);
    }
    return true;
  }
  nlohmann::json status() { return honeytel({"status", "--json"}).json(); }
  static bool has_ended(pid_t pid) {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
  }
  /// An application that records the numbers of one batch, in spans and logs.
  void record(int batch) const {
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(120);
      const std::string filler(250, 'x');
      if (!start({.resource = {.service_name = "application"}, .home = home_, .sampler = Sampler::always_on()}).ok())
        ::_exit(1);
      for (int i = batch * kBatch; i < (batch + 1) * kBatch; ++i) {
        auto span = start_span("killed.span", {{"n", i}});
        for (const char* key : {"a", "b", "c", "d", "e", "f", "g", "h"})
          span.set_attribute(Key::runtime(key), std::string_view(filler));
        span.end();
        log_info("killed.line", {{"n", i}, {"filler", filler}});
      }
      (void)flush(std::chrono::milliseconds(500));  // nobody may be there any more
      ::_exit(0);
    }
    int ended = 0;
    ::waitpid(child, &ended, 0);
    ASSERT_TRUE(WIFEXITED(ended) && WEXITSTATUS(ended) == 0) << ended;
  }
};

TEST_P(KillRotation, NothingIsLostAndNothingTwice) {
  std::ofstream(home_ + "/config.toml") << "[store]\nlogs_mb = 1\n";
  const pid_t killed = in_background({"agent"}, "/dev/null", {"HONEYLINK_KILLPOINT=" + GetParam()});
  int batches = 0;
  for (; !has_ended(killed) && batches < kBatchesMax; ++batches) ASSERT_NO_FATAL_FAILURE(record(batches));
  ASSERT_TRUE(eventually([&] { return has_ended(killed); })) << "the point was never passed in " << batches;
  EXPECT_EQ(end(killed, 0), 128 + SIGKILL);
  ASSERT_NO_FATAL_FAILURE(record(batches++));
  in_background({"agent"});
  ASSERT_TRUE(eventually([&] { return status()["rings"].empty(); })) << status().dump(1);

  const auto all = static_cast<std::uint64_t>(batches) * kBatch;
  const nlohmann::json ledger = status()["ledger"];
  for (const auto& [name, signal] : ledger.items()) {
    std::uint64_t dropped = 0;
    for (const auto& [reason, n] : signal["dropped"].items()) dropped += n.get<std::uint64_t>();
    EXPECT_EQ(signal["accepted"].get<std::uint64_t>() + signal["retro_kept"].get<std::uint64_t>(),
              signal["stored"].get<std::uint64_t>() + dropped)
        << name << ": " << signal;
    EXPECT_EQ(signal["error"], 0) << name;
  }
  EXPECT_EQ(ledger["spans"]["accepted"], all);
  EXPECT_EQ(ledger["spans"]["stored"], all);
  const Said spans = honeytel(
      {"sql", "SELECT count(*) AS n, count(DISTINCT span_id) AS d FROM spans WHERE name = 'killed.span'", "--json"});
  EXPECT_EQ(spans.json()["rows"][0]["n"], all) << spans.out << spans.err;
  EXPECT_EQ(spans.json()["rows"][0]["d"], all);

  const Said logs = honeytel({"logs", "--grep", "killed.line", "--limit", "0", "--format", "jsonl"});
  std::vector<int> times(all, 0);
  std::size_t lines = 0;
  for (std::size_t at = logs.out.find("\"n\":"); at != std::string::npos; at = logs.out.find("\"n\":", at + 1), ++lines)
    ++times.at(std::stoul(logs.out.substr(at + 4, 10)));
  EXPECT_EQ(static_cast<std::uint64_t>(std::count(times.begin(), times.end(), 1)), lines) << "a line is there twice";
  // The cap of 1 MB lets the oldest lines go; without that every number would be there.
  const auto first = std::find(times.begin(), times.end(), 1);
  EXPECT_EQ(static_cast<std::size_t>(times.end() - first), lines) << "a hole among the lines";
  EXPECT_GT(lines, static_cast<std::size_t>(kBatch));
}
INSTANTIATE_TEST_SUITE_P(Points, KillRotation, testing::ValuesIn(points()), [](const auto& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
});

}  // namespace
}  // namespace honeylink::telemetry::test
