#include "bennu/runtime/launcher/launcher.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>

#include "bennu/base/log.hpp"
#include "bennu/runtime/launcher/crash_handler.hpp"
#include "bennu/runtime/launcher/crash_report.hpp"
#include "bennu/runtime/reactor/epoll_reactor.hpp"

namespace bennu {

using namespace std::chrono_literals;

namespace {

constexpr const char* node_variable = "BENNU_NODE";
// Where a node finds what its launcher gives it: the first as systemd numbers activated sockets.
constexpr int listener_fd = 3;
constexpr int control_fd = 4;
constexpr char ready_byte = 'R';

Instant monotonic_now() {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return {std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec};
}

/// A socket that systemd opened for this process.
int activated_listener() {
    const char* pid = std::getenv("LISTEN_PID");
    const char* count = std::getenv("LISTEN_FDS");
    if (!pid || !count || std::atoi(pid) != ::getpid() || std::atoi(count) < 1) return -1;
    return listener_fd;
}

std::vector<std::string> own_arguments() {
    std::ifstream file("/proc/self/cmdline", std::ios::binary);
    std::vector<std::string> arguments;
    for (std::string argument; std::getline(file, argument, '\0');) arguments.push_back(argument);
    return arguments;
}

/// The launcher's side of one run of the node.
class Launcher {
  public:
    Launcher(const LaunchOptions& options, int listener)
        : options_(options),
          listener_(listener),
          policy_(options.restarts, static_cast<std::uint64_t>(::getpid())) {
        sigset_t handled;
        sigemptyset(&handled);
        for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&handled, signal);
        // A shell may have started us with interrupts ignored; ignored signals never arrive here.
        for (int signal : {SIGINT, SIGTERM, SIGCHLD}) ::signal(signal, SIG_DFL);
        ::sigprocmask(SIG_BLOCK, &handled, &unblocked_);
        signals_ = ::signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK);
    }

    int run() {
        while (true) {
            if (!start_node()) return 1;
            int status = watch_node();
            if (stopping_) return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
            if (WIFEXITED(status) && (!ready_ || WEXITSTATUS(status) == 0))
                return WEXITSTATUS(status);
            report(status);
            RestartPolicy::Decision next = policy_.ended(started_, monotonic_now());
            if (next.give_up) {
                log_error("giving up: no node stays up");
                return 1;
            }
            if (next.delay > Duration::zero()) {
                log_warning("waiting before the next start", {{"delay", next.delay}});
                if (pause(next.delay)) return 0;
            }
        }
    }

  private:
    bool start_node() {
        std::array<int, 2> control{};
        if (::pipe2(control.data(), O_CLOEXEC) != 0) return false;
        said_.clear();
        ready_ = false;
        started_ = monotonic_now();
        std::vector<std::string> arguments = own_arguments();
        std::vector<char*> argv;
        for (std::string& argument : arguments) argv.push_back(argument.data());
        argv.push_back(nullptr);
        pid_t launcher = ::getpid();
        node_ = ::fork();
        if (node_ == 0) become_node(argv.data(), control[1], launcher);
        ::close(control[1]);
        control_ = control[0];
        ::fcntl(control_, F_SETFL, O_NONBLOCK);
        return node_ > 0;
    }

    [[noreturn]] void become_node(char** argv, int control, pid_t launcher) {
        // Ctrl-C reaches the launcher alone, which then stops the node in order.
        ::setpgid(0, 0);
        ::sigprocmask(SIG_SETMASK, &unblocked_, nullptr);
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (::getppid() != launcher) ::_exit(1);
        // Out of the way first: either may sit on the other's number.
        int listener = ::fcntl(listener_, F_DUPFD_CLOEXEC, 10);
        int report = ::fcntl(control, F_DUPFD_CLOEXEC, 10);
        ::dup2(listener, listener_fd);
        ::dup2(report, control_fd);
        ::setenv(node_variable, "1", 1);
        ::setenv("LISTEN_FDS", "1", 1);
        ::setenv("LISTEN_FDNAMES", "http", 1);
        ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
        ::execv("/proc/self/exe", argv);
        ::_exit(127);
    }

