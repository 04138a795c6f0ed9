// Who may ask, tried from outside: foreign names (F27), foreign origins (F28), tokens, paths (F30), sizes, slowness,
// and where the server listens (I-5).
#include <thread>

#include "view_support.h"

namespace honeylink::telemetry::test {
namespace {

class ViewGuard : public ViewTest {
 protected:
  void SetUp() override {
    ViewTest::SetUp();
    ASSERT_EQ(honeytel({"record", "counter", "seen", "1"}).exit, 0);
    view();
  }
  HttpAnswer status_of_host(const std::string& host_line) {
    return raw("GET /api/status HTTP/1.1\r\n" + host_line + "Authorization: Bearer " + token_ +
               "\r\nConnection: close\r\n\r\n");
  }
  HttpAnswer with_cookie(const std::string& cookie) {
    return raw("GET /api/status HTTP/1.1\r\nHost: " + host() + "\r\nCookie: " + cookie +
               "\r\nConnection: close\r\n\r\n");
  }
};

TEST_F(ViewGuard, ANameThatWasReboundToThisDeviceIsRefused) {
  const std::string port = ":" + std::to_string(port_);
  for (const char* name : {"localhost", "127.0.0.1", "[::1]", "LocalHost"})
    EXPECT_EQ(status_of_host("Host: " + std::string(name) + port + "\r\n").status, 200) << name;
  const std::vector<std::string> foreign{"evil.example",
                                         "evil.example" + port,
                                         "127.0.0.1.evil.com" + port,
                                         "localhost.evil.com" + port,
                                         "127.0.0.1",
                                         "127.0.0.1:1",
                                         "127.0.0.1" + port + ".evil.com",
                                         "127.0.0.2" + port,
                                         "0.0.0.0" + port,
                                         "127.1" + port,
                                         "2130706433" + port,
                                         "[::ffff:127.0.0.1]" + port,
                                         "localhost." + port,
                                         "",
                                         "localhost" + port + "0",
                                         "evil.example@127.0.0.1" + port,
                                         "127.0.0.1" + port + " evil.example",
                                         "xn--lcalhost-n4a" + port};
  for (const std::string& name : foreign) {
    const HttpAnswer answer = status_of_host("Host: " + name + "\r\n");
    EXPECT_EQ(answer.status, 403) << name;
    EXPECT_EQ(answer.body.find("ledger"), std::string::npos) << name;
    EXPECT_EQ(raw("GET / HTTP/1.1\r\nHost: " + name + "\r\nConnection: close\r\n\r\n").status, 403)
        << "the page, too: " << name;
  }
  EXPECT_EQ(status_of_host("").status, 403) << "no Host at all";
  EXPECT_EQ(status_of_host("Host: " + host() + "\r\nHost: evil.example\r\n").status, 403) << "two of them";
}

TEST_F(ViewGuard, AnotherSitesPageIsRefusedAndNeverAllowedToRead) {
  for (const std::string& origin : std::vector<std::string>{
           "https://evil", "null", "http://127.0.0.1:1", "https://127.0.0.1:" + std::to_string(port_),
           "http://" + host() + ".evil.com", "http://evil.example:" + std::to_string(port_), "file://"}) {
    const HttpAnswer read = get("/api/status", "Origin: " + origin + "\r\n");
    EXPECT_EQ(read.status, 403) << origin;
    EXPECT_EQ(read.headers.count("access-control-allow-origin"), 0U) << origin;
    EXPECT_EQ(post("/api/sql", R"({"query":"SELECT 1"})", "Origin: " + origin + "\r\n").status, 403) << origin;
  }
  EXPECT_EQ(get("/api/status", "Origin: http://" + host() + "\r\n").status, 200);
  for (const char* site : {"cross-site", "same-site"})
    EXPECT_EQ(get("/api/status", "Sec-Fetch-Site: " + std::string(site) + "\r\n").status, 403) << site;
  EXPECT_EQ(get("/api/status", "Sec-Fetch-Site: same-origin\r\n").status, 200);
  const HttpAnswer preflight =
      raw("OPTIONS /api/sql HTTP/1.1\r\nHost: " + host() +
          "\r\nOrigin: https://evil\r\nAccess-Control-Request-Method: POST\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(preflight.status, 403);
  for (const auto& [name, value] : preflight.headers) EXPECT_FALSE(name.starts_with("access-control")) << name;
}

TEST_F(ViewGuard, PostsAreJsonOrRefused) {
  store_all();
  const auto typed = [&](const std::string& type) {
    return raw("POST /api/sql HTTP/1.1\r\nHost: " + host() + "\r\nAuthorization: Bearer " + token_ + "\r\n" + type +
               "Content-Length: 21\r\nConnection: close\r\n\r\n{\"query\":\"SELECT 1\"} ");
  };
  EXPECT_EQ(typed("Content-Type: application/json\r\n").status, 200);
  EXPECT_EQ(typed("Content-Type: application/json; charset=utf-8\r\n").status, 200);
  for (const char* type : {"", "Content-Type: text/plain\r\n", "Content-Type: application/x-www-form-urlencoded\r\n",
                           "Content-Type: multipart/form-data; boundary=x\r\n", "Content-Type: application/jsonp\r\n"})
    EXPECT_EQ(typed(type).status, 415) << type;
  for (const char* method : {"PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"})
    EXPECT_NE(raw(std::string(method) + " /api/status HTTP/1.1\r\nHost: " + host() + "\r\nAuthorization: Bearer " +
                  token_ + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                      .status /
                  100,
              2)
        << method;
}

TEST_F(ViewGuard, WithoutTheTokenNothingIsTold) {
  const auto bearer = [&](const std::string& token) {
    return raw("GET /api/status HTTP/1.1\r\nHost: " + host() + "\r\nAuthorization: Bearer " + token +
               "\r\nConnection: close\r\n\r\n");
  };
  std::string off = token_;
  off.back() = off.back() == 'a' ? 'b' : 'a';
  for (const std::string& wrong : {std::string(), off, token_ + "0", token_.substr(1), std::string(64, '0')}) {
    EXPECT_EQ(bearer(wrong).status, 403) << wrong;
    EXPECT_EQ(post("/api/session", nlohmann::json{{"token", wrong}}.dump()).status, 403) << wrong;
  }
  const HttpAnswer none = raw("GET /api/status HTTP/1.1\r\nHost: " + host() + "\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(none.status, 403);
  EXPECT_EQ(none.json()["schema"], 1);
  EXPECT_FALSE(none.json()["to_do"].get<std::string>().empty());
  EXPECT_EQ(post("/api/session", "no json").status, 400);
  for (const char* path : {"/api", "/api/", "/api/nothing", "/api/status/more"})
    EXPECT_EQ(raw("GET " + std::string(path) + " HTTP/1.1\r\nHost: " + host() + "\r\nConnection: close\r\n\r\n").status,
              403)
        << "what there is is not told either: " << path;
  EXPECT_EQ(bearer(token_).status, 200);
}

TEST_F(ViewGuard, ATokenOpensOneSession) {
  const std::string body = nlohmann::json{{"token", token_}}.dump();
  const HttpAnswer opened = raw("POST /api/session HTTP/1.1\r\nHost: " + host() +
                                "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
                                "\r\nConnection: close\r\n\r\n" + body);
  ASSERT_EQ(opened.status, 200) << opened.body;
  const std::string set = opened.header("set-cookie");
  EXPECT_NE(set.find("HttpOnly"), std::string::npos);
  EXPECT_NE(set.find("SameSite=Strict"), std::string::npos);
  const std::string cookie = set.substr(0, set.find(';'));
  EXPECT_EQ(cookie.find(token_), std::string::npos) << "the session is another secret";
  EXPECT_EQ(with_cookie(cookie).status, 200);
  EXPECT_EQ(with_cookie("other=1; " + cookie + "; more=2").status, 200);
  EXPECT_EQ(with_cookie(cookie + "0").status, 403);
  EXPECT_EQ(with_cookie("x" + cookie).status, 403);
  EXPECT_EQ(post("/api/session", body).status, 403) << "a second time";
  EXPECT_EQ(get("/api/status").status, 403) << "nor as a bearer";
}

TEST_F(ViewGuard, ATokenThatAProgramUsesOpensNoSessionBesides) {
  EXPECT_EQ(get("/api/status").status, 200);
  EXPECT_EQ(get("/api/status").status, 200);
  EXPECT_EQ(post("/api/session", nlohmann::json{{"token", token_}}.dump()).status, 403);
}

TEST_F(ViewGuard, EveryAnswerForbidsWhatAPageMustNotDo) {
  for (const HttpAnswer& answer :
       {get("/"), get("/app.js"), get("/api/status"), get("/nothing"), get("/api/traces?since=x"),
        raw("GET / HTTP/1.1\r\nHost: evil\r\nConnection: close\r\n\r\n"), raw("nonsense\r\n\r\n")}) {
    const std::string policy = answer.header("content-security-policy");
    EXPECT_NE(policy.find("default-src 'none'"), std::string::npos) << answer.status;
    EXPECT_EQ(policy.find("unsafe"), std::string::npos);
    EXPECT_EQ(answer.header("x-content-type-options"), "nosniff");
    EXPECT_EQ(answer.header("referrer-policy"), "no-referrer");
    EXPECT_EQ(answer.header("cache-control"), "no-store");
    EXPECT_EQ(answer.headers.count("access-control-allow-origin"), 0U);
  }
}

TEST_F(ViewGuard, NoSpellingOfAPathLeadsToAFile) {
  std::ofstream(home_ + "/secret.txt") << "this is secret";
  const std::vector<std::string> ups{
      "../",         "..%2f",           "%2e%2e/",  "%2e%2e%2f",     "..%5c",          "..\\", "%2e%2e%5c",
      "..%255c",     "%252e%252e%252f", "..%c0%af", "%c0%ae%c0%ae/", "..%ef%bc%8f",    "..;/", ".../",
      "....//",      "..%00/",          "./../",    "%2e/%2e%2e/",   "..%2f%2e%2e%2f", "/..",  "..%u2215",
      "..%25%32%66", "%uff0e%uff0e/",   "..%0d/",   "..%09/",        "..%20/",         "..?/", "..#/"};
  std::vector<std::string> paths;
  for (const std::string& up : ups) {
    std::string climb = "/";
    for (int i = 0; i < 8; ++i) climb += up;
    paths.push_back(climb + "etc/passwd");
  }
  for (const char* path :
       {"/etc/passwd", "//etc/passwd", "/./app.js/../../etc/passwd", "/app.js/../secret.txt", "/app.js%00.txt",
        "/app.js/", "/APP.JS", "/%61pp.js", "/index.html", "/app.js.gz", "/file:///etc/passwd", "/~root/", "/.", "/..",
        "/metrics/metrics.db", "/secret.txt", "/run/engine.lock"})
    paths.emplace_back(path);
  ASSERT_GE(paths.size(), 40U);
  paths.push_back("/" + home_ + "/secret.txt");
  for (const std::string& path : paths) {
    const HttpAnswer answer = get(path);
    EXPECT_TRUE(answer.status == 404 || answer.status == 400) << path << " " << answer.status;
    EXPECT_EQ(answer.body.find("root:"), std::string::npos) << path;
    EXPECT_EQ(answer.body.find("this is secret"), std::string::npos) << path;
  }
  EXPECT_EQ(get("/app.js").status, 200);
  EXPECT_EQ(raw("GET http://127.0.0.1/etc/passwd HTTP/1.1\r\nHost: " + host() + "\r\nConnection: close\r\n\r\n").status,
            400);
  for (const char* of_api :
       {"/api/traces/..%2f..%2fetc%2fpasswd", "/api/metrics/..%2f..%2fetc%2fpasswd", "/api/logs/..%2fsecret.txt"})
    EXPECT_GE(get(of_api).status, 400) << of_api;
}

TEST_F(ViewGuard, WhatIsTooLargeIsRefusedAndTheServerGoesOn) {
  EXPECT_EQ(post("/api/sql", R"({"query":")" + std::string(70'000, 'x') + "\"}").status, 413);
  EXPECT_GE(get("/" + std::string(9'000, 'a')).status, 400);
  EXPECT_EQ(get("/api/status", "X: " + std::string(40'000, 'a') + "\r\n").status, 431);
  RawClient endless(port_);
  const std::string line = "X-Line: " + std::string(1'000, 'a') + "\r\n";
  endless.send("GET / HTTP/1.1\r\n");
  EXPECT_TRUE(eventually([&] { return !endless.send(line); })) << "headers without an end are not read for ever";
  const std::string chunked =
      "POST /api/sql HTTP/1.1\r\nHost: " + host() + "\r\nAuthorization: Bearer " + token_ +
      "\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
  EXPECT_EQ(raw(chunked + "5\r\n{\"a\":\r\n0\r\n\r\n").status, 411) << "a body of unknown length";
  EXPECT_EQ(
      raw("POST /api/sql HTTP/1.1\r\nHost: " + host() + "\r\nAuthorization: Bearer " + token_ +
          "\r\nContent-Type: application/json\r\nContent-Length: 99999999999999999999\r\nConnection: close\r\n\r\n")
          .status,
      413);
  EXPECT_EQ(get("/api/status").status, 200);
}

TEST_F(ViewGuard, AByteEverySecondDoesNotHoldAThreadAndNobodyWaitsForTheSlow) {
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 40; ++i) slow.push_back(std::make_unique<RawClient>(port_));  // more than there are threads
  const auto began = std::chrono::steady_clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(); };
  bool all_closed = false;
  double answered = -1;
  std::thread honest([&] { answered = get("/api/status").status == 200 ? seconds() : -1; });
  while (!all_closed && seconds() < 25) {
    all_closed = true;
    for (auto& client : slow) {
      if (client == nullptr) continue;
      pollfd gone{client->fd(), POLLIN | POLLRDHUP, 0};
      if (::poll(&gone, 1, 0) > 0 || !client->send("G")) client.reset();
      else all_closed = false;
    }
    ::poll(nullptr, 0, 500);
  }
  honest.join();
  EXPECT_TRUE(all_closed) << "each had 5 s for its request";
  EXPECT_GE(answered, 0);
  EXPECT_LT(answered, 16) << "three rounds of the slow ones at the most stand before it";
}

TEST_F(ViewGuard, ListensOnTheLoopbackAddressOnlyAndAPortIsHeldByOne) {
  std::ifstream table("/proc/net/tcp");
  std::string all((std::istreambuf_iterator<char>(table)), {});
  char digits[16];
  std::snprintf(digits, sizeof digits, ":%04X ", port_);
  EXPECT_NE(all.find(std::string("0100007F") + digits + "00000000:0000 0A"), std::string::npos);
  EXPECT_EQ(all.find(std::string("00000000") + digits), std::string::npos);
  const Said second = honeytel({"view", "--no-open", "--port", std::to_string(port_)});
  EXPECT_EQ(second.exit, 3);
  EXPECT_NE(second.err.find("pid " + std::to_string(server_)), std::string::npos) << second.err;
  EXPECT_EQ(end(server_, SIGINT), 0);
  view({"--port", std::to_string(port_)});
  EXPECT_EQ(get("/api/status").status, 200) << "the port is free again at once";
}

}  // namespace
}  // namespace honeylink::telemetry::test
