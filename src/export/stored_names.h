// What the numbers in stored spans mean, read from traces.db: tables str, scope and idkey. For sending what was stored
// earlier. What is not there is asked for again: it may be on its way. Not thread-safe; one owner; dies before its
// connection.
#pragma once
#include <map>
#include <memory>

#include "export/otlp_items.h"
#include "store/sqlite.h"

namespace honeylink::telemetry::exporting {

class StoredNames final : public SpanNames {
 public:
  explicit StoredNames(store::Connection& connection);
  std::string_view text(std::uint32_t id) override;
  const ScopeInfo* scope(std::uint32_t id) override;
  const Recording* recording(std::uint32_t source) override;

 private:
  store::Statement text_, scope_, source_;
  std::map<std::uint32_t, std::string> texts_;
  std::map<std::uint32_t, ScopeInfo> scopes_;
  std::map<std::uint32_t, std::unique_ptr<Recording>> recordings_;
};

}  // namespace honeylink::telemetry::exporting
