// Ids of spans that come in the order in which they were begun, eight at a time: computing them one by one was a fifth
// of what an export costs. One owner.
#pragma once
#include <array>
#include <cstdint>

#include "base/ids.h"

namespace honeylink::telemetry::exporting {

template <std::size_t Bytes>
class IdRun {
 public:
  using Id = std::array<std::uint8_t, Bytes>;
  /// `one` and `eight`: IdCipher's functions for an id of this size. Valid until the next call.
  template <class One, class Eight>
  const Id& id(std::uint64_t counter, One one, Eight eight) {
    const std::uint64_t at = counter - first_;
    if (known_ && at < ids_.size()) return ids_[at];
    if (alone_ && counter == last_) return single_;
    if ((alone_ && counter == last_ + 1) || (known_ && at == ids_.size())) {
      ids_ = eight(counter);
      first_ = counter, known_ = true;
      return ids_.front();
    }
    last_ = counter, alone_ = true;
    return single_ = one(counter);
  }
  void forget() noexcept { known_ = alone_ = false; }

 private:
  std::array<Id, 8> ids_{};
  Id single_{};
  std::uint64_t first_ = 0, last_ = 0;
  bool known_ = false, alone_ = false;  // whether ids_ and single_ hold any
};

/// The ids of one recording, `source`; another one's begin anew.
class IdRuns {
 public:
  const IdRun<16>::Id& trace(std::uint32_t source, const IdCipher& ids, std::uint64_t counter) {
    of(source);
    return traces_.id(
        counter, [&](auto n) { return ids.trace_id(n); }, [&](auto n) { return ids.next_trace_ids(n); });
  }
  const IdRun<8>::Id& span(std::uint32_t source, const IdCipher& ids, std::uint64_t counter) {
    of(source);
    return spans_.id(
        counter, [&](auto n) { return ids.span_id(n); }, [&](auto n) { return ids.next_span_ids(n); });
  }
  void forget() noexcept { known_ = false; }

 private:
  // By its number: a recording that is told again may stand where another stood.
  void of(std::uint32_t source) noexcept {
    if (known_ && source_ == source) return;
    source_ = source, known_ = true;
    traces_.forget(), spans_.forget();
  }
  std::uint32_t source_ = 0;
  bool known_ = false;
  IdRun<16> traces_;
  IdRun<8> spans_;
};

}  // namespace honeylink::telemetry::exporting
