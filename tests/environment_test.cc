// What the environment decides about a recorder: OpenTelemetry's variables, and that they win over start()'s options.
// Each case is a child of the test with its variables; its ring is read when it is dead.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <string>
#include <utility>
#include <vector>

#include "forked_application.h"
#include "honeylink/telemetry.h"
#include "ring_contents.h"

namespace honeylink::telemetry::tests {
namespace {

using Variables = std::vector<std::pair<const char*, std::string>>;

std::vector<RingContents> record_with(const Variables& variables, const Options& options = {}, int spans = 400) {
  const TestHome home;
  const Ended ended = run(home, [&] {
    for (const auto& [name, value] : variables) ::setenv(name, value.c_str(), 1);
    if (!start(options).ok()) return 1;
    for (int i = 0; i < spans; ++i) const auto root = start_span("root");
    return 0;
  });
  EXPECT_TRUE(ended.exited(0)) << ended.status;
  EXPECT_EQ(ended.said, "");
  auto rings = home.rings();
  expect_sound(rings);
  return rings;
}

// ---- samplers

struct Sampling {
  const char *sampler, *argument;
  double kept, recorded;  // shares of 400 roots; −1: neither all nor none
};
class SamplerVariable : public testing::TestWithParam<Sampling> {};

TEST_P(SamplerVariable, DecidesWhatIsKept) {
  Variables variables{{"OTEL_TRACES_SAMPLER", GetParam().sampler}};
  if (GetParam().argument != nullptr) variables.emplace_back("OTEL_TRACES_SAMPLER_ARG", GetParam().argument);
  // The option is the opposite of what the variable asks for.
  Options options;
  options.sampler = GetParam().kept == 1 ? Sampler::always_off() : Sampler::always_on();
  const auto rings = record_with(variables, options);
  ASSERT_EQ(rings.size(), 1u);
  const auto kept = static_cast<double>(rings[0].accepted[0]) / 400;
  const auto recorded = static_cast<double>(rings[0].accepted[0] + rings[0].accepted[1]) / 400;
  if (GetParam().kept >= 0) EXPECT_EQ(kept, GetParam().kept);
  else EXPECT_TRUE(kept > 0 && kept < 1) << kept;
  EXPECT_EQ(recorded, GetParam().recorded);
}
INSTANTIATE_TEST_SUITE_P(Environment, SamplerVariable,
                         testing::Values(Sampling{"always_on", nullptr, 1, 1}, Sampling{"always_off", nullptr, 0, 0},
                                         Sampling{"traceidratio", "0.5", -1, 1}, Sampling{"traceidratio", "0", 0, 1},
                                         Sampling{"traceidratio", nullptr, 1, 1},
                                         Sampling{"parentbased_always_on", nullptr, 1, 1},
                                         Sampling{"parentbased_always_off", nullptr, 0, 1},
                                         Sampling{"parentbased_traceidratio", "0.5", -1, 1},
                                         Sampling{"ALWAYS_ON", nullptr, 1, 1},
                                         Sampling{"TraceIdRatio", "nonsense", 1, 1},
                                         Sampling{"traceidratio", "7", 1, 1}, Sampling{"traceidratio", "-0.5", 1, 1}),
                         [](const auto& info) {
                           std::string name = std::to_string(info.index) + info.param.sampler;
                           std::erase(name, '_');
                           return name;
                         });

TEST(EnvironmentVariables, AnUnknownSamplerLeavesTheOptionInForce) {
  Options options;
  options.sampler = Sampler::always_on();
  const auto rings = record_with({{"OTEL_TRACES_SAMPLER", "jaeger_remote"}}, options);
  ASSERT_EQ(rings.size(), 1u);
  EXPECT_EQ(rings[0].accepted[0], 400u);
}

TEST(EnvironmentVariables, DevelopmentKeepsAllAndProductionATenth) {
  const auto development = record_with({{"HONEYLINK_ENVIRONMENT", "development"}});
  ASSERT_EQ(development.size(), 1u);
  EXPECT_EQ(development[0].accepted[0], 400u);
  const auto production = record_with({});
  ASSERT_EQ(production.size(), 1u);
  EXPECT_LT(production[0].accepted[0], 150u);
  EXPECT_EQ(production[0].accepted[0] + production[0].accepted[1], 400u);
}

// ---- off

TEST(EnvironmentVariables, TheSdkCanBeDisabled) {
  for (const char* value : {"true", "True", "TRUE"}) EXPECT_TRUE(record_with({{"OTEL_SDK_DISABLED", value}}).empty());
  for (const char* value : {"false", "1", "yes", ""})  // OpenTelemetry: whatever is not "true" is false
    EXPECT_EQ(record_with({{"OTEL_SDK_DISABLED", value}}).size(), 1u) << value;
}

// ---- resource

TEST(EnvironmentVariables, NameTheService) {
  Options options;
  options.resource = {.service_name = "in code", .service_version = "1", .environment = "in code"};
  auto rings = record_with({}, options, 1);
  ASSERT_EQ(rings.size(), 1u);
  EXPECT_EQ(rings[0].service, "in code");
  rings = record_with({{"OTEL_RESOURCE_ATTRIBUTES", "service.name=in attributes,service.version=2"}}, options, 1);
  ASSERT_EQ(rings.size(), 1u);
  EXPECT_EQ(rings[0].service, "in attributes");
  EXPECT_EQ(rings[0].resource.service_version, "2");
  EXPECT_EQ(rings[0].resource.environment, "in code");
  rings = record_with({{"OTEL_RESOURCE_ATTRIBUTES", "service.name=in attributes,deployment.environment=attributes"},
                       {"OTEL_SERVICE_NAME", "in the variable"},
                       {"HONEYLINK_ENVIRONMENT", "variable"}},
                      options, 1);
  ASSERT_EQ(rings.size(), 1u);
  EXPECT_EQ(rings[0].service, "in the variable");
  EXPECT_EQ(rings[0].resource.environment, "variable");
  rings = record_with({{"OTEL_SERVICE_NAME", ""}}, options, 1);
  ASSERT_EQ(rings.size(), 1u);
  EXPECT_EQ(rings[0].service, "in code") << "empty means unset";
}

TEST(EnvironmentVariables, ResourceAttributesAreDecodedAndNonsenseIsLeftOut) {
  const auto rings = record_with({{"OTEL_RESOURCE_ATTRIBUTES",
                                   " host.name = a%20host ,nothing,=empty key,,deployment.environment.name=staging,"
                                   "a=b=c,percent=100%,broken=%zz,control=%0a%1b"}},
                                 {}, 1);
  ASSERT_EQ(rings.size(), 1u);
  const ResourceInfo& resource = rings[0].resource;
  EXPECT_EQ(resource.environment, "staging");
  const std::map<std::string, std::string> more(resource.more.begin(), resource.more.end());
  EXPECT_EQ(more.at("host.name"), "a host");
  EXPECT_EQ(more.at("a"), "b=c");
  EXPECT_EQ(more.at("percent"), "100%");
  EXPECT_EQ(more.at("broken"), "%zz");
  EXPECT_EQ(more.count("nothing"), 0u);
  EXPECT_EQ(more.count(""), 0u);
}

TEST(EnvironmentVariables, ALongListOfAttributesIsCutAndTheServiceKeepsItsName) {
  std::string list = "service.name=still here";
  for (int i = 0; i < 20'000; ++i) list += ",key." + std::to_string(i) + "=" + std::string(20, 'v');
  const auto rings = record_with({{"OTEL_RESOURCE_ATTRIBUTES", list.substr(0, 100'000)}}, {}, 1);
  ASSERT_EQ(rings.size(), 1u);
  EXPECT_EQ(rings[0].service, "still here");
  EXPECT_FALSE(rings[0].resource.more.empty());
}

TEST(EnvironmentVariables, ALongServiceNameIsCutAtACharacter) {
  std::string name;
  for (int i = 0; i < 5'000; ++i) name += "é";
  const auto rings = record_with({{"OTEL_SERVICE_NAME", name}}, {}, 1);
  ASSERT_EQ(rings.size(), 1u);
  EXPECT_FALSE(rings[0].service.empty());
  EXPECT_LE(rings[0].service.size(), 256u);
  EXPECT_EQ(rings[0].service, name.substr(0, rings[0].service.size()));
}

}  // namespace
}  // namespace honeylink::telemetry::tests
