// A small addon of its own: `segfuse_quiet.node`. It holds back what is written to standard error while
// TensorFlow's libraries are being loaded.
//
// TensorFlow 2.18 and later print a banner from a static initialiser, whatever TF_CPP_MIN_LOG_LEVEL says, and
// Node has no dup2(). What was held back is thrown away, unless TensorFlow aborts (for instance on a processor
// without AVX): then it is printed, because it says why.

#include <fcntl.h>
#include <node_api.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

namespace {

int real_stderr = -1;
int held_back = -1;
struct sigaction previous_abort;

// Only calls that are safe in a signal handler.
void OnAbort(int signal) {
  char text[4096];
  lseek(held_back, 0, SEEK_SET);
  for (ssize_t n; (n = read(held_back, text, sizeof text)) > 0;) {
    if (write(real_stderr, text, n) < 0) break;
  }
  sigaction(SIGABRT, &previous_abort, nullptr);
  raise(signal);
}

napi_value Mute(napi_env, napi_callback_info) {
  if (real_stderr >= 0) return nullptr;
  held_back = memfd_create("segfuse", MFD_CLOEXEC);
  real_stderr = held_back < 0 ? -1 : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  if (real_stderr < 0) return nullptr;  // better loud than broken
  struct sigaction action = {};
  action.sa_handler = OnAbort;
  sigaction(SIGABRT, &action, &previous_abort);
  dup2(held_back, STDERR_FILENO);
  return nullptr;
}

napi_value Unmute(napi_env, napi_callback_info) {
  if (real_stderr < 0) return nullptr;
  dup2(real_stderr, STDERR_FILENO);
  sigaction(SIGABRT, &previous_abort, nullptr);
  close(real_stderr);
  close(held_back);
  real_stderr = held_back = -1;
  return nullptr;
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_property_descriptor functions[] = {
      {"mute", nullptr, Mute, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"unmute", nullptr, Unmute, nullptr, nullptr, nullptr, napi_default, nullptr},
  };
  napi_define_properties(env, exports, 2, functions);
  return exports;
}
