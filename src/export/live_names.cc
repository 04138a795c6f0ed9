// See live_names.h.
#include "export/live_names.h"

namespace honeylink::telemetry::exporting {

void LiveNames::learn(const store::TraceNames& told) {
  for (const auto& [id, text] : told.texts) texts_[id] = text;
  for (const auto& [id, scope] : told.scopes) scopes_[id] = scope;
  for (const auto& [id, source] : told.sources) {
    recordings_[id] = std::make_unique<Recording>(
        Recording{{source.resource, source.pid}, IdCipher(source.trace_key, source.span_key)});
  }
}

void LiveNames::read_from(store::Connection* connection) {
  stored_.reset();
  if (connection != nullptr) stored_.emplace(*connection);
}

void LiveNames::forget() {
  texts_.clear(), scopes_.clear(), recordings_.clear();
  stored_.reset();
}

std::string_view LiveNames::text(std::uint32_t id) {
  if (const auto told = texts_.find(id); told != texts_.end()) return told->second;
  return stored_ ? stored_->text(id) : std::string_view();
}

const ScopeInfo* LiveNames::scope(std::uint32_t id) {
  if (const auto told = scopes_.find(id); told != scopes_.end()) return &told->second;
  return stored_ ? stored_->scope(id) : nullptr;
}

const SpanNames::Recording* LiveNames::recording(std::uint32_t source) {
  if (const auto told = recordings_.find(source); told != recordings_.end()) return told->second.get();
  return stored_ ? stored_->recording(source) : nullptr;
}

}  // namespace honeylink::telemetry::exporting
