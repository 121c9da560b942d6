// Joins a topic, says a word, and ends with the answer.
#include <cstdio>
#include <string>

#include "clients/device/client.hpp"

int main(int, char** arguments) {
    using namespace bennu::device;
    bool ok = false;
    Client client({.url = arguments[1]});
    Channel& room = client.channel(arguments[2], {.params = [] { return R"({"name":"meter"})"; }});
    room.join();
    client.start();
    room.push("say", R"({"text":"hello"})", [&](const Reply& reply) {
        ok = reply.ok();
        std::printf("%s %s\n", std::string(reply.status).c_str(),
                    std::string(reply.response).c_str());
        client.stop();
    });
    client.run();
    return ok ? 0 : 1;
}
