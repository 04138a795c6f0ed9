// A log line on its way out: its resource is whole, and numbers keep their kind.
#include "export/otlp_logs.h"

#include <gtest/gtest.h>

#include <map>
#include <protozero/pbf_reader.hpp>

#include "store/log_line.h"
#include "store/test_support.h"

namespace honeylink::telemetry::exporting {
namespace {

using protozero::pbf_reader;

// Read with numbers of its own, so that an error in ours would show. AnyValue: the field's number is the value's kind.
struct Value {
  std::uint32_t kind = 0;
  std::string text;
  std::int64_t integer = 0;
  double real = 0;
};
Value value_of(pbf_reader any) {
  Value value;
  while (any.next()) {
    value.kind = any.tag();
    if (any.tag() == 1) value.text = any.get_string();
    else if (any.tag() == 3) value.integer = any.get_int64();
    else if (any.tag() == 4) value.real = any.get_double();
    else any.skip();
  }
  return value;
}
std::map<std::string, Value> attributes_of(pbf_reader message, std::uint32_t tag) {
  std::map<std::string, Value> all;
  while (message.next(tag)) {
    pbf_reader pair = message.get_message();
    std::string key;
    Value value;
    while (pair.next()) {
      if (pair.tag() == 1) key = pair.get_string();
      else value = value_of(pair.get_message());
    }
    all[key] = value;
  }
  return all;
}
pbf_reader inner(pbf_reader message, std::uint32_t tag) {
  EXPECT_TRUE(message.next(tag)) << tag;
  return message.get_message();
}

TEST(LogRequests, CarryTheWholeResourceAndKeepTheKindOfNumbers) {
  Source source = store::make_source(1, {"", "moved", "whole", "part", "count", "huge"});
  source.resource.service_name = "link", source.resource.service_version = "1.2.3";
  source.resource.module = "transport", source.resource.environment = "staging";
  store::Items items;
  items.real(2, 5.0).real(3, 0.25).integer(4, 7).real(5, -1e300);
  const LogEvent event = store::make_log(source, 0, items.view());
  store::LineBuffer line;
  store::LogLines().append(event, line);

  LogRequest request;
  ASSERT_TRUE(request.add(line.view(), event.time_unix_ns)) << line.view();
  const std::string bytes = request.finish();
  const pbf_reader of_resource = inner(pbf_reader(bytes), 1);
  auto resource = attributes_of(inner(of_resource, 1), 1);
  EXPECT_EQ(resource["service.name"].text, "link");
  EXPECT_EQ(resource["service.version"].text, "1.2.3");
  EXPECT_EQ(resource["honeylink.module"].text, "transport");
  EXPECT_EQ(resource["deployment.environment.name"].text, "staging");
  auto fields = attributes_of(inner(inner(of_resource, 2), 2), 6);
  constexpr std::uint32_t kInteger = 3, kReal = 4;
  EXPECT_EQ(fields["whole"].kind, kReal);
  EXPECT_EQ(fields["whole"].real, 5.0);
  EXPECT_EQ(fields["part"].real, 0.25);
  EXPECT_EQ(fields["count"].kind, kInteger);
  EXPECT_EQ(fields["count"].integer, 7);
  EXPECT_EQ(fields["huge"].kind, kReal);
  EXPECT_EQ(fields["huge"].real, -1e300);
}

}  // namespace
}  // namespace honeylink::telemetry::exporting
