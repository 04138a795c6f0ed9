// The service under test over real HTTP: the 41 situations of the W3C suite, a real multi-hop trace, and bad input. The
// suite's own harness stays outside the tree (run.sh).
#include "service.h"

#include <gtest/gtest.h>
#include <httplib.h>

#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "record/trace_context_cases.h"

namespace honeylink::telemetry::interop {
namespace {

using testing::HeaderList;

// Takes the service's calls and keeps their headers, as the suite's harness does.
class Harness {
 public:
  Harness() {
    http_.Post("/callback", [this](const httplib::Request& request, httplib::Response& response) {
      const std::lock_guard lock(mutex_);
      received_.emplace_back(request.headers.begin(), request.headers.end());
      bodies_.push_back(request.body);
      response.set_content("null", "application/json");
    });
    port_ = http_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { http_.listen_after_bind(); });
    while (!http_.is_running()) std::this_thread::yield();
  }
  ~Harness() {
    http_.stop();
    thread_.join();
  }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/callback"; }
  std::vector<HeaderList> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(received_, {});
  }
  std::vector<std::string> bodies() {
    const std::lock_guard lock(mutex_);
    return std::exchange(bodies_, {});
  }

 private:
  httplib::Server http_;
  int port_ = 0;
  std::thread thread_;
  std::mutex mutex_;
  std::vector<HeaderList> received_;
  std::vector<std::string> bodies_;
};

class OverHttp : public ::testing::Test {
 protected:
  void SetUp() override {
    port_ = service_.start(0);
    ASSERT_NE(port_, 0);
  }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/test"; }
  int post(const HeaderList& headers, const std::string& body) const {
    httplib::Client client("127.0.0.1", port_);
    const auto answer =
        client.Post("/test", httplib::Headers(headers.begin(), headers.end()), body, "application/json");
    return answer ? answer->status : 0;
  }
  Harness harness_;
  Service service_;
  int port_ = 0;
};

TEST_F(OverHttp, All41SituationsAreAnsweredAsTheSpecificationSays) {
  for (const testing::Situation& situation : testing::situations()) {
    for (const testing::Exchange& exchange : situation.exchanges) {
      auto calls = nlohmann::json::array();
      for (int i = 0; i < exchange.calls; ++i)
        calls.push_back({{"url", harness_.url()}, {"arguments", nlohmann::json::array()}});
      ASSERT_EQ(post(exchange.in, calls.dump()), 200);
      EXPECT_EQ(testing::complaint(exchange, harness_.take()), "")
          << situation.name << ": " << ::testing::PrintToString(exchange.in);
    }
  }
}

TEST_F(OverHttp, ATraceAndItsBaggageSurviveTwoHops) {
  const nlohmann::json inner = {{{"url", harness_.url()}, {"arguments", {1, "two"}}}};
  const nlohmann::json outer = {{{"url", url()}, {"arguments", inner}}};
  const testing::Exchange expected{
      {{"traceparent", testing::kParentHeader}, {"tracestate", "a=1"}, {"baggage", "k=v;m=1"}},
      testing::Trace::inherited,
      "a=1"};
  ASSERT_EQ(post(expected.in, outer.dump()), 200);
  const auto received = harness_.take();
  EXPECT_EQ(testing::complaint(expected, received), "");
  ASSERT_EQ(received.size(), 1U);
  EXPECT_NE(
      std::find(received[0].begin(), received[0].end(), std::pair<std::string, std::string>("baggage", "k=v;m=1")),
      received[0].end());
  EXPECT_EQ(harness_.bodies(), std::vector<std::string>{R"([1,"two"])"});
}

TEST_F(OverHttp, BadInputIsAnsweredAndTheServiceGoesOn) {
  EXPECT_EQ(post({}, "not json"), 400);
  EXPECT_EQ(post({}, "{}"), 400);
  EXPECT_EQ(post({}, R"([{"arguments":[]}])"), 400);
  EXPECT_EQ(post({}, R"([1,"x",null])"), 400);
  EXPECT_EQ(post({}, R"([{"url":"http://127.0.0.1:1/","arguments":[]}])"), 502);
  EXPECT_EQ(post({}, "[]"), 200);
}

TEST_F(OverHttp, ATakenPortIsSaid) {
  Service second;
  EXPECT_EQ(second.start(port_), 0);
}

}  // namespace
}  // namespace honeylink::telemetry::interop
