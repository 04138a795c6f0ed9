// See otlp_read.h.
#include "otlp_read.h"

#include <protozero/pbf_reader.hpp>

namespace honeylink::telemetry::interop {
namespace {

// Request → Resource… (1) → Scope… (2) → item (2): alike in all three.
template <class Each>
void walk(std::string_view request, Each each) {
  for (protozero::pbf_reader whole(request.data(), request.size()); whole.next(1);)
    for (auto of_resource = whole.get_message(); of_resource.next(2);)
      for (auto of_scope = of_resource.get_message(); of_scope.next(2);) each(of_scope.get_view());
}

bool is_data(std::uint32_t tag) { return tag == 5 || tag == 7 || tag == 9 || tag == 10; }  // gauge, sum, two histograms

}  // namespace

std::size_t each_item(std::string_view request, const std::function<void(std::string_view)>& each) {
  std::size_t n = 0;
  walk(request, [&](protozero::data_view item) { ++n, each({item.data(), item.size()}); });
  return n;
}

std::size_t each_point(std::string_view request, const std::function<void(std::string_view, std::string_view)>& each) {
  std::size_t n = 0;
  walk(request, [&](protozero::data_view bytes) {
    std::string name;  // fields come in any order
    for (protozero::pbf_reader metric(bytes); metric.next(1);) name = metric.get_string();
    for (protozero::pbf_reader metric(bytes); metric.next();) {
      if (!is_data(metric.tag())) {
        metric.skip();
        continue;
      }
      for (auto data = metric.get_message(); data.next(1);) {
        const protozero::data_view point = data.get_view();
        ++n, each(name, {point.data(), point.size()});
      }
    }
  });
  return n;
}

}  // namespace honeylink::telemetry::interop
