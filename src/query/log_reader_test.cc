#include "query/log_reader.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "query/paths.h"

namespace honeylink::telemetry::query {
namespace {

class LogReader : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/log_reader_XXXXXX";
    home_ = ::mkdtemp(name);
    std::filesystem::create_directories(logs_directory(home_));
  }
  void TearDown() override { std::filesystem::remove_all(home_); }
  void write(const std::string& path, const std::string& content, std::ios::openmode mode = std::ios::trunc) {
    std::ofstream(path, std::ios::binary | mode) << content;
  }
  std::vector<std::string> read_all() {
    std::vector<std::string> lines;
    for (const LogFile& file : list_log_files(home_)) {
      problem_ = read_log_file(file, [&](std::string_view line) { return lines.emplace_back(line), true; });
    }
    return lines;
  }
  std::string home_;
  std::optional<Problem> problem_;
};

std::string compress(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

TEST_F(LogReader, NothingLoggedIsNoError) { EXPECT_TRUE(list_log_files(home_).empty()); }

TEST_F(LogReader, RotatedFilesComeFirstInTheirOrder) {
  write(log_path(home_), "four\nfive\n");
  write(log_path(home_) + ".10.zst", compress("three\n"));
  write(log_path(home_) + ".9.zst", compress("one\n") + compress("two\n"));
  write(logs_directory(home_) + "/other.zst", "x");
  EXPECT_EQ(read_all(), (std::vector<std::string>{"one", "two", "three", "four", "five"}));
  EXPECT_FALSE(problem_);
}

TEST_F(LogReader, FilesThatAreHeldAreReadThoughTheyAreRotatedCompressedAndThrownAway) {
  write(log_path(home_), "four\n");
  write(log_path(home_) + ".3", "three\n");
  write(log_path(home_) + ".2.zst", compress("two\n"));
  const auto held = hold_log_files(home_);
  ASSERT_TRUE(held.ok());
  std::filesystem::remove(log_path(home_) + ".2.zst");
  write(log_path(home_) + ".3.zst", compress("three\n"));
  std::filesystem::remove(log_path(home_) + ".3");
  std::filesystem::rename(log_path(home_), log_path(home_) + ".4");
  write(log_path(home_), "five\n");
  std::vector<std::string> lines;
  for (const HeldLog& log : held.value())
    EXPECT_FALSE(read_log_file(log, [&](std::string_view line) { return lines.emplace_back(line), true; }));
  EXPECT_EQ(lines, (std::vector<std::string>{"two", "three", "four"}));
}

TEST_F(LogReader, ALineThatIsStillBeingWrittenIsLeftOut) {
  write(log_path(home_), "whole\npart");
  EXPECT_EQ(read_all(), std::vector<std::string>{"whole"});
}

TEST_F(LogReader, ADamagedRotatedFileIsSaidAndTheRestIsRead) {
  std::string packed = compress(std::string(100'000, 'x') + "\n");
  packed[packed.size() / 2] = static_cast<char>(packed[packed.size() / 2] ^ 0x55);
  write(log_path(home_) + ".1.zst", "no zstd at all");
  const auto files = list_log_files(home_);
  ASSERT_EQ(files.size(), 1U);
  EXPECT_TRUE(read_log_file(files[0], [](std::string_view) { return true; }));
}

TEST_F(LogReader, ASymbolicLinkIsNotFollowed) {
  write(home_ + "/secret", "secret\n");
  ASSERT_EQ(::symlink((home_ + "/secret").c_str(), log_path(home_).c_str()), 0);
  EXPECT_TRUE(read_all().empty());
}

TEST_F(LogReader, FilterByTimeLevelTraceAndText) {
  const std::string line =
      R"({"timestamp":"2026-09-21T14:13:20.000000001Z","time_unix_nano":"1790000000000000001","level":"WARN","event":"packet.lost","service":"link","module":"transport","trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331","fields":{"n":3,"why":"a b"}})";
  LogLine parsed;
  const auto passes_with = [&](auto&& set) {
    LogFilter filter;
    set(filter);
    return passes(line, filter, parsed);
  };
  EXPECT_TRUE(passes_with([](LogFilter&) {}));
  EXPECT_EQ(parsed.time_unix_ns, 1'790'000'000'000'000'001);
  EXPECT_EQ(parsed.event, "packet.lost");
  ASSERT_EQ(parsed.fields.size(), 2U);
  EXPECT_EQ(json_text_of(parsed.fields[1].second), "a b");
  EXPECT_TRUE(passes_with([](LogFilter& f) { f.level_min = level_number("warn"); }));
  EXPECT_FALSE(passes_with([](LogFilter& f) { f.level_min = level_number("error"); }));
  EXPECT_TRUE(passes_with([](LogFilter& f) { f.trace_prefix = "0af7"; }));
  EXPECT_FALSE(passes_with([](LogFilter& f) { f.trace_prefix = "b7ad"; }));  // a span id is no trace id
  EXPECT_FALSE(passes_with([](LogFilter& f) { f.since_unix_ns = 1'790'000'000'000'000'002; }));
  EXPECT_TRUE(passes_with([](LogFilter& f) {
    std::string why;
    f.grep = Pattern::compile("lost.*why", why);
  }));
  EXPECT_FALSE(passes_with([](LogFilter& f) {
    std::string why;
    f.grep = Pattern::compile("^lost", why);
  }));
}

TEST_F(LogReader, ALineThatIsNoJsonIsShownUnlessAskedByField) {
  LogFilter any, warnings;
  warnings.level_min = 13;
  LogLine line;
  EXPECT_TRUE(passes("plain text", any, line));
  EXPECT_FALSE(line.sound);
  EXPECT_FALSE(passes("plain text", warnings, line));
}

TEST_F(LogReader, FollowingGoesOnAcrossARotation) {
  write(log_path(home_), "old\n");
  LogFollower follower(log_path(home_), false);
  std::vector<std::string> lines;
  const auto visit = [&](std::string_view line) { lines.emplace_back(line); };
  follower.poll(0, visit);
  EXPECT_TRUE(lines.empty());
  write(log_path(home_), "new\npar", std::ios::app);
  follower.poll(0, visit);
  write(log_path(home_), "tial\n", std::ios::app);
  follower.poll(0, visit);
  std::filesystem::rename(log_path(home_), log_path(home_) + ".moved");
  write(log_path(home_), "after\n");
  follower.poll(0, visit);
  EXPECT_EQ(lines, (std::vector<std::string>{"new", "partial", "after"}));
}

}  // namespace
}  // namespace honeylink::telemetry::query
