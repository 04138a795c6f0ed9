// OTLP requests read by field numbers written down here a second time, so that an error in the product's would show.
// Used by the sink and by tests. Throws protozero's exceptions on what is no message.
#pragma once
#include <functional>
#include <string>
#include <string_view>

namespace honeylink::telemetry::interop {

/// Calls `each` with the bytes of every span or log record of an Export…ServiceRequest; how many there were.
std::size_t each_item(std::string_view request, const std::function<void(std::string_view item)>& each);
/// The same with every data point of a metrics request, and the name of its metric.
std::size_t each_point(std::string_view request,
                       const std::function<void(std::string_view metric, std::string_view point)>& each);

}  // namespace honeylink::telemetry::interop
