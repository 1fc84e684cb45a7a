// A file system that refuses: loaded before the C library (LD_PRELOAD), it answers for paths below $REFUSE_BELOW.
//
// $REFUSE lists operations with their error numbers, "fsync=22 rename=1": fsync, rename, rename-over (of what is there
// already), rename-folder, link, symlink, rmdir, statfs; "statfs=0" is a mount that says that it has no blocks.

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <string>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

namespace {

bool is_below(const char* path) {
  const char* folder = getenv("REFUSE_BELOW");
  return folder != nullptr && *folder != 0 && strncmp(path, folder, strlen(folder)) == 0;
}

/** The error number that an operation is refused with; -1 where it is not. */
int refusal(const char* operation, const char* path) {
  const char* list = getenv("REFUSE");
  if (list == nullptr || !is_below(path)) return -1;
  const std::string all = std::string(" ") + list, wanted = std::string(" ") + operation + "=";
  const size_t at = all.find(wanted);
  return at == std::string::npos ? -1 : atoi(all.c_str() + at + wanted.size());
}

int refuse(int number) {
  errno = number;
  return -1;
}

template <typename F>
F real(const char* name) {
  return reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
}

int sync_file(const char* name, int file) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length > 0) {
    path[length] = 0;
    if (const int number = refusal("fsync", path); number > 0) return refuse(number);
  }
  return real<int (*)(int)>(name)(file);
}

template <typename S>
int status(const char* name, const char* path, S* answer) {
  const int number = refusal("statfs", path);
  if (number > 0) return refuse(number);
  const int result = real<int (*)(const char*, S*)>(name)(path, answer);
  if (number == 0) answer->f_blocks = answer->f_bfree = answer->f_bavail = 0;
  return result;
}

}  // namespace

extern "C" {

int fsync(int file) { return sync_file("fsync", file); }
int fdatasync(int file) { return sync_file("fdatasync", file); }

int rename(const char* from, const char* to) {
  struct stat info;
  int number = refusal("rename", to);
  if (number < 0 && access(to, F_OK) == 0) number = refusal("rename-over", to);
  if (number < 0 && stat(from, &info) == 0 && S_ISDIR(info.st_mode)) number = refusal("rename-folder", to);
  return number > 0 ? refuse(number) : real<int (*)(const char*, const char*)>("rename")(from, to);
}

int link(const char* from, const char* to) {
  const int number = refusal("link", to);
  return number > 0 ? refuse(number) : real<int (*)(const char*, const char*)>("link")(from, to);
}

int symlink(const char* from, const char* to) {
  const int number = refusal("symlink", to);
  return number > 0 ? refuse(number) : real<int (*)(const char*, const char*)>("symlink")(from, to);
}

int rmdir(const char* path) {
  const int number = refusal("rmdir", path);
  return number > 0 ? refuse(number) : real<int (*)(const char*)>("rmdir")(path);
}

int statfs(const char* path, struct statfs* answer) { return status("statfs", path, answer); }
int statfs64(const char* path, struct statfs64* answer) { return status("statfs64", path, answer); }

}  // extern "C"
