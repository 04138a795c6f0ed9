// Which spans of a block stand together (group_spans), whose ids they have (SpanKeys), and where their traces' counters
// lie (trace_ranges): see span_block.h.
#include <algorithm>
#include <bit>
#include <functional>
#include <numeric>
#include <tuple>

#include "store/span_block.h"

namespace honeylink::telemetry::store {
namespace {

constexpr int kKeysTried = 64;          // of a foreign id; each costs some 20 ns
constexpr std::size_t kRangesMax = 32;  // of a block and source, gaps of kTraceRangeMax apart
constexpr std::uint64_t kGapMin = 64;   // traces of a thread are a few spans apart

void put_big_endian(std::uint8_t* to, std::uint64_t value) noexcept {
  for (int i = 0; i < 8; ++i) to[i] = static_cast<std::uint8_t>(value >> (56 - 8 * i));
}
std::uint64_t big_endian(const std::uint8_t* from) noexcept {
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | from[i];
  return value;
}

}  // namespace

std::array<std::uint8_t, 16> trace_bytes(std::uint64_t hi, std::uint64_t lo) noexcept {
  std::array<std::uint8_t, 16> id;
  put_big_endian(id.data(), hi), put_big_endian(id.data() + 8, lo);
  return id;
}
TraceRef foreign_trace(const std::array<std::uint8_t, 16>& id) noexcept {
  return {true, big_endian(id.data()), big_endian(id.data() + 8)};
}
std::array<std::uint8_t, 8> span_bytes(std::uint64_t value) noexcept {
  std::array<std::uint8_t, 8> id;
  put_big_endian(id.data(), value);
  return id;
}
std::uint64_t span_value(const std::array<std::uint8_t, 8>& id) noexcept { return big_endian(id.data()); }

void SpanKeys::add(std::uint32_t source, const IdKey& trace_key, const IdKey& span_key) {
  keys_.insert_or_assign(source, IdCipher(trace_key, span_key));
}

const IdCipher* SpanKeys::find(std::uint32_t source) const noexcept {
  const auto at = keys_.find(source);
  return at == keys_.end() ? nullptr : &at->second;
}

bool SpanKeys::owner_of(std::uint64_t hi, std::uint64_t lo, std::uint32_t& source, std::uint64_t& counter) {
  const auto id = trace_bytes(hi, lo);
  std::uint64_t found = 0;  // holds anything after a key that does not fit
  if (const IdCipher* last = find(last_); last != nullptr && last->trace_counter(id, found))
    return source = last_, counter = found, true;
  int left = kKeysTried;
  for (auto at = keys_.rbegin(); at != keys_.rend() && left > 0; ++at, --left) {
    if (at->second.trace_counter(id, found)) return source = last_ = at->first, counter = found, true;
  }
  return false;
}

void group_spans(std::span<const StoredSpan> spans, SpanKeys& keys, SpanOrder& order) {
  struct Group {
    SpanRun run;
    std::int64_t start;
  };
  std::vector<Group> groups;
  std::vector<std::uint32_t> group_of(spans.size());
  constexpr std::uint32_t kEmpty = 0xffff'ffffU;
  std::vector<std::uint32_t> table(std::bit_ceil(std::max<std::size_t>(spans.size() * 2, 16)), kEmpty);
  const std::size_t mask = table.size() - 1;
  // As spans name their traces: source (0 for a foreign one) and id. A foreign id is inverted once.
  std::vector<std::pair<std::uint32_t, TraceRef>> named;
  std::vector<std::uint32_t> group_of_alias;
  const auto group_for = [&](const StoredSpan& s) {
    const std::uint32_t source = s.trace.foreign ? 0 : s.source;
    std::size_t at = (s.trace.lo * 0x9e37'79b9'7f4a'7c15ULL + s.trace.hi + source * 0x85eb'ca6bULL) >> 20;
    for (at &= mask; table[at] != kEmpty; at = (at + 1) & mask) {
      const auto& [its_source, its_trace] = named[table[at]];
      if (its_source == source && its_trace == s.trace) return group_of_alias[table[at]];
    }
    table[at] = static_cast<std::uint32_t>(named.size());
    named.emplace_back(source, s.trace);
    Group group{{source, s.trace.hi, s.trace.lo, 0, 0}, s.start_unix_ns};
    if (s.trace.foreign && keys.owner_of(s.trace.hi, s.trace.lo, group.run.source, group.run.lo)) group.run.hi = 0;
    group_of_alias.push_back(static_cast<std::uint32_t>(groups.size()));
    groups.push_back(group);
    return group_of_alias.back();
  };
  for (std::size_t i = 0; i < spans.size(); ++i) {
    Group& group = groups[group_of[i] = group_for(spans[i])];
    ++group.run.count;
    group.start = std::min(group.start, spans[i].start_unix_ns);
  }
  std::vector<std::uint32_t> sorted(groups.size());
  std::iota(sorted.begin(), sorted.end(), 0U);
  // The same trace by its counter and by its id: next to each other first, then one run.
  std::vector<std::uint32_t> same(groups.size());
  std::iota(same.begin(), same.end(), 0U);
  std::sort(sorted.begin(), sorted.end(), [&](std::uint32_t a, std::uint32_t b) {
    const SpanRun &x = groups[a].run, &y = groups[b].run;
    return std::tie(x.source, x.hi, x.lo, a) < std::tie(y.source, y.hi, y.lo, b);
  });
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    Group &before = groups[same[sorted[i - 1]]], &now = groups[sorted[i]];
    if (before.run.source != now.run.source || before.run.hi != now.run.hi || before.run.lo != now.run.lo) continue;
    same[sorted[i]] = same[sorted[i - 1]];
    before.run.count += now.run.count, now.run.count = 0;
    before.start = std::min(before.start, now.start);
  }
  std::sort(sorted.begin(), sorted.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::tie(groups[a].start, a) < std::tie(groups[b].start, b);
  });
  order.runs.clear();
  order.spans.resize(spans.size());
  std::vector<std::uint32_t> next(groups.size());
  std::uint32_t first = 0;
  for (const std::uint32_t g : sorted) {
    if (groups[g].run.count == 0) continue;
    groups[g].run.first = next[g] = first;
    first += groups[g].run.count;
    order.runs.push_back(groups[g].run);
  }
  for (std::uint32_t i = 0; i < spans.size(); ++i) order.spans[next[same[group_of[i]]]++] = i;
  for (const SpanRun& run : order.runs) {
    const auto from = order.spans.begin() + run.first;
    std::stable_sort(from, from + run.count, [&](std::uint32_t a, std::uint32_t b) {
      return std::tie(spans[a].start_unix_ns, spans[a].span) < std::tie(spans[b].start_unix_ns, spans[b].span);
    });
  }
}

