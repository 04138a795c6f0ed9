// See state_text.h.
#include "sli/state_text.h"

#include <charconv>

namespace honeylink::telemetry::sli {
namespace {

constexpr int kVersion = 1;
constexpr std::size_t kAgesMax = 1000;  // config: consecutive_breaches_required

class Numbers {
 public:
  explicit Numbers(std::string_view text) noexcept : at_(text.data()), end_(text.data() + text.size()) {}
  template <class T>
  T next() noexcept {
    T value{};
    while (at_ != end_ && *at_ == ' ') ++at_;
    const auto [stop, error] = std::from_chars(at_, end_, value);
    ok_ = ok_ && error == std::errc{};
    at_ = stop;
    return value;
  }
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] bool whole() const noexcept { return ok_ && at_ == end_; }

 private:
  const char* at_;
  const char* end_;
  bool ok_ = true;
};

}  // namespace

std::string to_text(const State& state) {
  std::string text = std::to_string(kVersion);
  const auto put = [&](auto value) { text += ' ' + std::to_string(value); };
  put(state.at.unix_ns), put(state.at.boottime_ns), put(state.at.boot);
  for (const Ladder& ladder : state.ladders) {
    for (const Rung& rung : ladder.rungs) {
      put(rung.held ? 1 : 0), put(rung.clears), put(rung.ages.size());
      for (const std::int64_t age : rung.ages) put(age);
    }
  }
  return text;
}

std::optional<State> state_from(std::string_view text) {
  Numbers numbers(text);
  if (numbers.next<int>() != kVersion) return std::nullopt;
  State state;
  state.at.unix_ns = numbers.next<std::int64_t>();
  state.at.boottime_ns = numbers.next<std::int64_t>();
  state.at.boot = numbers.next<std::uint64_t>();
  for (Ladder& ladder : state.ladders) {
    for (Rung& rung : ladder.rungs) {
      rung.held = numbers.next<unsigned>() == 1;
      rung.clears = numbers.next<std::uint32_t>();
      const auto n = numbers.next<std::size_t>();
      if (!numbers.ok() || n > kAgesMax) return std::nullopt;
      for (std::size_t i = 0; i < n; ++i) rung.ages.push_back(numbers.next<std::int64_t>());
    }
  }
  if (!numbers.whole()) return std::nullopt;
  return state;
}

}  // namespace honeylink::telemetry::sli
