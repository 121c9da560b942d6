// A device that reports what it is told on standard input: each line is an event and a JSON
// payload, such as
//   say {"text": "hello"}
// and whatever happens is a line on standard output. Ends with the input, once everything is
// answered.
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "clients/device/client.hpp"

using namespace bennu::device;

namespace {

void print(const char* what, std::string_view a = {}, std::string_view b = {}) {
    std::printf("%s%s%.*s%s%.*s\n", what, a.empty() ? "" : " ", static_cast<int>(a.size()),
                a.data(), b.empty() ? "" : " ", static_cast<int>(b.size()), b.data());
    std::fflush(stdout);
}

const char* name_of(Continuation how) {
    if (how == Continuation::fresh) return "new";
    return how == Continuation::resumed ? "resumed" : "resync";
}

const char* name_of(Outcome outcome) {
    switch (outcome) {
        case Outcome::replied:
            return "replied";
        case Outcome::timed_out:
            return "timed out";
        case Outcome::lost:
            return "lost";
        case Outcome::dropped:
            return "dropped";
        case Outcome::left:
            return "left";
    }
    return "";
}

void say(Channel& channel, const std::string& line, int& unanswered) {
    const std::size_t space = line.find(' ');
    const std::string event = line.substr(0, space);
    const std::string payload = space == std::string::npos ? "{}" : line.substr(space + 1);
    const PushResult result = channel.push(event, payload, [&unanswered](const Reply& reply) {
        --unanswered;
        print(name_of(reply.outcome), reply.status, reply.response);
    });
    if (result == PushResult::accepted) {
        ++unanswered;
    } else {
        print(result == PushResult::full ? "full" : "not pushed");
    }
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc < 4 || argc > 5) {
        std::fprintf(stderr, "usage: example_device URL TOPIC PARAMS [CA-FILE]\n");
        return 2;
    }
    ClientOptions options{.url = argv[1]};
    if (argc == 5) options.ca_file = argv[4];
    options.on_open = [] { print("open"); };
    options.on_close = [](const std::string& problem) { print("closed", problem); };
    Client client(std::move(options));
    Channel& channel = client.channel(
        argv[2], {.params = [&] { return std::string(argv[3]); },
                  .resume = true,
                  .on_join = [](std::string_view reply,
                                Continuation how) { print("joined", name_of(how), reply); },
                  .on_refused = [](std::string_view reply) { print("refused", reply); },
                  .on_resync = [] { print("resync"); },
                  .on_event = [](std::string_view event,
                                 std::string_view payload) { print("event", event, payload); },
                  .on_lost = [] { print("channel lost"); }});
    channel.join();
    client.start();

    // An event loop of the app's own, with two descriptors.
    std::string typed;
    bool more = true;
    int unanswered = 0;
    while (more || unanswered > 0) {
        client.step();
        pollfd waiting[] = {{.fd = more ? STDIN_FILENO : -1, .events = POLLIN, .revents = 0},
                            {.fd = client.descriptor(), .events = 0, .revents = 0}};
        if (client.wants_read()) waiting[1].events |= POLLIN;
        if (client.wants_write()) waiting[1].events |= POLLOUT;
        const auto due = client.due();
        ::poll(waiting, 2, due ? static_cast<int>(due->count()) : -1);
        if ((waiting[0].revents & (POLLIN | POLLHUP)) == 0) continue;
        char bytes[4096];
        const ssize_t got = ::read(STDIN_FILENO, bytes, sizeof bytes);
        more = got > 0;
        if (more) typed.append(bytes, static_cast<std::size_t>(got));
        for (std::size_t end; (end = typed.find('\n')) != std::string::npos;) {
            say(channel, typed.substr(0, end), unanswered);
            typed.erase(0, end + 1);
        }
    }
    channel.leave();
    client.stop();
    client.run();
} catch (const std::invalid_argument& wrong) {
    std::fprintf(stderr, "%s\n", wrong.what());
    return 2;
}