std::vector<TraceRange> trace_ranges(std::span<const SpanRun> runs) {
  std::vector<std::pair<std::uint32_t, std::uint64_t>> counters;
  for (const SpanRun& run : runs) {
    if (run.source != 0) counters.emplace_back(run.source, run.lo);
  }
  std::sort(counters.begin(), counters.end());
  // Threads draw from ranges of their own: the largest gaps are between those.
  std::vector<std::uint64_t> gaps;
  for (std::size_t i = 1; i < counters.size(); ++i) {
    if (counters[i].first == counters[i - 1].first) gaps.push_back(counters[i].second - counters[i - 1].second);
  }
  std::uint64_t split_above = kGapMin;
  if (gaps.size() > kRangesMax) {
    std::nth_element(gaps.begin(), gaps.begin() + kRangesMax, gaps.end(), std::greater<>());
    split_above = std::max(split_above, gaps[kRangesMax]);
  }
  std::vector<TraceRange> ranges;
  for (std::size_t i = 0; i < counters.size(); ++i) {
    const auto& [source, counter] = counters[i];
    const bool goes_on = !ranges.empty() && ranges.back().source == source &&
                         counter - ranges.back().hi <= split_above && counter - ranges.back().lo <= kTraceRangeMax;
    if (goes_on) ranges.back().hi = counter;
    else ranges.push_back({source, counter, counter});
  }
  return ranges;
}

}  // namespace honeylink::telemetry::store
