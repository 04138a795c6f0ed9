// The service under test as a program, for run.sh: `w3c_service [PORT]` says "listening on PORT" and serves until it is
// ended by a signal or its standard input is closed, so that it never outlives the script that started it.
#include <cstdlib>
#include <iostream>

#include "service.h"

int main(int argc, char** argv) {
  honeylink::telemetry::interop::Service service;
  const int port = service.start(argc > 1 ? std::atoi(argv[1]) : 0);
  if (port == 0) {
    std::cerr << "w3c_service: the port is taken\n";
    return 1;
  }
  std::cout << "listening on " << port << std::endl;
  while (std::cin.get() != std::char_traits<char>::eof()) {}
  return 0;
}
