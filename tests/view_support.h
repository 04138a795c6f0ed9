// The real server of `honeytel view` on a real home, and a client of raw sockets that may ask as no library would.
// Used by view_*_test.cc.
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "cli_support.h"

namespace honeylink::telemetry::test {

struct HttpAnswer {
  int status = 0;                                   // 0: no answer
  std::multimap<std::string, std::string> headers;  // names in lower case
  std::string body;
  [[nodiscard]] std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
  [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(body, nullptr, false); }
};

inline HttpAnswer parse_answer(const std::string& raw) {
  HttpAnswer answer;
  const std::size_t head = raw.find("\r\n\r\n");
  if (head == std::string::npos || !raw.starts_with("HTTP/1.1 ")) return answer;
  answer.status = std::stoi(raw.substr(9, 3));
  std::istringstream lines(raw.substr(0, head));
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const std::size_t colon = line.find(": ");
    std::string name = line.substr(0, colon);
    for (char& c : name) c = static_cast<char>(std::tolower(c));
    answer.headers.emplace(name, colon == std::string::npos ? "" : line.substr(colon + 2));
  }
  answer.body = raw.substr(head + 4);
  return answer;
}

/// A client's end of one connection.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port, const char* address = "127.0.0.1") {
    fd_ = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET, to.sin_port = htons(port);
    ::inet_pton(AF_INET, address, &to.sin_addr);
    connected_ = ::connect(fd_.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
  }
  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] int fd() const { return fd_.get(); }
  bool send(const std::string& bytes) {
    for (std::size_t done = 0; done < bytes.size();) {
      const ssize_t n = ::send(fd_.get(), bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
      if (n <= 0) return false;
      done += static_cast<std::size_t>(n);
    }
    return true;
  }
  /// Everything up to the end of the connection, or until `enough`, or `seconds`.
  std::string receive(double seconds, const std::function<bool(const std::string&)>& enough = {}) {
    std::string all;
    const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    char buffer[65536];
    while (!enough || !enough(all)) {
      const double left = std::chrono::duration<double>(until - std::chrono::steady_clock::now()).count();
      pollfd waiting{fd_.get(), POLLIN, 0};
      if (left <= 0 || ::poll(&waiting, 1, static_cast<int>(left * 1000) + 1) <= 0) break;
      const ssize_t n = ::recv(fd_.get(), buffer, sizeof buffer, 0);
      if (n <= 0) break;
      all.append(buffer, static_cast<std::size_t>(n));
    }
    return all;
  }

 private:
  Fd fd_;
  bool connected_ = false;
};

class ViewTest : public CliTest {
 protected:
  /// Starts the server; its port and token are known when it returns.
  void view(std::vector<std::string> more = {}) {
    const std::string said = home_ + "-said";
    std::vector<std::string> words{"view", "--no-open"};
    words.insert(words.end(), more.begin(), more.end());
    server_ = in_background(words, said);
    std::string address;
    ASSERT_TRUE(eventually([&] {
      std::ifstream file(said);
      return std::getline(file, address) && address.find("#token=") != std::string::npos && !file.eof();
    })) << "the server said: "
        << address;
    std::remove(said.c_str());
    port_ = static_cast<std::uint16_t>(std::stoi(address.substr(std::string("http://127.0.0.1:").size())));
    token_ = address.substr(address.find("#token=") + 7);
  }
  /// An engine stores what the rings hold, and ends.
  void store_all() {
    const pid_t agent = in_background({"agent"});
    EXPECT_TRUE(eventually([&] {
      const auto status = honeytel({"status", "--json"}).json();
      return status["engine"]["pid"] == agent && status["rings"].empty();
    }));
    EXPECT_EQ(end(agent, SIGTERM), 0);
  }
  static bool eventually(const std::function<bool()>& right, double seconds = 10) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    while (!right()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      ::poll(nullptr, 0, 10);
    }
    return true;
  }
  /// A program of tests/programs, in this home's environment; ends with the test.
  pid_t run_program(const std::string& name, const std::vector<std::string>& words,
                    const std::string& output = "/dev/null") {
    return program_in_background(std::string(HONEYLINK_PROGRAMS_DIR) + "/" + name, words, output);
  }
  [[nodiscard]] std::string host() const { return "127.0.0.1:" + std::to_string(port_); }

  HttpAnswer raw(const std::string& request) {
    RawClient client(port_);
    EXPECT_TRUE(client.connected());
    client.send(request);
    return parse_answer(client.receive(20));
  }
  /// With the headers of an honest program; `headers`: lines that end in \r\n.
  HttpAnswer get(const std::string& target, const std::string& headers = {}) {
    return raw("GET " + target + " HTTP/1.1\r\nHost: " + host() + "\r\nAuthorization: Bearer " + token_ +
               "\r\nConnection: close\r\n" + headers + "\r\n");
  }
  HttpAnswer post(const std::string& target, const std::string& body, const std::string& headers = {}) {
    return raw("POST " + target + " HTTP/1.1\r\nHost: " + host() + "\r\nAuthorization: Bearer " + token_ +
               "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\nConnection: close\r\n" + headers + "\r\n" + body);
  }
  HttpAnswer sql(const std::string& query) { return post("/api/sql", nlohmann::json{{"query", query}}.dump()); }

  pid_t server_ = -1;
  std::uint16_t port_ = 0;
  std::string token_;
};

}  // namespace honeylink::telemetry::test
