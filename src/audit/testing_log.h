// For tests: a home with an audit log, written by the journal under a clock that the test moves, and the ways to tamper
// with it.
#pragma once
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "audit/epoch_key.h"
#include "audit/files.h"
#include "audit/journal.h"
#include "audit/verify.h"
#include "base/clock.h"

namespace honeylink::telemetry::audit {

inline constexpr std::int64_t kSecondNs = 1'000'000'000, kHourNs = 3'600 * kSecondNs, kDayNs = 24 * kHourNs;

inline std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline void put_content(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}
inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
    lines.push_back(text.substr(at, end - at));
  return lines;
}
inline std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

class TestLog {
 public:
  TestLog() {
    char name[] = "/tmp/honeylink_audit_XXXXXX";
    home_ = ::mkdtemp(name);
  }
  ~TestLog() { std::filesystem::remove_all(home_); }
  TestLog(const TestLog&) = delete;
  TestLog& operator=(const TestLog&) = delete;

  void append(const std::string& event = "config.changed", Context context = {{"n", "1"}}) {
    std::string why;
    EXPECT_TRUE(Journal(home_, clock).append(event, std::move(context), Result::ok, why, &end)) << why;
  }
  void heartbeat() {
    std::string why;
    EXPECT_TRUE(Journal(home_, clock).heartbeat(why, &end)) << why;
  }
  /// Some hours of an engine: a heartbeat an hour, a few decisions between.
  void live(int hours) {
    for (int hour = 0; hour < hours; ++hour) {
      for (int i = 0; i < 3; ++i)
        append("consent.grant", {{"endpoint", "https://a.example:443"}}), clock.advance(kHourNs / 4);
      clock.advance(kHourNs / 4);
      heartbeat();
    }
  }
  Verification verify(const std::vector<Anchor>& anchors = {}) const {
    return verify_log(home_, anchors, [](double) { return true; });
  }
  void expect_sound(const std::string& when) const {
    const Verification found = verify();
    for (const Finding& finding : found.findings)
      ADD_FAILURE() << when << ": " << name_of(finding.fault) << " " << finding.file << ":" << finding.line << " entry "
                    << finding.seq << ": " << finding.what;
    EXPECT_TRUE(found.sound()) << when;
  }
  [[nodiscard]] Anchor here() const { return {"paper", end.seq, end.hash}; }
  [[nodiscard]] const std::string& home() const noexcept { return home_; }
  [[nodiscard]] std::string log() const { return log_path(home_); }
  /// The whole home as it is now, to go back to.
  void save(const std::string& name) const { copy(home_, home_ + "." + name); }
  void put_back(const std::string& name, const std::string& part = "") const {
    std::filesystem::remove_all(home_ + part);
    copy(home_ + "." + name + part, home_ + part);
  }
  void drop(const std::string& name) const { std::filesystem::remove_all(home_ + "." + name); }

  ManualClock clock{1'790'000'000 * kSecondNs};
  Journal::End end;

 private:
  static void copy(const std::string& from, const std::string& to) {
    std::filesystem::remove_all(to);
    std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
  }
  std::string home_;
};

/// 100 of each kind; all 1,000 of F21 with HONEYLINK_TEST_LONG.
inline int tampered_copies() { return std::getenv("HONEYLINK_TEST_LONG") != nullptr ? 1'000 : 100; }

}  // namespace honeylink::telemetry::audit
