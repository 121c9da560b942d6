#include "bennu/runtime/launcher/node_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "bennu/base/log.hpp"

namespace bennu {

namespace {

constexpr std::size_t most_said = 64 * 1024;
}  // namespace

Instant launcher_now() {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return {std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec};
}

NodeProcess::NodeProcess(pid_t pid, int control, int page, const HangLimits& hangs)
    : pid_(pid),
      control_(control),
      page_fd_(page),
      page_(map_node_page(page)),
      look_every_(hangs.look_every()),
      hangs_(hangs) {
    ::fcntl(control_, F_SETFL, O_NONBLOCK);
}

NodeProcess::~NodeProcess() {
    unmap_node_page(page_);
    if (control_ >= 0) ::close(control_);
    if (page_fd_ >= 0) ::close(page_fd_);
}

std::unique_ptr<NodeProcess> NodeProcess::start(int listener, const ChildRole& role,
                                                const HangLimits& hangs) {
    int page = out_of_the_way(make_node_page());
    std::array<int, 2> control{};
    if (page < 0 || ::pipe2(control.data(), O_CLOEXEC) != 0) return nullptr;
    const pid_t launcher = ::getpid();
    const pid_t pid = ::fork();
    if (pid == 0) {
        // Ctrl-C reaches the launcher alone, which then stops the node in order.
        ::setpgid(0, 0);
        sigset_t none;
        sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (::getppid() != launcher) ::_exit(1);
        // The image that runs, whatever stands under its name by now.
        execute_child("/proc/self/exe", role,
                      {{"http", listener}, {"control", control[1]}, {"page", page}});
    }
    ::close(control[1]);
    if (pid < 0) {
        ::close(control[0]);
        ::close(page);
        return nullptr;
    }
    return std::unique_ptr<NodeProcess>(
        new NodeProcess(pid, out_of_the_way(control[0]), page, hangs));
}

std::unique_ptr<NodeProcess> NodeProcess::adopt(pid_t pid, int control, int page,
                                                const HangLimits& hangs) {
    std::unique_ptr<NodeProcess> node(
        new NodeProcess(pid, out_of_the_way(control), out_of_the_way(page), hangs));
    node->ready_ = true;
    return node;
}

void NodeProcess::listen() {
    std::array<char, 4096> buffer{};
    ssize_t count = 0;
    while (control_ >= 0 && (count = ::read(control_, buffer.data(), buffer.size())) > 0) {
        std::string_view text(buffer.data(), static_cast<std::size_t>(count));
        if (!ready_ && text.starts_with('R')) {
            ready_ = true;
            text.remove_prefix(1);
        }
        said_.append(text.substr(0, most_said - std::min(said_.size(), most_said)));
    }
    if (control_ >= 0 && count == 0) {
        // It closed its end (it is about to end): nothing more to wait for.
        ::close(std::exchange(control_, -1));
    }
}

std::optional<int> NodeProcess::ended() {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
    listen();
    return status;
}

void NodeProcess::stop(Duration grace) {
    ::kill(pid_, SIGTERM);
    kill_at_ = std::min(kill_at_, launcher_now() + grace);
}

void NodeProcess::kill() {
    ::kill(pid_, SIGKILL);
}

void NodeProcess::kill_and_wait() {
    kill();
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {}
}

Instant NodeProcess::look_at() const {
    return std::min(kill_at_, page_ ? look_at_ : Instant::max());
}

void NodeProcess::look(Instant now) {
    if (now >= kill_at_) {
        log_warning("the node did not stop in time and is killed", {{"pid", pid_}});
        kill();
        kill_at_ = Instant::max();
    }
    if (page_ && now >= look_at_) watch_beats(now);
}

/// Stopped by a signal, or by a debugger.
bool NodeProcess::halted() const {
    std::ifstream file(fmt::format("/proc/{}/stat", pid_));
    std::string line;
    std::getline(file, line);
    const std::size_t name_end = line.rfind(')');  // names may hold anything
    if (name_end == std::string::npos || name_end + 2 >= line.size()) return false;
    const char state = line[name_end + 2];
    return state == 'T' || state == 't';
}

void NodeProcess::watch_beats(Instant now) {
    look_at_ = now + look_every_;
    std::vector<std::int64_t> beats;
    for (const NodePage::Shard& shard : page_->shards) {
        if (shard.thread.load() == 0) break;
        beats.push_back(shard.beat.load(std::memory_order_relaxed));
    }
    const HangWatch::Finding found = hangs_.look(now, beats, halted());
    using Kind = HangWatch::Finding::Kind;
    if (found.kind == Kind::fine) return;
    note_ = fmt::format("shard {} was in one turn for {} ms", found.shard,
                        found.held / std::chrono::milliseconds(1));
    log_warning("a shard hangs", {{"pid", pid_}, {"shard", found.shard}, {"held", found.held}});
    if (found.kind == Kind::hangs) {
        // Its own thread shall say where it is.
        ::syscall(SYS_tgkill, pid_, page_->shards[found.shard].thread.load(), SIGABRT);
    } else if (found.kind == Kind::immovable) {
        kill();
    }
}

std::string NodeProcess::in_flight() const {
    std::string text;
    for (std::size_t shard = 0; page_ && shard < page_->shards.size(); ++shard) {
        if (page_->shards[shard].thread.load() == 0) break;
        for (const NodePage::Slot& slot : page_->shards[shard].in_flight) {
            if (slot.key.load() == 0) continue;
            text.append(fmt::format("  shard {}: {}\n", shard, slot.text.get()));
        }
    }
    return text;
}

}  // namespace bennu
