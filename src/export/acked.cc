// See acked.h.
#include "export/acked.h"

#include <algorithm>
#include <charconv>

namespace honeylink::telemetry::exporting {
namespace {

bool take_number(std::string_view& text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

void Acked::add(Range range) {
  range.first = std::max(range.first, floor_);
  if (range.first >= range.last) return;
  const auto from = std::lower_bound(ranges_.begin(), ranges_.end(), range.first,
                                     [](const Range& its, std::uint64_t at) { return its.last < at; });
  auto to = from;
  for (; to != ranges_.end() && to->first <= range.last; ++to) {
    range.first = std::min(range.first, to->first);
    range.last = std::max(range.last, to->last);
  }
  ranges_.insert(ranges_.erase(from, to), range);
  if (!ranges_.empty() && ranges_.front().first <= floor_) {
    floor_ = ranges_.front().last;
    ranges_.erase(ranges_.begin());
  }
  // A range that is let go is sent again: rather that than a list without end.
  if (ranges_.size() > kAckedRangesMax) {
    ranges_.erase(std::min_element(ranges_.begin(), ranges_.end(),
                                   [](const Range& a, const Range& b) { return a.last - a.first < b.last - b.first; }));
  }
}

void Acked::forget_from(std::uint64_t from) {
  floor_ = std::min(floor_, from);
  std::erase_if(ranges_, [&](const Range& its) { return its.first >= from; });
  if (!ranges_.empty()) ranges_.back().last = std::min(ranges_.back().last, from);
}

std::optional<Range> Acked::first_gap(std::uint64_t head) const {
  const std::uint64_t end = ranges_.empty() ? head : std::min(head, ranges_.front().first);
  if (floor_ >= end) return std::nullopt;
  return Range{floor_, end};
}

std::uint64_t Acked::missing(std::uint64_t head) const {
  std::uint64_t n = head > floor_ ? head - floor_ : 0;
  for (const Range& its : ranges_) n -= std::min(its.last, head) - std::min(its.first, head);
  return n;
}

std::vector<Range> Acked::gaps(std::uint64_t head) const {
  std::vector<Range> gaps;
  std::uint64_t from = floor_;
  for (const Range& its : ranges_) {
    if (its.first >= head) break;
    gaps.push_back({from, its.first});
    from = its.last;
  }
  if (from < head) gaps.push_back({from, head});
  return gaps;
}

Acked::Part Acked::of(Range range) const {
  if (range.first >= range.last || range.last <= floor_) return Part::all;
  std::uint64_t n = range.first < floor_ ? floor_ - range.first : 0;
  for (const Range& its : ranges_) {
    const std::uint64_t from = std::max(its.first, range.first), to = std::min(its.last, range.last);
    if (from < to) n += to - from;
  }
  return n == 0 ? Part::none : n == range.last - range.first ? Part::all : Part::some;
}

std::string Acked::text() const {
  std::string text = std::to_string(floor_);
  for (const Range& its : ranges_) text += " " + std::to_string(its.first) + "-" + std::to_string(its.last);
  return text;
}

std::optional<Acked> Acked::parse(std::string_view text) {
  Acked acked;
  if (!take_number(text, acked.floor_)) return std::nullopt;
  std::uint64_t before = acked.floor_;
  while (!text.empty()) {
    Range range;
    if (!take(text, ' ') || !take_number(text, range.first) || !take(text, '-') || !take_number(text, range.last))
      return std::nullopt;
    if (range.first <= before || range.first >= range.last || acked.ranges_.size() >= kAckedRangesMax)
      return std::nullopt;
    before = range.last;
    acked.ranges_.push_back(range);
  }
  return acked;
}

}  // namespace honeylink::telemetry::exporting
