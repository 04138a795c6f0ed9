#include "view/http_head.h"

#include <gtest/gtest.h>

namespace honeylink::telemetry::view {
namespace {

int status_of(const std::string& text) {
  HttpHead head;
  const auto error = parse_head(text, head);
  return error ? error->status : 200;
}

TEST(HttpHead, WhatABrowserSendsIsRead) {
  const std::string text =
      "POST /api/sql?a=1 HTTP/1.1\r\nhOST: 127.0.0.1:80\r\nContent-Length:  17 \r\nExpect: "
      "100-Continue\r\nX-Empty:\r\n\r\n";
  HttpHead head;
  ASSERT_EQ(end_of_head(text + "body"), text.size());
  ASSERT_FALSE(parse_head(text, head));
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/api/sql?a=1");
  EXPECT_EQ(head.field("Host"), "127.0.0.1:80");
  EXPECT_EQ(head.field("x-empty"), "");
  EXPECT_EQ(head.body_bytes, 17U);
  EXPECT_TRUE(head.keep_alive && head.expects_continue);
}

TEST(HttpHead, GoesOnUntilItsEmptyLine) {
  EXPECT_EQ(end_of_head("GET / HTTP/1.1\r\nHost: x\r\n"), std::string::npos);
  EXPECT_EQ(end_of_head("GET / HTTP/1.1\n\n"), std::string::npos) << "lines end in CR LF";
}

TEST(HttpHead, ConnectionsEndAsAskedAndWithHttp10) {
  HttpHead head;
  ASSERT_FALSE(parse_head("GET / HTTP/1.1\r\nConnection: Close\r\n\r\n", head));
  EXPECT_FALSE(head.keep_alive);
  ASSERT_FALSE(parse_head("GET / HTTP/1.0\r\n\r\n", head));
  EXPECT_FALSE(head.keep_alive);
}

TEST(HttpHead, WhatIsNoRequestIsRefused) {
  for (const char* text :
       {"\r\n\r\n", "GET\r\n\r\n", "GET /\r\n\r\n", "GET  HTTP/1.1\r\n\r\n", "G ET / HTTP/1.1\r\n\r\n",
        "GET /a b HTTP/1.1\r\n\r\n", "GET /\x01 HTTP/1.1\r\n\r\n", "GET /\xc3\xa9 HTTP/1.1\r\n\r\n",
        "GE\tT / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nNo colon\r\n\r\n", "GET / HTTP/1.1\r\n: x\r\n\r\n",
        "GET / HTTP/1.1\r\nName : x\r\n\r\n", "GET / HTTP/1.1\r\n folded: x\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\nHost: evil\r\n\r\n", "GET / HTTP/1.1\r\nA: \x7f\r\n\r\n"})
    EXPECT_EQ(status_of(text), 400) << text;
  EXPECT_EQ(status_of("GET / HTTP/2.0\r\n\r\n"), 505);
  EXPECT_EQ(status_of(std::string("GET / HTTP/1.1\r\nA: \0\r\n\r\n", 24)), 400);
}

TEST(HttpHead, ABodySaysItsLengthOnce) {
  const auto with = [](const std::string& fields) { return status_of("POST / HTTP/1.1\r\n" + fields + "\r\n"); };
  EXPECT_EQ(with("Content-Length: 65536\r\n"), 200);
  EXPECT_EQ(with("Content-Length: 65537\r\n"), 413);
  EXPECT_EQ(with("Content-Length: 99999999999999999999999\r\n"), 413);
  for (const char* length : {"", "-1", "+1", "0x10", "1 1", "1,1", "1.0"})
    EXPECT_EQ(with("Content-Length: " + std::string(length) + "\r\n"), 400) << length;
  EXPECT_EQ(with("Content-Length: 5\r\nContent-Length: 5\r\n"), 400);
  EXPECT_EQ(with("Transfer-Encoding: chunked\r\n"), 411);
  EXPECT_EQ(with("Content-Length: 5\r\ntransfer-encoding: identity\r\n"), 411);
}

TEST(HttpHead, BoundsHold) {
  EXPECT_EQ(status_of("GET /" + std::string(kTargetBytesMax, 'a') + " HTTP/1.1\r\n\r\n"), 414);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nA: " + std::string(kHeadBytesMax, 'a') + "\r\n\r\n"), 431);
  std::string many = "GET / HTTP/1.1\r\n";
  for (std::size_t i = 0; i <= kFieldsMax; ++i) many += "A: b\r\n";
  EXPECT_EQ(status_of(many + "\r\n"), 431);
}

TEST(Target, IsDecodedSegmentBySegment) {
  Request request;
  request.target = "/api/slis/a%2Fb%20c?name=x+y%26z&empty=&flag&since=1h";
  ASSERT_TRUE(split_target(request));
  EXPECT_EQ(request.segments, (std::vector<std::string>{"api", "slis", "a/b c"}));
  EXPECT_EQ(request.text("name"), "x y&z");
  EXPECT_EQ(request.text("empty", "otherwise"), "otherwise");
  EXPECT_FALSE(request.has("flag"));
  EXPECT_EQ(request.text("since"), "1h");
}

TEST(Target, WhatIsBrokenIsRefused) {
  for (const char* target : {"", "api", "*", "http://127.0.0.1/", "/%", "/%1", "/%zz", "/%00", "/%ff", "/%c0%af",
                             "/?a=%ff", "/?%00=1", "/1/2/3/4/5/6/7/8/9"}) {
    Request request;
    request.target = target;
    EXPECT_FALSE(split_target(request)) << target;
  }
}

TEST(AnswerHead, SaysLengthAndEncoding) {
  Response response = json_response("{}");
  const std::string head = answer_head(response, 2, true);
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_NE(head.find("\r\nContent-Length: 2\r\n"), std::string::npos);
  EXPECT_EQ(head.find("Content-Encoding"), std::string::npos);
  EXPECT_EQ(answer_head(response, std::nullopt, false).find("Content-Length"), std::string::npos);
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
}

}  // namespace
}  // namespace honeylink::telemetry::view
