// Attributes, events and links of a stored span, and JSON fields of a stored log line, as OTLP messages. Sizes are
// worked out before a byte is written, so that nothing is moved afterwards: this is most of the encoder's time.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "export/otlp_groups.h"
#include "store/trace_codec.h"

namespace honeylink::telemetry::exporting {

/// What the numbers in a stored span mean. Two exist: of the engine that just stored it, and of a database that is
/// read.
class SpanNames {
 public:
  virtual ~SpanNames() = default;
  /// Empty where there is none. Valid as long as the object.
  virtual std::string_view text(std::uint32_t id) = 0;
  virtual const ScopeInfo* scope(std::uint32_t id) = 0;
  struct Recording {
    Recorder recorder;
    IdCipher ids;
  };
  virtual const Recording* recording(std::uint32_t source) = 0;  // nullptr: unknown, its spans cannot be sent
};

/// Appends a KeyValue as field `tag`, or nothing where the item is no attribute.
void put_attribute(std::string& to, std::uint32_t tag, const store::StoredItem& item, SpanNames& names);
void put_bool_attribute(std::string& to, std::uint32_t tag, std::string_view key, bool value);

}  // namespace honeylink::telemetry::exporting
