// Who speaks: OpenTelemetry's Resource, from start()'s options and the environment (OTEL_SERVICE_NAME,
// OTEL_RESOURCE_ATTRIBUTES, HONEYLINK_ENVIRONMENT, which win), kept as items to be written into each ring of the
// process.
#pragma once
#include <string>

#include "honeylink/options.h"

namespace honeylink::telemetry::internal {

/// Lock held. `configured_environment` is config.toml's, used where nobody says another. Answers the environment in
/// force.
[[nodiscard]] std::string set_resource(const Resource& resource, const char* configured_environment) noexcept;

}  // namespace honeylink::telemetry::internal
