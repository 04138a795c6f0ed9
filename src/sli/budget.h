// How much was bad of how much, over the windows of error budget and burn rates (DESIGN 9): sums in slots along a time
// line of its own, on which the clock does not step. Filled from stored history once, then by each evaluation; reading
// adds up some hundred numbers. One owner; not thread-safe.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

namespace honeylink::telemetry::sli {

struct Share {
  double bad = 0, total = 0;
  Share& operator+=(const Share& more) noexcept {
    bad += more.bad, total += more.total;
    return *this;
  }
};

enum class Window : std::uint8_t { m5 = 0, m30 = 1, h1 = 2, h6 = 3, d3 = 4, d30 = 5 };
inline constexpr std::size_t kWindows = 6;
/// Length and step: a window covers whole steps, the present one included, so it is short by less than a step.
struct WindowShape {
  std::int64_t length_s, step_s;
};
inline constexpr std::array<WindowShape, kWindows> kWindowShapes{
    {{300, 10}, {1'800, 10}, {3'600, 10}, {21'600, 60}, {259'200, 600}, {2'592'000, 3'600}}};

class Budget {
 public:
  Budget();
  /// What was measured that long ago.
  void load(std::int64_t age_ns, const Share& share);
  /// Time passes, then this was measured.
  void add(std::int64_t elapsed_ns, const Share& share);
  /// The sum over a window that ends `elapsed_ns` from the last add(), with `share` measured then.
  [[nodiscard]] Share over(Window window, std::int64_t elapsed_ns = 0, const Share& share = {}) const noexcept;

 private:
  struct Slots {
    std::vector<Share> ring;
    std::int64_t newest = 0;  // number of the slot in progress
  };
  void put(std::size_t window, std::int64_t at_ns, const Share& share);
  std::array<Slots, kWindows> windows_;
  std::int64_t line_ns_;
};

}  // namespace honeylink::telemetry::sli
