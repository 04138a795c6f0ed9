// See file_stamp.h.
#include "engine/file_stamp.h"

#include <sys/stat.h>

namespace honeylink::telemetry::engine {

std::string stamp_of(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return "-";
  return std::to_string(info.st_ino) + "." + std::to_string(info.st_size) + "." + std::to_string(info.st_mtim.tv_sec) +
         "." + std::to_string(info.st_mtim.tv_nsec);
}

}  // namespace honeylink::telemetry::engine
