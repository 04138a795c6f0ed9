// Names of spans that may be in the database or still on their way there: what was told with them, else what can be
// read. Owned by the thread that sends; the connection is its own.
#pragma once
#include <map>
#include <memory>
#include <optional>

#include "export/stored_names.h"
#include "store/span_hand_over.h"

namespace honeylink::telemetry::exporting {

class LiveNames final : public SpanNames {
 public:
  void learn(const store::TraceNames& told);
  /// nullptr: only what was told is known.
  void read_from(store::Connection* connection);
  std::string_view text(std::uint32_t id) override;
  const ScopeInfo* scope(std::uint32_t id) override;
  const Recording* recording(std::uint32_t source) override;
  /// The database was made anew: its numbers mean something else.
  void forget();

 private:
  std::map<std::uint32_t, std::string> texts_;
  std::map<std::uint32_t, ScopeInfo> scopes_;
  std::map<std::uint32_t, std::unique_ptr<Recording>> recordings_;
  std::optional<StoredNames> stored_;
};

}  // namespace honeylink::telemetry::exporting
