#include "consent/endpoint.h"

#include <gtest/gtest.h>

namespace honeylink::telemetry::consent {
namespace {

std::string read(const std::string& text) {
  std::string why;
  const auto endpoint = parse_endpoint(text, why);
  EXPECT_NE(endpoint.has_value(), why.empty() ? false : true) << text;
  return endpoint ? endpoint->text() : "";
}

TEST(Endpoint, HasOneForm) {
  EXPECT_EQ(read("https://Collector.Example"), "https://collector.example:443");
  EXPECT_EQ(read("HTTPS://collector.example:4317/"), "https://collector.example:4317");
  EXPECT_EQ(read("https://a-b.c1.example/base//"), "https://a-b.c1.example:443/base");
  EXPECT_EQ(read("https://192.0.2.7/x"), "https://192.0.2.7:443/x");
  EXPECT_EQ(read("https://[2001:DB8:0:0::1]:8443"), "https://[2001:db8::1]:8443");
  EXPECT_EQ(read("http://127.0.0.1:9093"), "http://127.0.0.1:9093");
  EXPECT_EQ(read("http://[0:0::1]:9093"), "http://[::1]:9093");
  EXPECT_EQ(read("http://LocalHost"), "http://localhost:80");
  EXPECT_EQ(read("H3://Collector.Example/otlp/"), "h3://collector.example:443/otlp");
}

TEST(Endpoint, ItsFormIsItsOwnForm) {
  for (const char* text :
       {"https://collector.example:443", "https://[2001:db8::1]:8443/a/b", "http://[::1]:1", "h3://127.0.0.1:443"})
    EXPECT_EQ(read(text), text);
}

TEST(Endpoint, OtherSpellingsOfAnAddressAreRefused) {
  for (const char* text :
       {"https://127.1", "https://2130706433", "https://0x7f.0.0.1", "https://0x7f000001", "https://017700000001",
        "https://192.0.2.07", "https://[::ffff:192.0.2.1]", "https://1.2.3.4.5", "https://a.0x1f", "https://a.12"})
    EXPECT_EQ(read(text), "") << text;
}

TEST(Endpoint, PlaintextIsForThisDeviceOnly) {
  for (const char* text : {"http://collector.example", "http://192.0.2.1", "http://127.0.0.2", "http://127.1",
                           "http://localhost.example", "http://0.0.0.0", "http://[::]", "http://[fe80::1]"})
    EXPECT_EQ(read(text), "") << text;
}

TEST(Endpoint, WhatIsNoneIsRefused) {
  for (const char* text : {"",
                           "https://",
                           "collector.example",
                           "ftp://a.example",
                           "https:///x",
                           "https://a.example:0",
                           "https://a.example:",
                           "https://a.example:65536",
                           "https://a.example:08",
                           "https://a.example:1x",
                           "https://user@a.example",
                           "https://user:password@a.example",
                           "https://a.example/?q",
                           "https://a.example#f",
                           "https://a.example/a b",
                           "https://a.example/../x",
                           "https://a.example/a/./b",
                           "https://a.example/a//b",
                           "https://a_b.example",
                           "https://-a.example",
                           "https://a..example",
                           "https://a.example.",
                           "https://b\xc3\xbc"
                           "cher.example",
                           "https://[::1",
                           "https://[::1]x",
                           "https://[fe80::1%eth0]",
                           "https://a.example\n",
                           "https://a.example/\x1b"})
    EXPECT_EQ(read(text), "") << text;
  EXPECT_EQ(read("https://" + std::string(64, 'a') + ".example"), "");
  EXPECT_EQ(read("https://a.example/" + std::string(2000, 'a')), "");
}

}  // namespace
}  // namespace honeylink::telemetry::consent
