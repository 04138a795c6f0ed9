// What a signal's records come from, as one destination sees it: young ones in memory, earlier ones in the store. Three
// exist: spans, log lines, points. Owned by the thread that sends; what other threads may call says so.
#pragma once
#include <cstdint>
#include <optional>

#include "export/batch.h"

namespace honeylink::telemetry::exporting {

class RecordSource {
 public:
  virtual ~RecordSource() = default;
  /// Young records, up to about `bytes_max`. Empty: there are none.
  [[nodiscard]] virtual std::optional<Batch> live(std::size_t bytes_max) = 0;
  /// The beginning of a gap, out of the store. Empty: it cannot be read now.
  [[nodiscard]] virtual std::optional<Batch> stored(Range gap, std::size_t bytes_max) = 0;
  /// Positions below are in the store and wait in no queue: what of them is not acknowledged has to be read there.
  [[nodiscard]] virtual std::uint64_t stored_below() = 0;
  /// The first position that may leave; what was recorded before the grant does not.
  [[nodiscard]] virtual std::uint64_t first_allowed() = 0;
  /// What a range of positions comes to, in units that mean something to people.
  [[nodiscard]] virtual std::uint64_t amount(Range range) const { return range.last - range.first; }
  /// Young records wait. Any thread.
  [[nodiscard]] virtual bool has_live() const = 0;
  /// After a failure: half-read things are read again.
  virtual void restart() = 0;
  /// A live batch could not be delivered: what belongs to it is taken from the store.
  virtual void lost_live() {}
  /// The batch was acknowledged; everything below `floor` is.
  virtual void settled(const Batch& batch, std::uint64_t floor) { (void)batch, (void)floor; }
  /// What a restart needs to go on.
  virtual void save() {}
};

}  // namespace honeylink::telemetry::exporting
