// A trace as columns: decoded here by the document alone (docs/formats/view_api.md), they are the spans that the JSON
// has. A hundred thousand of them, through a real recorder and engine, come small and soon.
#include <cstring>

#include "view/gzip.h"
#include "view_support.h"

namespace honeylink::telemetry::test {
namespace {

struct DecodedSpan {
  double start = 0, duration = 0, self = 0;
  std::string id, name, service;
  std::int32_t parent = -1;
  unsigned depth = 0, flags = 0;
};
struct DecodedTrace {
  bool sound = false;
  std::int64_t base = 0;
  std::vector<DecodedSpan> spans;
};

class Bytes {
 public:
  explicit Bytes(const std::string& bytes) : bytes_(bytes) {}
  template <class T>
  T next() {
    T value{};
    if (at_ + sizeof value > bytes_.size()) return ok = false, value;
    EXPECT_EQ(at_ % sizeof value, 0U) << "columns are aligned to their width";
    std::memcpy(&value, bytes_.data() + at_, sizeof value);
    return at_ += sizeof value, value;
  }
  std::string text(std::size_t n) {
    if (at_ + n > bytes_.size()) return ok = false, std::string();
    return at_ += n, bytes_.substr(at_ - n, n);
  }
  [[nodiscard]] bool at_end() const { return at_ == bytes_.size(); }
  bool ok = true;

