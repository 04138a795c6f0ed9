// See stored_names.h.
#include "export/stored_names.h"

#include <cstring>
#include <nlohmann/json.hpp>

namespace honeylink::telemetry::exporting {
namespace {

IdKey key_of(std::span<const std::uint8_t> blob) {
  IdKey key{};
  if (blob.size() == key.size()) std::memcpy(key.data(), blob.data(), key.size());
  return key;
}

// The column `resource`: a JSON object of texts.
void read_more(std::string_view json, ResourceInfo& resource) {
  const auto object = nlohmann::ordered_json::parse(json, nullptr, false);
  if (!object.is_object()) return;
  for (const auto& [key, value] : object.items())
    if (value.is_string()) resource.more.emplace_back(key, value.get<std::string>());
}

}  // namespace

StoredNames::StoredNames(store::Connection& connection)
    : text_(connection.prepare("SELECT text FROM str WHERE id = ?1")),
      scope_(connection.prepare("SELECT name, version, schema_url FROM scope WHERE id = ?1")),
      source_(
          connection.prepare("SELECT trace_key, span_key, pid, service, version, module, environment, resource FROM "
                             "idkey WHERE id = ?1")) {}

std::string_view StoredNames::text(std::uint32_t id) {
  if (const auto known = texts_.find(id); known != texts_.end()) return known->second;
  std::string_view found;
  if (text_.bind(1, id).step() == SQLITE_ROW) found = texts_.emplace(id, text_.text(0)).first->second;
  text_.reset();
  return found;
}

const ScopeInfo* StoredNames::scope(std::uint32_t id) {
  if (id == 0) return nullptr;
  if (const auto known = scopes_.find(id); known != scopes_.end()) return &known->second;
  const ScopeInfo* found = nullptr;
  if (scope_.bind(1, id).step() == SQLITE_ROW) {
    found = &(scopes_[id] = {std::string(scope_.text(0)), std::string(scope_.text(1)), std::string(scope_.text(2))});
  }
  scope_.reset();
  return found;
}

const SpanNames::Recording* StoredNames::recording(std::uint32_t source) {
  if (const auto known = recordings_.find(source); known != recordings_.end()) return known->second.get();
  const Recording* found = nullptr;
  if (source_.bind(1, source).step() == SQLITE_ROW) {
    Recorder recorder;
    ResourceInfo& resource = recorder.resource;
    recorder.pid = source_.number(2);
    resource.service_name = source_.text(3), resource.service_version = source_.text(4);
    resource.module = source_.text(5), resource.environment = source_.text(6);
    read_more(source_.text(7), resource);
    auto recording = std::make_unique<Recording>(
        Recording{std::move(recorder), IdCipher(key_of(source_.blob(0)), key_of(source_.blob(1)))});
    found = (recordings_[source] = std::move(recording)).get();
  }
  source_.reset();
  return found;
}

}  // namespace honeylink::telemetry::exporting
