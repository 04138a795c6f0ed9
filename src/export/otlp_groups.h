// What the three kinds of OTLP request have in common: items grouped by resource and by scope, in requests of a bounded
// size. The resource's attributes follow OpenTelemetry's semantic conventions. Not thread-safe; one owner.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/events.h"

namespace honeylink::telemetry::exporting {

/// Who recorded. `pid` 0: not one process (a series adds up over processes).
struct Recorder {
  ResourceInfo resource;
  std::uint64_t pid = 0;
};

/// Appends a KeyValue whose value is a text, as a field `tag` of the message that `to` holds.
void put_text_attribute(std::string& to, std::uint32_t tag, std::string_view key, std::string_view value);

/// Items, each encoded as field 2 of its Scope{Spans,Logs,Metrics}, by resource and scope. Numbers name resources and
/// scopes within one request only: whoever adds keeps them unique.
class RequestGroups {
 public:
  /// Where the next item of this resource and scope is to be appended, with its tag. Valid until the next call.
  std::string& items_of(std::uint64_t resource_key, std::uint64_t scope_key, const Recorder& recorder,
                        const ScopeInfo* scope);
  /// To be called when an item was appended: `bytes` of it.
  void added(std::size_t bytes) noexcept { ++items_, bytes_ += bytes; }
  [[nodiscard]] std::size_t items() const noexcept { return items_; }
  /// Of the request as it would be now, some bytes of lengths apart.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  /// The whole request; empty where nothing was added (no empty envelope: OTLP rule C9). Begins a new one.
  [[nodiscard]] std::string finish();

 private:
  struct ScopeGroup {
    std::uint64_t key = 0;
    ScopeInfo scope;
    std::string items;
  };
  struct ResourceGroup {
    std::uint64_t key = 0;
    std::string resource;  // encoded
    std::vector<ScopeGroup> scopes;
  };
  std::vector<ResourceGroup> groups_;
  std::size_t last_group_ = 0, last_scope_ = 0;
  std::size_t items_ = 0, bytes_ = 0;
};

}  // namespace honeylink::telemetry::exporting
