// SQLite's default VFS with an injected fault: the n-th write, sync or truncation fails, once or from then on, a write
// after half of its bytes. For the tests of the stores; one thread. Not part of a program.
#pragma once
#include <sqlite3.h>

#include <cstring>

namespace honeylink::telemetry::store {

class FaultyVfs {
 public:
  FaultyVfs() {
    base_ = sqlite3_vfs_find(nullptr);
    vfs_ = *base_;
    vfs_.zName = "faulty";
    vfs_.szOsFile = sizeof(File);
    vfs_.xOpen = open;
    vfs_.pNext = nullptr;
    sqlite3_vfs_register(&vfs_, 1);
  }
  ~FaultyVfs() {
    sqlite3_vfs_register(base_, 1);
    sqlite3_vfs_unregister(&vfs_);
  }
  FaultyVfs(const FaultyVfs&) = delete;
  FaultyVfs& operator=(const FaultyVfs&) = delete;

  /// The n-th operation from now fails with this code (SQLITE_FULL, SQLITE_IOERR_WRITE, …); `sticky`: all after it,
  /// too.
  static void arm(long n, int code, bool sticky) { seen_ = 0, at_ = n, code_ = code, sticky_ = sticky; }
  static void disarm() { at_ = 0; }
  [[nodiscard]] static long seen() { return seen_; }

 private:
  struct File {
    sqlite3_file base;
    sqlite3_file* real;
  };
  static sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<File*>(file)->real; }
  static bool fails() {
    ++seen_;
    return at_ != 0 && (sticky_ ? seen_ >= at_ : seen_ == at_);
  }
  static int close(sqlite3_file* f) {
    const int result = real(f)->pMethods->xClose(real(f));
    sqlite3_free(real(f));
    return result;
  }
  static int read(sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
    return real(f)->pMethods->xRead(real(f), to, n, at);
  }
  static int write(sqlite3_file* f, const void* from, int n, sqlite3_int64 at) {
    if (!fails()) return real(f)->pMethods->xWrite(real(f), from, n, at);
    if (code_ == SQLITE_IOERR_WRITE && n > 64) real(f)->pMethods->xWrite(real(f), from, n / 2, at);
    return code_;
  }
  static int truncate(sqlite3_file* f, sqlite3_int64 size) {
    return fails() ? SQLITE_IOERR_TRUNCATE : real(f)->pMethods->xTruncate(real(f), size);
  }
  static int sync(sqlite3_file* f, int flags) {
    return fails() ? SQLITE_IOERR_FSYNC : real(f)->pMethods->xSync(real(f), flags);
  }
  static int size(sqlite3_file* f, sqlite3_int64* to) { return real(f)->pMethods->xFileSize(real(f), to); }
  static int lock(sqlite3_file* f, int level) { return real(f)->pMethods->xLock(real(f), level); }
  static int unlock(sqlite3_file* f, int level) { return real(f)->pMethods->xUnlock(real(f), level); }
  static int reserved(sqlite3_file* f, int* to) { return real(f)->pMethods->xCheckReservedLock(real(f), to); }
  static int control(sqlite3_file* f, int what, void* with) {
    return real(f)->pMethods->xFileControl(real(f), what, with);
  }
  static int sector(sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); }
  static int device(sqlite3_file* f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); }
  static int shm_map(sqlite3_file* f, int a, int b, int c, void volatile** d) {
    return real(f)->pMethods->xShmMap(real(f), a, b, c, d);
  }
  static int shm_lock(sqlite3_file* f, int a, int b, int c) { return real(f)->pMethods->xShmLock(real(f), a, b, c); }
  static void shm_barrier(sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); }
  static int shm_unmap(sqlite3_file* f, int gone) { return real(f)->pMethods->xShmUnmap(real(f), gone); }
  static int open(sqlite3_vfs*, const char* name, sqlite3_file* f, int flags, int* out) {
    static const sqlite3_io_methods kMethods = {2,        close,       read,      write,   truncate, sync,   size,
                                                lock,     unlock,      reserved,  control, sector,   device, shm_map,
                                                shm_lock, shm_barrier, shm_unmap, nullptr, nullptr};
    auto* file = reinterpret_cast<File*>(f);
    file->base.pMethods = nullptr;
    file->real = static_cast<sqlite3_file*>(sqlite3_malloc(base_->szOsFile));
    if (file->real == nullptr) return SQLITE_NOMEM;
    std::memset(file->real, 0, static_cast<std::size_t>(base_->szOsFile));
    const int result = base_->xOpen(base_, name, file->real, flags, out);
    if (result == SQLITE_OK) file->base.pMethods = &kMethods;
    else sqlite3_free(file->real);
    return result;
  }

  static inline sqlite3_vfs* base_ = nullptr;
  static inline sqlite3_vfs vfs_{};
  static inline long seen_ = 0, at_ = 0;
  static inline int code_ = SQLITE_OK;
  static inline bool sticky_ = false;
};

}  // namespace honeylink::telemetry::store
