// What the writer and the reader of a block must foresee alike (docs/formats/traces_db.md): where a span's counter and
// start are likely to be. Part of span_block_write.cc and span_block_read.cc only.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "store/bytes.h"

namespace honeylink::telemetry::store {

/// The last counter of each of the threads that drew counters lately, most recent first.
class CounterLanes {
 public:
  static constexpr std::size_t kLanes = 32;
  static constexpr std::uint64_t kNear = 4096;  // threads draw from ranges of this size
  struct Lane {
    std::uint32_t source = 0;
    std::uint64_t last = 0;
  };

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] const Lane& operator[](std::size_t i) const noexcept { return lanes_[i]; }
  /// The nearest lane; size() where none is near.
  [[nodiscard]] std::size_t nearest(std::uint32_t source, std::uint64_t counter) const noexcept {
    std::size_t found = size_;
    std::uint64_t best = kNear;
    for (std::size_t i = 0; i < size_ && best > 4; ++i) {
      if (lanes_[i].source != source) continue;
      const std::uint64_t up = counter - lanes_[i].last, apart = std::min(up, ~up + 1);
      if (apart < best) best = apart, found = i;
    }
    return found;
  }
  /// Lane i (size(): a new one) has drawn `counter` and is now the first.
  void use(std::size_t i, std::uint32_t source, std::uint64_t counter) noexcept {
    if (i >= size_) size_ = std::min(size_ + 1, kLanes), i = size_ - 1;
    std::move_backward(lanes_.begin(), lanes_.begin() + static_cast<std::ptrdiff_t>(i),
                       lanes_.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    lanes_[0] = {source, counter};
  }

 private:
  std::array<Lane, kLanes> lanes_{};
  std::size_t size_ = 0;
};

/// Starts of the spans of one run, foreseen from the parent or from the sibling before.
class StartModel {
 public:
  void begin_run(std::size_t spans) { last_child_end_.assign(spans, INT64_MIN); }
  /// `parent`: index in the run, or the run's size for none. `before`: start of the span before in the run.
  [[nodiscard]] std::int64_t foresee(unsigned prediction, std::size_t parent, std::int64_t parent_start,
                                     std::int64_t before) const noexcept {
    if (parent >= last_child_end_.size()) return before;
    return prediction == 1 && last_child_end_[parent] != INT64_MIN ? last_child_end_[parent] : parent_start;
  }
  void passed(std::size_t parent, std::int64_t start, std::int64_t duration) noexcept {
    if (parent < last_child_end_.size()) last_child_end_[parent] = wrapping_sum(start, duration);
  }

 private:
  std::vector<std::int64_t> last_child_end_;
};

}  // namespace honeylink::telemetry::store
