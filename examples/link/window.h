// Which counters have arrived: refuses a counter that came before or is too old, and is the content of a report.
// Used by both sides. Belongs to one thread.
#pragma once
#include "wire.h"

namespace honeylink::link {

class ReceiveWindow {
 public:
  /// Would accept() say yes? Asked before the AEAD has spoken, so that a forged counter cannot move the window.
  [[nodiscard]] bool is_fresh(std::uint64_t counter) const noexcept {
    if (counter == 0) return false;
    if (counter > seen_.highest) return true;
    return seen_.highest - counter < 256 && !seen_.has(counter);
  }
  /// Remembers the counter. False: it is a replay, or older than the window's 256.
  bool accept(std::uint64_t counter) noexcept {
    if (!is_fresh(counter)) return false;
    if (counter > seen_.highest) {
      shift(counter - seen_.highest);
      seen_.highest = counter;
    }
    const std::uint64_t bit = seen_.highest - counter;
    seen_.below[bit / 64] |= std::uint64_t{1} << (bit % 64);
    return true;
  }
  [[nodiscard]] const Report& seen() const noexcept { return seen_; }

 private:
  void shift(std::uint64_t by) noexcept {
    auto& word = seen_.below;
    for (; by >= 64; by -= 64) {
      word = {0, word[0], word[1], word[2]};
      if (word == std::array<std::uint64_t, 4>{}) return;  // a jump by 2^60 must not take 2^54 rounds
    }
    if (by == 0) return;
    for (std::size_t i = 3; i > 0; --i) word[i] = word[i] << by | word[i - 1] >> (64 - by);
    word[0] <<= by;
  }
  Report seen_;
};

}  // namespace honeylink::link
