// A directory of one command's own, beside a target or among the temporary files, for as long as the command lives.
// Used by archive_write.cc and archive_open.cc. Main thread.
//
// Must stay true: what a killed command left behind goes with the next one that makes its directory in the same place;
// a living command's is never touched.
#pragma once
#include <string>
#include <string_view>

#include "base/file.h"

namespace honeylink::telemetry::cli {

class PrivateDirectory {
 public:
  PrivateDirectory() = default;
  ~PrivateDirectory();
  PrivateDirectory(const PrivateDirectory&) = delete;
  PrivateDirectory& operator=(const PrivateDirectory&) = delete;
  /// `<parent>/<prefix>XXXXXX`, mode 0700. False: `why` tells.
  [[nodiscard]] bool make(const std::string& parent, std::string_view prefix, std::string& why);
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
  Fd lock_;
};

}  // namespace honeylink::telemetry::cli
