// traces.db, asked: the same answers whether spans lie in hot rows or in blocks; by id, by the beginning of one, by
// duration, by time.
#include "query/trace_reader.h"

#include <gtest/gtest.h>

#include "query/test_trace_home.h"

namespace honeylink::telemetry::query {
namespace {

using Home = TraceHome;

std::string line_of(const SpanView& span) {
  std::string line = hex(span.trace_id) + ' ' + hex(span.span_id) + ' ' + hex(span.parent_span_id) + ' ' + span.name +
                     ' ' + span.service + ' ' + std::to_string(span.start_unix_ns) + ' ' +
                     std::to_string(span.duration_ns) + ' ' + std::to_string(span.status);
  for (const auto& [key, value] : span.attributes) line += ' ' + key + '=' + value;
  return line;
}
std::vector<std::string> lines_of(const std::vector<SpanView>& spans, bool sorted = true) {
  std::vector<std::string> lines;
  for (const SpanView& span : spans) lines.push_back(line_of(span));
  if (sorted) std::sort(lines.begin(), lines.end());
  return lines;
}

std::vector<std::string> lines_of(const TraceList& list) {
  std::vector<std::string> lines;
  for (const TraceSummary& t : list.traces)
    lines.push_back(hex(t.trace_id) + ' ' + t.root + ' ' + t.service + ' ' + std::to_string(t.start_unix_ns) + ' ' +
                    std::to_string(t.duration_ns()) + ' ' + std::to_string(t.spans) + ' ' + std::to_string(t.errors));
  return lines;
}

TEST(TraceReader, AnswersTheSameWhereverSpansLie) {
  Home home;
  TraceFilter some;
  some.since_unix_ns = kStart + 300 * kSecond, some.until_unix_ns = kStart + 1200 * kSecond;
  some.errors = true;
  auto before = home.reader();
  const auto all = before->list({}, 0), few = before->list(some, 7);
  ASSERT_TRUE(all.ok() && few.ok());
  ASSERT_EQ(all.value().traces.size(), kSpans / 4);
  home.pack();
  auto after = home.reader();
  EXPECT_EQ(lines_of(after->list({}, 0).value()), lines_of(all.value()));
  EXPECT_EQ(lines_of(after->list(some, 7).value()), lines_of(few.value()));
  EXPECT_EQ(after->damaged_blobs(), 0U);
}

TEST(TraceReader, FindsATraceByItsIdAndByTheBeginningOfIt) {
  Home home;
  auto before = home.reader();
  const auto all = before->list({}, 0);
  std::vector<std::pair<std::string, std::vector<std::string>>> expected;
  for (std::size_t i = 0; i < all.value().traces.size(); i += 97) {
    const std::string id = hex(all.value().traces[i].trace_id);
    auto spans = before->trace(id);
    ASSERT_TRUE(spans.ok()) << id;
    ASSERT_EQ(spans.value().size(), 4U);
    expected.emplace_back(id, lines_of(spans.value()));
  }
  home.pack();
  auto after = home.reader();
  for (const auto& [id, lines] : expected) {
    const auto whole = after->trace(id), beginning = after->trace(id.substr(0, 20));
    ASSERT_TRUE(whole.ok() && beginning.ok()) << id;
    EXPECT_EQ(lines_of(whole.value()), lines);
    EXPECT_EQ(lines_of(beginning.value()), lines);
  }
  EXPECT_EQ(after->trace("12345678").problem().kind, ProblemKind::usage);  // the traces from elsewhere begin alike
  EXPECT_EQ(after->trace("0123456789abcdef0123456789abcdef").problem().kind, ProblemKind::not_found);
  EXPECT_EQ(after->trace("0123456789abcde").problem().kind, ProblemKind::not_found);
}

TEST(TraceReader, GivesTheSlowestSpansByTimeAndName) {
  Home home;
  const std::int64_t since = kStart + 100 * kSecond, until = kStart + 1900 * kSecond;
  const auto by_hand = [&](TraceReader& reader, const std::string& name) {
    std::vector<SpanView> spans;
    EXPECT_FALSE(reader.scan(since, until, [&](const store::StoredSpan& span, const TraceSource& source) {
      if (name.empty() || reader.text(span.name) == name) spans.push_back(reader.view(span, source));
      return true;
    }));
    std::stable_sort(spans.begin(), spans.end(),
                     [](const SpanView& a, const SpanView& b) { return a.duration_ns > b.duration_ns; });
    spans.resize(std::min<std::size_t>(spans.size(), 20));
    return lines_of(spans, false);
  };
  for (const bool packed : {false, true}) {
    if (packed) home.pack();
    auto reader = home.reader();
    for (const char* name : {"", "answer", "nobody's"}) {
      const auto slowest = reader->slowest(since, until, name, 20);
      ASSERT_TRUE(slowest.ok());
      EXPECT_EQ(lines_of(slowest.value(), false), by_hand(*reader, name)) << name << packed;
    }
  }
}

TEST(TraceReader, ADamagedBlockCostsItsSpansAndIsCounted) {
  Home home;
  home.pack();
  std::int64_t lost = 0;
  {
    store::Connection other;
    ASSERT_EQ(other.open(home.store->path(), store::Access::read_write, 1000), SQLITE_OK);
    lost = other.integer("SELECT n FROM blk WHERE id = 3", 0);
    ASSERT_EQ(other.execute("UPDATE blk SET data = CAST(substr(data, 1, 900) || X'5a5a' || substr(data, 903) AS BLOB) "
                            "WHERE id = 3"),
              SQLITE_OK);
  }
  auto reader = home.reader();
  std::int64_t seen = 0;
  EXPECT_FALSE(reader->scan(INT64_MIN, INT64_MAX, [&](const store::StoredSpan&, const TraceSource&) {
    ++seen;
    return true;
  }));
  EXPECT_EQ(seen + lost, static_cast<std::int64_t>(kSpans));
  EXPECT_EQ(reader->damaged_blobs(), 1U);
}

}  // namespace
}  // namespace honeylink::telemetry::query
