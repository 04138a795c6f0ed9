// A ring that no engine has stored, as last-words shows it: what its writer was in the middle of is there once.
#include "query/ring_view.h"

#include <gtest/gtest.h>

#include <cstring>

#include "ring/test_ring.h"
#include "scrub/scrubber.h"

namespace honeylink::telemetry::query {
namespace {

constexpr std::uint64_t kOrdinal = 0;

// One span in slot 0 of chunk 1, on its way to be the first record of thread slot 0.
void ending_span(ring::TestRing& ring, bool is_published) {
  ring.carve(1, 0);
  ring::SpanRecord record{};
  record.header = {sizeof record, ring::RecordType::span, ring::kFlagKept, 0};
  record.start = 5, record.span = record.trace_lo = 7;
  ring::SpanSlot& slot = ring.span_slot(1, 0);
  std::memcpy(slot.bytes, &record, sizeof record);
  slot.extent = ring::make_extent(sizeof record, 0);
  slot.ending_at = std::uint64_t{1} << ring::kEndingSlotShift | kOrdinal;
  slot.word = static_cast<std::uint64_t>(ring::SpanSlotState::ending);
  ring.take(0, 0);
  if (!is_published) return;
  record.end = 9;
  std::vector<std::uint8_t> bytes(sizeof record);
  std::memcpy(bytes.data(), &record, sizeof record);
  ring.append(0, bytes);
}

std::vector<SpanView> spans_of(const ring::TestRing& ring) {
  std::vector<SpanView> spans;
  std::vector<LastLog> logs;
  scrub::Scrubber scrubber({.home = "/nonexistent", .ids = {}, .refuse = {}, .may_make_key = false});
  read_ring_content(*ring.reader(), scrubber, spans, logs);
  return spans;
}

TEST(RingView, ASpanThatWasEndingIsShownAsItsRecordIfItWasWritten) {
  ring::TestRing ring;
  ending_span(ring, true);
  const auto spans = spans_of(ring);
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_FALSE(spans[0].unfinished);
}

TEST(RingView, ASpanThatWasEndingIsShownAsUnfinishedIfItsRecordWasNot) {
  ring::TestRing ring;
  ending_span(ring, false);
  const auto spans = spans_of(ring);
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_TRUE(spans[0].unfinished);
}

}  // namespace
}  // namespace honeylink::telemetry::query
