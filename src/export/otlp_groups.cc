// See otlp_groups.h.
#include "export/otlp_groups.h"

#include <algorithm>
#include <protozero/pbf_builder.hpp>

#include "export/otlp_fields.h"

namespace honeylink::telemetry::exporting {
namespace {

using protozero::pbf_builder;

constexpr std::string_view kSdkName = "honeylink-telemetry";
constexpr std::string_view kSdkLanguage = "cpp";

// OpenTelemetry semantic conventions: service.*, deployment.environment.name, process.pid, telemetry.sdk.*. What a
// program set by itself under such a name wins.
std::string encode_resource(const Recorder& recorder) {
  std::string bytes;
  const ResourceInfo& r = recorder.resource;
  const auto said = [&](std::string_view key) {
    return std::any_of(r.more.begin(), r.more.end(), [&](const auto& pair) { return pair.first == key; });
  };
  const auto put = [&](std::string_view key, std::string_view value) {
    if (value.empty() || said(key)) return;
    put_text_attribute(bytes, static_cast<std::uint32_t>(otlp::Resource::attributes), key, value);
  };
  put("service.name", r.service_name);
  put("service.version", r.service_version);
  put("honeylink.module", r.module);
  put("deployment.environment.name", r.environment);
  put("telemetry.sdk.name", kSdkName);
  put("telemetry.sdk.language", kSdkLanguage);
  for (const auto& [key, value] : r.more)
    put_text_attribute(bytes, static_cast<std::uint32_t>(otlp::Resource::attributes), key, value);
  if (recorder.pid != 0 && !said("process.pid")) {
    pbf_builder<otlp::Resource> resource(bytes);
    pbf_builder<otlp::KeyValue> pair(resource, otlp::Resource::attributes);
    pair.add_string(otlp::KeyValue::key, "process.pid");
    pbf_builder<otlp::AnyValue> value(pair, otlp::KeyValue::value);
    value.add_int64(otlp::AnyValue::int_value, static_cast<std::int64_t>(recorder.pid));
  }
  return bytes;
}

}  // namespace

void put_text_attribute(std::string& to, std::uint32_t tag, std::string_view key, std::string_view value) {
  protozero::pbf_writer parent(to);
  protozero::pbf_writer pair(parent, tag);
  pair.add_string(static_cast<otlp::Tag>(otlp::KeyValue::key), key.data(), key.size());
  protozero::pbf_writer any(pair, static_cast<otlp::Tag>(otlp::KeyValue::value));
  any.add_string(static_cast<otlp::Tag>(otlp::AnyValue::string_value), value.data(), value.size());
}

std::string& RequestGroups::items_of(std::uint64_t resource_key, std::uint64_t scope_key, const Recorder& recorder,
                                     const ScopeInfo* scope) {
  if (last_group_ >= groups_.size() || groups_[last_group_].key != resource_key) {
    const auto known =
        std::find_if(groups_.begin(), groups_.end(), [&](const auto& group) { return group.key == resource_key; });
    last_group_ = static_cast<std::size_t>(known - groups_.begin());
    if (known == groups_.end()) {
      groups_.push_back({resource_key, encode_resource(recorder), {}});
      bytes_ += groups_.back().resource.size() + 16;
    }
  }
  std::vector<ScopeGroup>& scopes = groups_[last_group_].scopes;
  if (last_scope_ >= scopes.size() || scopes[last_scope_].key != scope_key) {
    const auto known =
        std::find_if(scopes.begin(), scopes.end(), [&](const auto& group) { return group.key == scope_key; });
    last_scope_ = static_cast<std::size_t>(known - scopes.begin());
    if (known == scopes.end()) {
      scopes.push_back({scope_key, scope != nullptr ? *scope : ScopeInfo{}, {}});
      const ScopeInfo& its = scopes.back().scope;
      bytes_ += its.name.size() + its.version.size() + its.schema_url.size() + 24;
    }
  }
  return scopes[last_scope_].items;
}

std::string RequestGroups::finish() {
  std::string bytes;
  if (items_ != 0) {
    bytes.reserve(bytes_ + 64);
    pbf_builder<otlp::Request> request(bytes);
    for (const ResourceGroup& group : groups_) {
      pbf_builder<otlp::ResourceItems> resource(request, otlp::Request::resource_items);
      resource.add_message(otlp::ResourceItems::resource, group.resource);
      for (const ScopeGroup& scoped : group.scopes) {
        pbf_builder<otlp::ScopeItems> scope(resource, otlp::ResourceItems::scope_items);
        if (!scoped.scope.name.empty() || !scoped.scope.version.empty()) {
          pbf_builder<otlp::Scope> its(scope, otlp::ScopeItems::scope);
          if (!scoped.scope.name.empty()) its.add_string(otlp::Scope::name, scoped.scope.name);
          if (!scoped.scope.version.empty()) its.add_string(otlp::Scope::version, scoped.scope.version);
        }
        bytes += scoped.items;
        if (!scoped.scope.schema_url.empty()) scope.add_string(otlp::ScopeItems::schema_url, scoped.scope.schema_url);
      }
    }
  }
  groups_.clear();
  last_group_ = last_scope_ = items_ = bytes_ = 0;
  return bytes;
}

}  // namespace honeylink::telemetry::exporting