 private:
  const std::string& bytes_;
  std::size_t at_ = 0;
};

DecodedTrace decode(const std::string& body) {
  DecodedTrace trace;
  Bytes bytes(body);
  if (bytes.text(8) != "HTTRACE1") return trace;
  const auto n = bytes.next<std::uint32_t>(), texts = bytes.next<std::uint32_t>();
  trace.base = bytes.next<std::int64_t>();
  trace.spans.resize(n);
  for (auto& span : trace.spans) span.start = bytes.next<double>();
  for (auto& span : trace.spans) span.duration = bytes.next<double>();
  for (auto& span : trace.spans) span.self = bytes.next<double>();
  for (auto& span : trace.spans) {
    constexpr const char* kDigits = "0123456789abcdef";
    for (const char c : bytes.text(8)) (span.id += kDigits[(c >> 4) & 15]) += kDigits[c & 15];
  }
  for (auto& span : trace.spans) span.parent = bytes.next<std::int32_t>();
  std::vector<std::uint32_t> names(n), services(n), lengths(texts);
  for (auto* column : {&names, &services, &lengths}) {
    for (std::uint32_t& value : *column) value = bytes.next<std::uint32_t>();
  }
  for (auto& span : trace.spans) span.depth = bytes.next<std::uint16_t>();
  for (auto& span : trace.spans) span.flags = bytes.next<std::uint8_t>();
  std::vector<std::string> strings;
  for (const std::uint32_t length : lengths) strings.push_back(bytes.text(length));
  trace.sound = bytes.ok && bytes.at_end();
  for (std::uint32_t i = 0; i < n && trace.sound; ++i) {
    if (names[i] >= texts || services[i] >= texts) return trace.sound = false, trace;
    trace.spans[i].name = strings[names[i]], trace.spans[i].service = strings[services[i]];
  }
  return trace;
}

class ViewColumns : public ViewTest {
 protected:
  /// Recorded by one process and stored by an engine; its id.
  std::string record_trace(const std::string& spans) {
    const std::string said = home_ + "-trace";
    const pid_t agent = in_background({"agent"});
    EXPECT_TRUE(eventually([&] { return honeytel({"status", "--json"}).json()["engine"]["pid"] == agent; }));
    EXPECT_EQ(end(run_program("view_recorder", {home_, "trace", spans}, said), 0), 0);
    EXPECT_EQ(end(agent, SIGTERM), 0);
    std::string id;
    std::getline(std::ifstream(said), id);
    std::remove(said.c_str());
    return id;
  }
};

TEST_F(ViewColumns, HoldTheSpansThatTheJsonHas) {
  const std::string id = record_trace("3000");
  view();
  const auto json = get("/api/traces/" + id + "?limit=0").json();
  const HttpAnswer plain = get("/api/traces/" + id + "/columns");
  ASSERT_EQ(plain.status, 200) << plain.body;
  EXPECT_EQ(plain.header("content-type"), "application/vnd.honeytel.trace");
  const DecodedTrace trace = decode(plain.body);
  ASSERT_TRUE(trace.sound);
  ASSERT_EQ(trace.spans.size(), 3'000U);
  ASSERT_EQ(json["spans"].size(), 3'000U);
  std::set<std::string> logged;
  const auto lines = get("/api/logs?limit=0&trace=" + id).json()["logs"];
  for (const auto& line : lines) logged.insert(line["span_id"].get<std::string>());
  EXPECT_GE(logged.size(), 2U);
  for (std::size_t i = 0; i < trace.spans.size(); ++i) {
    const DecodedSpan& span = trace.spans[i];
    const auto& said = json["spans"][i];
    ASSERT_EQ(span.id, said["span_id"]) << i;
    ASSERT_EQ(std::to_string(trace.base + static_cast<std::int64_t>(span.start)), said["start_unix_nano"]) << i;
    ASSERT_EQ(span.duration, said["duration_ns"].get<double>()) << i;
    ASSERT_EQ(span.self, said["self_ns"].get<double>()) << i;
    ASSERT_EQ(span.name, said["name"]) << i;
    ASSERT_EQ(span.service, said["module"] == "" ? said["service"] : said["module"]) << i;
    ASSERT_EQ(span.depth, said["depth"].get<unsigned>()) << i;
    ASSERT_LT(span.parent, static_cast<std::int32_t>(i)) << "a parent before its children";
    if (span.parent < 0) ASSERT_TRUE(said["parent_span_id"].is_null());
    else ASSERT_EQ(trace.spans[static_cast<std::size_t>(span.parent)].id, said["parent_span_id"]) << i;
    const unsigned flags = (said["status"] == "error" ? 1U : 0U) | (said["critical_ns"] > 0 ? 2U : 0U) |
                           (said["unfinished"] == true ? 4U : 0U) | (said["events"].empty() ? 0U : 8U) |
                           (logged.contains(span.id) ? 16U : 0U);
    ASSERT_EQ(span.flags, flags) << i;
  }
  const HttpAnswer small = get("/api/traces/" + id + "/columns", "Accept-Encoding: br, gzip\r\n");
  EXPECT_EQ(small.header("content-encoding"), "gzip");
  EXPECT_EQ(view::gunzip(small.body, plain.body.size() + 1), plain.body);
}

TEST_F(ViewColumns, OneSpanTellsItsLines) {
  const std::string id = record_trace("200");
  view();
  const auto lines = get("/api/logs?trace=" + id).json()["logs"];
  ASSERT_EQ(lines.size(), 1U);
  const auto one = get("/api/traces/" + id + "/spans/" + lines[0]["span_id"].get<std::string>()).json();
  EXPECT_EQ(one["logs"], lines);
  EXPECT_EQ(one["name"], "packet.send");
  EXPECT_EQ(one["attributes"]["n"], 13);
}

TEST_F(ViewColumns, AHundredThousandSpansComeSmallAndSoon) {
  const std::string id = record_trace("100000");
  view();
  const auto began = std::chrono::steady_clock::now();
  const HttpAnswer answer = get("/api/traces/" + id + "/columns", "Accept-Encoding: gzip\r\n");
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  ASSERT_EQ(answer.status, 200) << answer.body;
  RecordProperty("wire_bytes", static_cast<int>(answer.body.size()));
  RecordProperty("milliseconds", static_cast<int>(took * 1'000));
  EXPECT_LE(answer.body.size(), 5'000'000U);
  EXPECT_LE(took, 5) << "0.3 s on an idle machine; tests share theirs";
  EXPECT_EQ(decode(view::gunzip(answer.body, 64 << 20)).spans.size(), 100'000U);
  const auto shell = std::chrono::steady_clock::now();
  EXPECT_NE(honeytel({"traces", id}).err.find("of 100,000"), std::string::npos);
  RecordProperty(
      "shell_milliseconds",
      static_cast<int>(std::chrono::duration<double>(std::chrono::steady_clock::now() - shell).count() * 1'000));
}

/// VmRSS of a process, in bytes.
std::size_t resident_bytes(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  std::string word;
  while (status >> word) {
    std::size_t kib = 0;
    if (word == "VmRSS:" && status >> kib) return kib << 10;
  }
  return 0;
}

TEST_F(ViewColumns, WhatALargeTraceTookIsGivenBackWhicheverThreadShowedIt) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer keeps memory of its own";
#endif
  const std::string id = record_trace("100000");
  view();
  for (int i = 0; i < 6; ++i) EXPECT_EQ(get("/api/traces/" + id + "/columns", "Accept-Encoding: gzip\r\n").status, 200);
  EXPECT_EQ(get("/api/traces/" + id + "?limit=0").status, 200);
  constexpr std::size_t kIdleBytesMax = 30'000'000;
  EXPECT_TRUE(eventually([&] { return resident_bytes(server_) < kIdleBytesMax; })) << resident_bytes(server_);
  EXPECT_GT(resident_bytes(server_), 0U);
}

TEST_F(ViewColumns, OfATraceThatIsNotThereAreAnErrorInWords) {
  view();
  EXPECT_EQ(get("/api/traces/00000000000000000000000000000001/columns").status, 404);
  EXPECT_EQ(get("/api/traces/xyz/columns").status, 400);
}

}  // namespace
}  // namespace honeylink::telemetry::test
