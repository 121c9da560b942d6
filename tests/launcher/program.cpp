#include "tests/launcher/program.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <random>
#include <sstream>

namespace launcher_test {

namespace {

sockaddr_in local(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/// Until this program ends no other suite takes the port: the name can be held by one process.
bool claim(std::uint16_t port) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = "bennu-test-port-" + std::to_string(port);
    name.copy(address.sun_path + 1, name.size());
    const std::size_t length = offsetof(sockaddr_un, sun_path) + 1 + name.size();
    if (::bind(fd, reinterpret_cast<sockaddr*>(&address), static_cast<socklen_t>(length)) == 0)
        return true;
    ::close(fd);
    return false;
}

bool is_free(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = local(port);
    const bool bound =
        ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
    ::close(fd);
    return bound;
}

/// Reads to the end; what the connection ended with.
Reply::Kind read_all(int fd, std::string& text) {
    std::array<char, 4096> buffer{};
    while (true) {
        pollfd wait{fd, POLLIN, 0};
        if (::poll(&wait, 1, 10'000) <= 0) return Reply::Kind::timed_out;
        const ssize_t count = ::recv(fd, buffer.data(), buffer.size(), 0);
        if (count < 0) return Reply::Kind::reset;
        if (count == 0) return text.empty() ? Reply::Kind::closed : Reply::Kind::answered;
        text.append(buffer.data(), static_cast<std::size_t>(count));
    }
}

}  // namespace

std::uint16_t unused_port() {
    static std::mt19937 random(std::random_device{}());
    // The kernel hands out those above by itself.
    std::uniform_int_distribution<std::uint16_t> ports(20'000, 31'999);
    while (true) {
        const std::uint16_t port = ports(random);
        if (claim(port) && is_free(port)) return port;
    }
}

Reply get(std::uint16_t port, const std::string& path) {
    Reply reply;
    int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = local(port);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
        reply.kind = errno == ECONNREFUSED ? Reply::Kind::refused : Reply::Kind::reset;
        ::close(fd);
        return reply;
    }
    const std::string request =
        "GET " + path + " HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    ::send(fd, request.data(), request.size(), MSG_NOSIGNAL);
    std::string text;
    reply.kind = read_all(fd, text);
    ::close(fd);
    const std::size_t space = text.find(' ');
    if (space != std::string::npos)
        std::from_chars(text.data() + space + 1, text.data() + text.size(), reply.status);
    const std::size_t end = text.find("\r\n\r\n");
    reply.head = text.substr(0, end);
    if (end != std::string::npos) reply.body = text.substr(end + 4);
    return reply;
}

std::string content(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

void Clients::start(std::function<void()> again) {
    threads_.emplace_back([this, again = std::move(again)] {
        while (!done_) again();
    });
}

void Clients::stop() {
    done_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
}

void App::SetUp() {
    port_ = unused_port();
    folder_ = fs::temp_directory_path() /
              ("launcher-app-" + std::to_string(::getpid()) + "-" + std::to_string(port_));
    fs::create_directories(folder_ / "crashes");
}

void App::TearDown() {
    if (launcher_ > 0) {
        ::kill(launcher_, SIGTERM);
        const bool stopped =
            eventually([&] { return ::waitpid(launcher_, nullptr, WNOHANG) == launcher_; }, 20);
        EXPECT_TRUE(stopped) << "the launcher does not stop; it said:\n" << log();
        if (!stopped) {
            ::kill(launcher_, SIGKILL);
            ::waitpid(launcher_, nullptr, 0);
        }
    }
    if (HasFailure()) std::fprintf(stderr, "the launcher said:\n%s\n", log().c_str());
    fs::remove_all(folder_);
}

void App::install(const std::string& name) {
    // As deployments do: the running file keeps its content, its name gets another file.
    fs::copy_file(LAUNCHER_APPS "/launcher_app_" + name, folder_ / "app.new");
    fs::rename(folder_ / "app.new", folder_ / "app");
}

void App::start(std::vector<std::string> environment) {
    launcher_ = ::fork();
    if (launcher_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        ::setsid();  // no terminal, as under a service manager
        int out = ::open((folder_ / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        ::dup2(out, STDOUT_FILENO);
        ::dup2(out, STDERR_FILENO);
        for (std::string& each : environment) ::putenv(each.data());
        const std::string program = folder_ / "app";
        ::execl(program.c_str(), program.c_str(), std::to_string(port_).c_str(),
                (folder_ / "crashes").c_str(), nullptr);
        ::_exit(127);
    }
    ASSERT_GT(node().pid, 0) << log();
}

void App::signal(int signal) const {
    ::kill(launcher_, signal);
}

App::Node App::node() const {
    Node node;
    (void)eventually([&] {
        const Reply reply = get(port_, "/node");
        if (reply.ok()) std::istringstream(reply.body) >> node.pid >> node.version;
        return reply.ok();
    });
    return node;
}

bool App::eventually(const std::function<bool()>& holds, int seconds) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    while (!holds()) {
        if (std::chrono::steady_clock::now() > until) return false;
        ::poll(nullptr, 0, 10);
    }
    return true;
}

std::string App::log() const {
    return content(folder_ / "log");
}

std::vector<std::string> App::reports() const {
    std::vector<std::string> texts;
    for (const auto& entry : fs::directory_iterator(folder_ / "crashes")) {
        if (entry.path().extension() == ".txt") texts.push_back(content(entry.path()));
    }
    return texts;
}

std::string App::report() const {
    std::string text;
    (void)eventually(
        [&] {
            for (const std::string& each : reports()) text = each;
            return text.contains("app.cpp:");
        },
        120);
    return text;
}

}  // namespace launcher_test