    /// Until the node has ended; yields its wait status.
    int watch_node() {
        Instant kill_at = Instant::max();
        while (true) {
            int timeout = -1;
            if (kill_at != Instant::max()) {
                timeout =
                    static_cast<int>(std::max<std::int64_t>(0, (kill_at - monotonic_now()) / 1ms)) +
                    1;
            }
            std::array<pollfd, 2> fds{pollfd{signals_, POLLIN, 0}, pollfd{control_, POLLIN, 0}};
            ::poll(fds.data(), fds.size(), timeout);
            if (fds[1].revents) read_control();
            signalfd_siginfo info{};
            while (::read(signals_, &info, sizeof(info)) == sizeof(info)) {
                if (info.ssi_signo == SIGCHLD) continue;
                ::kill(node_, stopping_ ? SIGKILL : SIGTERM);
                if (!stopping_) kill_at = monotonic_now() + options_.stop_grace;
                stopping_ = true;
            }
            if (monotonic_now() >= kill_at) {
                ::kill(node_, SIGKILL);
                kill_at = Instant::max();
            }
            int status = 0;
            if (::waitpid(node_, &status, WNOHANG) == node_) {
                read_control();
                ::close(control_);
                return status;
            }
        }
    }

    void read_control() {
        std::array<char, 4096> buffer{};
        ssize_t count;
        while ((count = ::read(control_, buffer.data(), buffer.size())) > 0) {
            std::string_view text(buffer.data(), static_cast<std::size_t>(count));
            if (!ready_ && text.starts_with(ready_byte)) {
                ready_ = true;
                text.remove_prefix(1);
            }
            said_.append(
                text.substr(0, 64 * 1024 - std::min<std::size_t>(said_.size(), 64 * 1024)));
        }
        if (count == 0) {
            // The node closed its end (it is about to end): nothing more to poll for.
            ::close(control_);
            control_ = -1;
        }
    }

    void report(int status) {
        CrashReport report;
        report.at = system_now();
        report.uptime = monotonic_now() - started_;
        report.how = WIFSIGNALED(status)
                         ? fmt::format("was killed by signal {} ({})", WTERMSIG(status),
                                       ::sigabbrev_np(WTERMSIG(status)))
                         : fmt::format("exited with status {}", WEXITSTATUS(status));
        report.said = said_;
        std::string path =
            options_.crash_folder.empty() ? "" : keep_crash_report(options_.crash_folder, report);
        log_error("the node ended unexpectedly; starting it again",
                  {{"how", report.how}, {"report", path}});
    }

    /// True when a signal to stop came meanwhile.
    bool pause(Duration delay) {
        Instant until = monotonic_now() + delay;
        while (monotonic_now() < until) {
            pollfd fd{signals_, POLLIN, 0};
            ::poll(&fd, 1, static_cast<int>((until - monotonic_now()) / 1ms) + 1);
            signalfd_siginfo info{};
            while (::read(signals_, &info, sizeof(info)) == sizeof(info)) {
                if (info.ssi_signo != SIGCHLD) return true;
            }
        }
        return false;
    }

    const LaunchOptions& options_;
    int listener_;
    RestartPolicy policy_;
    sigset_t unblocked_{};
    int signals_ = -1;
    int control_ = -1;
    pid_t node_ = -1;
    Instant started_;
    std::string said_;
    bool ready_ = false;
    bool stopping_ = false;
};

}  // namespace

Result<int> open_listener(const SocketAddress& address) {
    auto reactor = make_epoll_reactor();
    auto listener = reactor->listen(address, {});
    if (listener) return *listener;
    if (listener.error().code() == "address_in_use") {
        return Error(
            ErrorKind::conflict, "address_in_use",
            fmt::format("{} is in use by another program; choose another port, for example PORT={}",
                        address.to_string(), address.port + 1));
    }
    return std::move(listener).error();
}

int launch(const LaunchOptions& options, Function<int(NodeEnvironment)> node) {
    if (std::getenv(node_variable)) {
        ::unsetenv(node_variable);
        ::prctl(PR_SET_NAME, (options.name + "-node").substr(0, 15).c_str());
        for (int fd : {listener_fd, control_fd}) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
        install_crash_handler(control_fd);
        return node({.listener = listener_fd});
    }
    int listener = activated_listener();
    if (listener < 0) {
        auto opened = open_listener(options.address);
        if (!opened) {
            fmt::print(stderr, "{}: {}\n", options.name, opened.error().message());
            return 1;
        }
        listener = *opened;
    }
    return Launcher(options, listener).run();
}

void notify_ready() {
    // A pipe of the launcher's stands at this number, or nothing.
    if (std::getenv("LISTEN_FDNAMES") == nullptr) return;
    [[maybe_unused]] ssize_t written = ::write(control_fd, &ready_byte, 1);
}

}  // namespace bennu
