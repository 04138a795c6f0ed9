#include "alert/bus_address.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <filesystem>

#include "base/clock.h"
#include "base/file.h"

namespace honeylink::telemetry::alert {
namespace {

TEST(BusAddressLists, TheFirstSocketOfThisMachineIsTaken) {
  EXPECT_EQ(find_session_bus("unix:path=/run/user/1000/bus").address, "unix:path=/run/user/1000/bus");
  EXPECT_EQ(find_session_bus("unix:path=/a,guid=00;unix:path=/b").address, "unix:path=/a,guid=00");
  EXPECT_EQ(find_session_bus("tcp:host=example.org,port=1;unix:abstract=/tmp/x").address, "unix:abstract=/tmp/x");
}

TEST(BusAddressLists, WhatIsNoSocketFileIsRefused) {
  for (const char* address : {"tcp:host=127.0.0.1,port=1234", "nonce-tcp:host=h,port=1,noncefile=/f",
                              "unixexec:path=/bin/sh,argv1=-c", "autolaunch:", "launchd:env=X", "unix:runtime=yes",
                              "unix:path=", "unix:path=%zz", "unix:path=%00a", "unix:", "x"}) {
    EXPECT_EQ(find_session_bus(address).finding, BusFinding::refused) << address;
  }
  EXPECT_EQ(find_session_bus("unix:path=/" + std::string(200, 'x')).finding, BusFinding::refused)
      << "longer than a socket's name";
}

TEST(BusAddressLists, TheEnvironmentIsAskedThenTheUsersDirectory) {
  ::setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/given", 1);
  EXPECT_EQ(find_session_bus("").address, "unix:path=/given");
  ::unsetenv("DBUS_SESSION_BUS_ADDRESS");
  ::setenv("XDG_RUNTIME_DIR", "/nonexistent", 1);
  EXPECT_EQ(find_session_bus("").finding, BusFinding::absent);
  ::unsetenv("XDG_RUNTIME_DIR");
}

class Greeting : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/honeytel_bus_XXXXXX";
    directory_ = ::mkdtemp(name);
    path_ = directory_ + "/b us";
    listening_ = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.c_str(), path_.size() + 1);
    ASSERT_EQ(::bind(listening_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(listening_.get(), 0), 0);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  [[nodiscard]] BusAddress bus() const { return find_session_bus("unix:path=" + directory_ + "/b%20us"); }
  std::string directory_, path_;
  Fd listening_;
};

TEST_F(Greeting, OfWhoDoesNotAnswerEndsInTime) {
  const std::int64_t before = system_clock().monotonic_ns();
  EXPECT_EQ(greet_bus(bus(), 100).finding, BusFinding::hung);
  EXPECT_LT(system_clock().monotonic_ns() - before, 1'000'000'000);
  // Its queue is full by now or soon: that is no reason to wait either.
  for (int i = 0; i < 4; ++i) EXPECT_EQ(greet_bus(bus(), 50).finding, BusFinding::hung);
}

TEST_F(Greeting, OfNobodyIsAbsent) {
  listening_ = Fd();
  EXPECT_EQ(greet_bus(bus(), 100).finding, BusFinding::absent);
}

}  // namespace
}  // namespace honeylink::telemetry::alert
