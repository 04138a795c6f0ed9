// See own_key.h.
#include "consent/own_key.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace honeylink::telemetry::consent {

bool own_key_is_private(const std::string& key_file, std::string& why) {
  struct stat info {};
  if (::stat(key_file.c_str(), &info) != 0) return why = "cannot read " + key_file + ": " + std::strerror(errno), false;
  if (!S_ISREG(info.st_mode)) return why = key_file + " is no file", false;
  if (info.st_uid != ::geteuid() && info.st_uid != 0) return why = key_file + " belongs to somebody else", false;
  // root may lend one to a group (0640), as /etc/ssl/private does.
  const mode_t others = info.st_uid == 0 ? S_IWGRP | S_IXGRP | S_IRWXO : S_IRWXG | S_IRWXO;
  if ((info.st_mode & others) != 0) return why = key_file + " is open to others: chmod 600 " + key_file, false;
  if (::access(key_file.c_str(), R_OK) != 0)
    return why = "cannot read " + key_file + ": " + std::strerror(errno), false;
  return true;
}

}  // namespace honeylink::telemetry::consent
